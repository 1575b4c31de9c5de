import { toHex, utf8 } from '../../../lib/bytes.ts'
import { native } from '../../crypto.ts'
import type { Alert, MessageState } from '../../api.ts'
import { checksum } from './checksum.ts'

/** What a person saw or did, or what befell their machine; names are those of the people. */
export type Happening =
  /** `send` resolved: the node has promised not to lose it. */
  | {
      readonly kind: 'accepted'
      readonly who: string
      readonly to: string
      readonly id: string
      /** ms after which it is to be gone; absent for never. */
      readonly expires?: number
      readonly text: string
    }
  /** What was done to a message of the conversation was promised too. */
  | { readonly kind: 'edited'; readonly who: string; readonly to: string; readonly id: string; readonly text: string }
  | { readonly kind: 'deleted'; readonly who: string; readonly to: string; readonly id: string }
  /** Asked for, whether or not the process lived to promise it. */
  | { readonly kind: 'deletes'; readonly who: string; readonly to: string; readonly id: string }
  | { readonly kind: 'reacted'; readonly who: string; readonly to: string; readonly id: string; readonly emoji: string }
  /** A message of somebody else was shown. */
  | { readonly kind: 'shown'; readonly who: string; readonly from: string; readonly id: string; readonly text: string }
  /** An own message got further. */
  | {
      readonly kind: 'state'
      readonly who: string
      readonly to: string
      readonly id: string
      readonly state: MessageState
    }
  /** The same in a group, by its id: `send` resolved. */
  | {
      readonly kind: 'said'
      readonly who: string
      readonly group: string
      readonly id: string
      readonly expires?: number
      readonly text: string
    }
  /** What somebody else said in a group was shown. */
  | {
      readonly kind: 'heard'
      readonly who: string
      readonly group: string
      readonly from: string
      readonly id: string
      readonly text: string
    }
  /** It was shown what happened to a group. */
  | {
      readonly kind: 'noticed'
      readonly who: string
      readonly group: string
      readonly by: string
      readonly what: string
    }
  | { readonly kind: 'request'; readonly who: string; readonly from: string }
  | { readonly kind: 'alert'; readonly who: string; readonly about: string; readonly alert: Alert }
  /** The machine went back to what it was at `to`, ms since the start. */
  | { readonly kind: 'went-back'; readonly who: string; readonly to: number }
  /** A start failed. */
  | { readonly kind: 'start-failed'; readonly who: string; readonly why: string }

/** What happened in a run, one line each: runs of one seed have the same history. */
export interface History {
  /** ms since the start, and words. */
  readonly lines: readonly string[]
  /** Those of the lines that people saw or did. */
  readonly happenings: readonly (Happening & { readonly at: number })[]
  note(...words: readonly (string | number | Uint8Array)[]): void
  tell(happening: Happening): void
  /** SHA-256 over all lines, hexadecimal. */
  digest(): string
}

export function createHistory(now: () => number): History {
  const lines: string[] = []
  const happenings: (Happening & { at: number })[] = []
  const start = now()

  function note(...words: readonly (string | number | Uint8Array)[]): void {
    lines.push([now() - start, ...words.map((word) => (word instanceof Uint8Array ? nameOf(word) : word))].join(' '))
  }

  return {
    lines,
    happenings,
    note,
    tell(happening) {
      happenings.push({ ...happening, at: now() - start })
      const { kind, who, ...rest } = happening
      note(kind, who, ...Object.values<string | number>(rest))
    },
    digest: () => toHex(native.sha256(utf8(lines.join('\n')))),
  }
}

/** Bytes by a checksum and their length: enough to tell two runs apart. */
function nameOf(bytes: Uint8Array): string {
  return `${checksum(bytes).toString(16).padStart(8, '0')}:${bytes.length}`
}
