import { equalBytes, wipe } from '../../lib/bytes.ts'
import type { Random } from '../../lib/crypto/primitives.ts'
import { RANGES, type Range } from '../../lib/rows.ts'
import { NodeError } from '../errors.ts'
import {
  openBeside,
  openValue,
  rangeKey,
  SALT_BYTES,
  SCHEMA,
  sealBeside,
  type SealingPrimitives,
  sealValue,
} from './sealing.ts'
import type { Entry, ErasableRange, RawRange, RawStore, RowOf, Selection, Store } from './store.ts'

/**
 * Puts encryption at rest around a store. Which values are sealed, and how, stands in `RANGES`. What the key of an erasable
 * row is derived with lies in the range beside it and is written and deleted in the same batch. The sub-keys are derived at once, so `masterKey` (32 bytes) may be wiped after the call. Closing closes
 * `store` too.
 */
export function createSealedStore(
  store: RawStore,
  { primitives, random, masterKey }: { primitives: SealingPrimitives; random: Random; masterKey: Uint8Array },
): Store {
  const keys = new Map<string, Uint8Array>()
  for (const [range, kind] of Object.entries(RANGES)) {
    if (kind !== 'wire') keys.set(range, rangeKey(primitives, masterKey, range))
  }
  let last: Promise<unknown> = Promise.resolve()
  let closed = false

  /** Runs alone: a row and its key are two rows below, and a reader must not see one old and one new. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }

  function assertOpen(): void {
    if (closed) throw new NodeError('stopped', 'the store is closed')
  }

  function keyOf(range: Range): Uint8Array {
    const key = keys.get(range)
    if (key === undefined) throw new TypeError(`the range ${range} has no key`)
    return key
  }

  function open(range: Range, key: Uint8Array, sealed: Uint8Array): Uint8Array {
    return opened(range, openValue(primitives, { key: keyOf(range), place: { range, key, schema: SCHEMA }, sealed }))
  }

  function openErasable(
    range: ErasableRange,
    key: Uint8Array,
    sealed: Uint8Array,
    salt: Uint8Array | undefined,
  ): Uint8Array {
    if (salt === undefined) throw damaged(`${range}-key`)
    const place = { range, key, schema: SCHEMA }
    return opened(range, openBeside(primitives, { key: keyOf(range), salt, place, sealed }))
  }

  function opened(range: Range, value: Uint8Array | null): Uint8Array {
    if (value !== null) return value
    assertOpen()
    throw damaged(range)
  }

  function rawRows({ range, key, value }: RowOf<Range>): readonly RowOf<RawRange>[] {
    const ownKey = new Uint8Array(key)
    const place = { range, key, schema: SCHEMA }
    if (!isErasable(range)) {
      if (value === null) return [{ range, key: ownKey, value }]
      if (RANGES[range] === 'wire') return [{ range, key: ownKey, value: new Uint8Array(value) }]
      return [{ range, key: ownKey, value: sealValue(primitives, random, { key: keyOf(range), place, value }) }]
    }
    const salt = value && random.bytes(SALT_BYTES)
    const sealed = value && salt && sealBeside(primitives, { key: keyOf(range), salt, place, value })
    return [
      { range, key: ownKey, value: sealed },
      { range: `${range}-key`, key: ownKey, value: salt },
    ]
  }

  async function close(): Promise<void> {
    if (closed) return
    closed = true
    await last
    await store.close()
    wipe(...keys.values())
  }

  return {
    async write(rows: readonly RowOf<Range>[]): Promise<void> {
      assertOpen()
      const sealed = rows.flatMap(rawRows)
      await inTurn(() => store.write(sealed))
    },

    async read(range: Range, key: Uint8Array): Promise<Uint8Array | null> {
      assertOpen()
      const place = new Uint8Array(key)
      if (!isErasable(range)) {
        const value = await store.read(range, place)
        return value === null || RANGES[range] === 'wire' ? value : open(range, place, value)
      }
      return inTurn(async () => {
        const value = await store.read(range, place)
        if (value === null) return null
        return openErasable(range, place, value, (await store.read(`${range}-key`, place)) ?? undefined)
      })
    },

    async list(range: Range, selection: Selection = {}): Promise<readonly Entry[]> {
      assertOpen()
      if (RANGES[range] === 'wire') return store.list(range, selection)
      if (!isErasable(range)) {
        const entries = await store.list(range, selection)
        return entries.map(({ key, value }) => ({ key, value: open(range, key, value) }))
      }
      return inTurn(async () => {
        const [entries, salts] = await Promise.all([
          store.list(range, selection),
          store.list(`${range}-key`, selection),
        ])
        return entries.map(({ key, value }, index) => {
          const beside = salts[index]
          const salt = beside !== undefined && equalBytes(beside.key, key) ? beside.value : undefined
          return { key, value: openErasable(range, key, value, salt) }
        })
      })
    },

    async keys(range: Range, selection: Selection = {}): Promise<readonly Uint8Array[]> {
      assertOpen()
      return store.keys(range, selection)
    },

    async compact(range: Range): Promise<void> {
      assertOpen()
      // The text of an erasable row is unreadable once its key is gone, so only the keys are worth the work.
      await store.compact(isErasable(range) ? `${range}-key` : range)
    },

    close,
    [Symbol.asyncDispose]: close,
  }
}

function isErasable(range: Range): range is ErasableRange {
  return RANGES[range] === 'erasable'
}

function damaged(range: RawRange): NodeError {
  return new NodeError('damaged', `a row of the range ${range} does not open: the database was altered or is damaged`, {
    hint: 'restore the home from a backup',
  })
}
