import { equalBytes, wipe } from '../../lib/bytes.ts'
import type { Random } from '../../lib/crypto/primitives.ts'
import { RANGES, type Range } from '../../lib/rows.ts'
import { NodeError } from '../errors.ts'
import { openValue, rangeKey, SCHEMA, type SealingPrimitives, sealValue } from './sealing.ts'
import type { Entry, ErasableRange, RawRange, RawStore, RowOf, Selection, Store } from './store.ts'

const ROW_KEY_BYTES = 32

/**
 * Puts encryption at rest around a store. Which values are sealed, and how, stands in `RANGES`. Every erasable row is
 * sealed under a random key of its own; that key lies, sealed, in the range beside it and is written and deleted in the
 * same batch. The sub-keys are derived at once, so `masterKey` (32 bytes) may be wiped after the call. Closing closes
 * `store` too.
 */
export function createSealedStore(
  store: RawStore,
  { primitives, random, masterKey }: { primitives: SealingPrimitives; random: Random; masterKey: Uint8Array },
): Store {
  const keys = new Map<string, Uint8Array>()
  for (const [range, kind] of Object.entries(RANGES)) {
    if (kind === 'sealed') keys.set(range, rangeKey(primitives, masterKey, range))
    if (kind === 'erasable') keys.set(`${range}-key`, rangeKey(primitives, masterKey, `${range}-key`))
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

  function keyOf(range: RawRange): Uint8Array {
    const key = keys.get(range)
    if (key === undefined) throw new TypeError(`the range ${range} has no key`)
    return key
  }

  function seal(range: RawRange, key: Uint8Array, value: Uint8Array, under: Uint8Array): RowOf<RawRange> {
    const place = { range, key, schema: SCHEMA }
    return { range, key: new Uint8Array(key), value: sealValue(primitives, random, { key: under, place, value }) }
  }

  function open(range: RawRange, key: Uint8Array, sealed: Uint8Array, under: Uint8Array): Uint8Array {
    const value = openValue(primitives, { key: under, place: { range, key, schema: SCHEMA }, sealed })
    if (value === null) {
      assertOpen()
      throw damaged(range)
    }
    return value
  }

  function openErasable(
    range: ErasableRange,
    key: Uint8Array,
    sealed: Uint8Array,
    wrapped: Uint8Array | undefined,
  ): Uint8Array {
    const keyRange = `${range}-key` as const
    if (wrapped === undefined) throw damaged(keyRange)
    const rowKey = open(keyRange, key, wrapped, keyOf(keyRange))
    try {
      return open(range, key, sealed, rowKey)
    } finally {
      wipe(rowKey)
    }
  }

  function rawRows({ range, key, value }: RowOf<Range>): readonly RowOf<RawRange>[] {
    if (!isErasable(range)) {
      if (value === null) return [{ range, key: new Uint8Array(key), value }]
      return [
        RANGES[range] === 'wire'
          ? { range, key: new Uint8Array(key), value: new Uint8Array(value) }
          : seal(range, key, value, keyOf(range)),
      ]
    }
    const keyRange = `${range}-key` as const
    if (value === null) return [range, keyRange].map((each) => ({ range: each, key: new Uint8Array(key), value }))
    const rowKey = random.bytes(ROW_KEY_BYTES)
    try {
      return [seal(range, key, value, rowKey), seal(keyRange, key, rowKey, keyOf(keyRange))]
    } finally {
      wipe(rowKey)
    }
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
        return value === null || RANGES[range] === 'wire' ? value : open(range, place, value, keyOf(range))
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
        return entries.map(({ key, value }) => ({ key, value: open(range, key, value, keyOf(range)) }))
      }
      return inTurn(async () => {
        const [entries, wrapped] = await Promise.all([
          store.list(range, selection),
          store.list(`${range}-key`, selection),
        ])
        return entries.map(({ key, value }, index) => {
          const beside = wrapped[index]
          const rowKey = beside !== undefined && equalBytes(beside.key, key) ? beside.value : undefined
          return { key, value: openErasable(range, key, value, rowKey) }
        })
      })
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
