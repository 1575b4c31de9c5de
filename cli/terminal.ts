import { styleText } from 'node:util'
import type { Io } from './io.ts'

// C0 but tab and newline, DEL, C1, every bidirectional control, line and paragraph separator, interlinear and BOM
const UNSAFE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g
const UNSAFE_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

/**
 * A text of a peer as it may stand on a terminal: whatever could move the cursor, set a title, write to the clipboard
 * or turn the direction of the line is gone; newlines stay, tabs become spaces.
 */
export function safeText(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, '\n').replace(UNSAFE, '').replaceAll('\t', ' ')
}

/** As `safeText`, on one line: names, notes. */
export function safeLine(text: string): string {
  return safeText(text)
    .replace(/\s*\n\s*/g, ' ')
    .trim()
}

/** A text of several lines below a heading: lines after the first are indented, so that none can pass for a heading. */
export function safeBlock(text: string): string {
  return safeText(text).replaceAll('\n', '\n  ')
}

/** One line of JSON with every character escaped that a terminal or a line reader could take for a command. */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value)
  return json.replace(UNSAFE_IN_JSON, (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export type Tone = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

/** Colours a text for a stream that takes colours: `NO_COLOR`, `TERM=dumb`, pipes and `--no-color` get it plain. */
export function createPainter(
  stream: Io['stdout'],
  env: Io['env'],
  enabled: boolean,
): (tone: Tone, text: string) => string {
  const plain = !enabled || stream.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return plain ? (_tone, text) => text : (tone, text) => styleText(tone, text, { validateStream: false })
}
