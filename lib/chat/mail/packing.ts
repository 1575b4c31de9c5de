import { equalBytes } from '../../bytes.ts'
import { BLOB_BYTES, MAX_BLOB_FRAMES, packedBytes } from '../../mailbox/blob.ts'
import { PREFIX_TYPE, splitPrefix } from '../../session/prefix.ts'
import type { Mark } from './state.ts'

/** A frame that leaves by mail, and what became of it at the mailboxes. */
export interface Letter {
  readonly frame: Uint8Array
  /** Of the own message that it carries, if it does. */
  readonly counter: number | null
  /** Who hears that it is held; null for nobody. */
  readonly mark: Mark | null
  /** Mailboxes that have not answered yet. */
  open: number
  held: boolean
}

const LARGEST = BLOB_BYTES.at(-1) as number
/** Beside what fills a blob to here a text of the usual length finds no place, bytes. */
const FULL: number = (LARGEST * 3) / 4

/** Frames of one blob. */
export interface Pack {
  readonly letters: readonly Letter[]
  /** As they stand in the blob. */
  readonly frames: readonly Uint8Array[]
  /** How long they are there with everything around them. */
  readonly bytes: number
}

/** Whether more than the usual text fits beside it. */
export function hasRoom({ bytes }: Pack): boolean {
  return bytes < FULL
}

/** As few blobs as hold the frames, in their order. */
export function pack(letters: readonly Letter[]): Pack[] {
  const packs: Pack[] = []
  let rest = letters
  while (rest.length > 0) {
    const next = fill(rest)
    packs.push(next)
    rest = rest.slice(next.letters.length)
  }
  return packs
}

/** What of these, from the first on, goes into one blob. */
function fill(letters: readonly Letter[]): Pack {
  const frames: Uint8Array[] = []
  const prefixes: Uint8Array[] = []
  let bytes = packedBytes([])
  for (const { frame } of letters) {
    const bare = withoutKnownPrefix(frame, prefixes)
    const more = packedBytes([bare]) - packedBytes([])
    if (frames.length > 0 && (frames.length === MAX_BLOB_FRAMES || bytes + more > LARGEST)) break
    frames.push(bare)
    bytes += more
  }
  return { letters: letters.slice(0, frames.length), frames, bytes }
}

/** A prefix takes three kilobytes: behind the first frame that brings it the others of its session need none. */
function withoutKnownPrefix(message: Uint8Array, prefixes: Uint8Array[]): Uint8Array {
  if (message[0] !== PREFIX_TYPE) return message
  const { prefix, frame } = splitPrefix(message)
  if (prefixes.some((known) => equalBytes(known, prefix))) return frame
  prefixes.push(prefix)
  return message
}
