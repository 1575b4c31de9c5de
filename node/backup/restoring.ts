import { decodeItem } from '../../lib/backup/items.ts'
import { createRestoring, type Restored } from '../../lib/backup/restoring.ts'
import { concat } from '../../lib/bytes.ts'
import type { MachineRun } from '../../lib/chat/birth.ts'
import type { Primitives, Random } from '../../lib/crypto/primitives.ts'
import { type OpeningStream, openingStream } from '../../lib/crypto/stream.ts'
import { ProtocolError } from '../../lib/errors.ts'
import type { Row } from '../../lib/rows.ts'
import { NodeError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import { damagedBackup, readItems, readStart, START_BYTES } from './format.ts'

export type { Restored } from '../../lib/backup/restoring.ts'

export interface RestoreOptions {
  readonly primitives: Primitives
  readonly random: Random
  /** ms. */
  readonly now: number
  /** Where the machine says it. */
  readonly run?: MachineRun | null
  /** The key that is sealed in the head. */
  unlock(sealedKey: Uint8Array): Promise<Uint8Array>
  /** After every portion, with how many bytes were taken. */
  onProgress?(bytes: number): void
}

/** Rows written at a time, and bytes of them, about. */
const MAX_ROWS = 1_024
const MAX_BYTES = 1 << 20

/**
 * Writes into an empty store what the bytes of a backup say: a new device of its account. Rejects with `invalid`,
 * `wrong-passphrase`, `damaged` or `newer-schema`; then what was written counts for nothing.
 */
export async function restoreBackup(
  source: AsyncIterable<Uint8Array>,
  store: Pick<Store, 'write'>,
  options: RestoreOptions,
): Promise<Restored> {
  try {
    return await restore(source, store, options)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    if (error.code !== 'newer-version') throw damagedBackup(error)
    throw new NodeError('newer-schema', 'this backup was written by a newer Sotto', {
      cause: error,
      hint: 'update this program',
    })
  }
}

async function restore(
  source: AsyncIterable<Uint8Array>,
  store: Pick<Store, 'write'>,
  { primitives, random, now, run = null, unlock, onProgress }: RestoreOptions,
): Promise<Restored> {
  const restoring = createRestoring(primitives, random, now, run)
  const items = readItems()
  let start: Uint8Array = new Uint8Array(0)
  let stream: OpeningStream | null = null
  let taken = 0
  let rows: Row[] = []
  let bytes = 0

  async function flush(): Promise<void> {
    if (rows.length > 0) await store.write(rows)
    rows = []
    bytes = 0
  }

  async function takeAll(plaintext: Uint8Array): Promise<void> {
    for (const item of items.push(plaintext)) {
      for (const row of restoring.take(decodeItem(item))) {
        rows.push(row)
        bytes += row.value?.length ?? 0
      }
      if (rows.length >= MAX_ROWS || bytes >= MAX_BYTES) await flush()
    }
  }

  /** What belongs to the stream, once the head is there. */
  async function behindHead(portion: Uint8Array): Promise<Uint8Array | null> {
    start = concat(start, portion)
    if (start.length < START_BYTES) return null
    const headBytes = START_BYTES + readStart(start.subarray(0, START_BYTES))
    if (start.length < headBytes) return null
    const head = start.slice(0, headBytes)
    const key = await unlock(head.subarray(START_BYTES))
    stream = openingStream(primitives, key, head)
    return start.slice(headBytes)
  }

  for await (const portion of source) {
    const sealed = stream === null ? await behindHead(portion) : portion
    if (sealed !== null) await takeAll((stream as unknown as OpeningStream).push(sealed))
    taken += portion.length
    onProgress?.(taken)
  }
  if (stream === null) {
    readStart(start.subarray(0, START_BYTES))
    throw damagedBackup()
  }
  await takeAll((stream as OpeningStream).end())
  items.end()
  const restored = restoring.end()
  await flush()
  return restored
}
