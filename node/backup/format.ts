import { concat, equalBytes, utf8 } from '../../lib/bytes.ts'
import { MAX_ITEM_BYTES } from '../../lib/backup/items.ts'
import { NodeError } from '../errors.ts'

/** With what a backup begins. */
const MAGIC: Uint8Array = utf8('sotto-backup')
/** Of the length of the sealed key. */
const LENGTH_BYTES = 2
const MAX_SEALED_KEY_BYTES = 1024
const ITEM_LENGTH_BYTES = 4

/** Bytes before the sealed key. */
export const START_BYTES: number = MAGIC.length + LENGTH_BYTES

/** `"sotto-backup" || u16be length || sealed key`: the head of a file. It is bound to every piece behind it. */
export function encodeHead(sealedKey: Uint8Array): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint16(0, sealedKey.length)
  return concat(MAGIC, length, sealedKey)
}

/** How many bytes of sealed key follow the first `START_BYTES` of a file. Throws `invalid` for what is no backup. */
export function readStart(start: Uint8Array): number {
  const length = start.length < START_BYTES ? 0 : new DataView(start.buffer, start.byteOffset).getUint16(MAGIC.length)
  if (!equalBytes(start.subarray(0, MAGIC.length), MAGIC)) {
    throw new NodeError('invalid', 'this file is no backup', { hint: 'name a file that "sotto backup" wrote' })
  }
  if (length === 0 || length > MAX_SEALED_KEY_BYTES) throw damagedBackup()
  return length
}

/** `u32be length || item`. */
export function frameItem(item: Uint8Array): Uint8Array {
  const framed = new Uint8Array(ITEM_LENGTH_BYTES + item.length)
  new DataView(framed.buffer).setUint32(0, item.length)
  framed.set(item, ITEM_LENGTH_BYTES)
  return framed
}

/** Finds the items in what comes in portions; at most one of them is held. */
export interface ItemReader {
  /** The items that are whole now. Throws `damaged` for one that is longer than any. */
  push(bytes: Uint8Array): readonly Uint8Array[]
  /** Throws `damaged` when something is left. */
  end(): void
}

export function readItems(): ItemReader {
  let parts: Uint8Array[] = []
  let held = 0
  let wanted = ITEM_LENGTH_BYTES

  return {
    push(bytes) {
      parts.push(bytes)
      held += bytes.length
      if (held < wanted) return []
      const all = concat(...parts)
      const items: Uint8Array[] = []
      let at = 0
      wanted = ITEM_LENGTH_BYTES
      while (all.length - at >= wanted) {
        const length = new DataView(all.buffer, all.byteOffset + at).getUint32(0)
        if (length > MAX_ITEM_BYTES) throw damagedBackup()
        wanted = ITEM_LENGTH_BYTES + length
        if (all.length - at < wanted) break
        items.push(all.slice(at + ITEM_LENGTH_BYTES, at + wanted))
        at += wanted
        wanted = ITEM_LENGTH_BYTES
      }
      parts = [all.slice(at)]
      held = all.length - at
      return items
    },
    end() {
      if (held > 0) throw damagedBackup()
    },
  }
}

export function damagedBackup(cause?: unknown): NodeError {
  return new NodeError('damaged', 'the backup was altered, cut off or put together wrongly; nothing was restored', {
    cause,
    hint: 'use another copy of it',
  })
}
