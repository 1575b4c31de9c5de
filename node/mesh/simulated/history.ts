import { concat, toHex, utf8 } from '../../../lib/bytes.ts'
import { native } from '../../crypto.ts'

/** What happened in a run, one line each: runs of one seed have the same history. */
export interface History {
  readonly lines: readonly string[]
  note(...words: readonly (string | number | Uint8Array)[]): void
  /** SHA-256 over all lines, hexadecimal. */
  digest(): string
}

export function createHistory(now: () => number): History {
  const lines: string[] = []
  const start = now()
  return {
    lines,
    note(...words) {
      lines.push([now() - start, ...words.map((word) => (word instanceof Uint8Array ? nameOf(word) : word))].join(' '))
    },
    digest: () => toHex(native.sha256(...lines.map((line) => utf8(`${line}\n`)))),
  }
}

/** Bytes by their hash and length. */
function nameOf(bytes: Uint8Array): string {
  return `${toHex(native.sha256(concat(bytes)).subarray(0, 6))}:${bytes.length}`
}
