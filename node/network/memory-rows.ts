import { NotFoundError } from '@libp2p/interface'
import type { Libp2pInit } from 'libp2p'

/** The datastore that libp2p and its DHT keep their rows in. */
export type Datastore = NonNullable<Libp2pInit['datastore']>
export type RowKey = Parameters<Datastore['put']>[0]

/**
 * The few operations on single rows from which a whole datastore follows. All are synchronous; `get` of a missing row gives
 * undefined. `Name` is what the datastore calls a row, kept to be given back.
 */
export interface Rows<Name = RowKey> {
  get(key: string): Uint8Array | undefined
  /** Throws when the row is refused. */
  put(key: string, value: Uint8Array, name: Name): void
  delete(key: string): void
  /** A snapshot of the rows whose key starts with the prefix. */
  list(prefix: string): readonly { readonly key: Name; readonly value: Uint8Array }[]
}

/** A libp2p datastore over rows in memory. What libp2p remembers of peers names people, so none of it reaches a disk. */
export function datastoreOf(rows: Rows): Datastore {
  function get(key: RowKey): Uint8Array {
    const value = rows.get(key.toString())
    if (value === undefined) throw new NotFoundError('no such row')
    return value
  }
  function put(key: RowKey, value: Uint8Array): RowKey {
    rows.put(key.toString(), value, key)
    return key
  }
  return {
    get,
    put,
    has: (key) => rows.get(key.toString()) !== undefined,
    delete: (key) => rows.delete(key.toString()),
    async *putMany(pairs) {
      for await (const { key, value } of pairs) yield put(key, value)
    },
    async *getMany(keys) {
      for await (const key of keys) yield { key, value: get(key) }
    },
    async *deleteMany(keys) {
      for await (const key of keys) {
        rows.delete(key.toString())
        yield key
      }
    },
    batch() {
      const steps: (() => void)[] = []
      return {
        put: (key, value) => void steps.push(() => put(key, value)),
        delete: (key) => void steps.push(() => rows.delete(key.toString())),
        commit() {
          for (const step of steps.splice(0)) step()
        },
      }
    },
    async *query({ prefix = '', filters = [], orders = [], offset = 0, limit = Infinity }) {
      let found = rows.list(prefix).filter((pair) => filters.every((filter) => filter(pair)))
      for (const order of orders) found = found.toSorted(order)
      yield* found.slice(offset, offset + limit)
    },
    async *queryKeys({ prefix = '', filters = [], orders = [], offset = 0, limit = Infinity }) {
      let found = rows.list(prefix).map(({ key }) => key)
      found = found.filter((key) => filters.every((filter) => filter(key)))
      for (const order of orders) found = found.toSorted(order)
      yield* found.slice(offset, offset + limit)
    },
  }
}
