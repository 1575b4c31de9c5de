import { styleText } from 'node:util'
import type { Io } from './io.ts'

// C0 but tab and newline, DEL, C1, every bidirectional control, line and paragraph separators, what has no width and no
// place in a word (soft hyphen, zero-width space, fillers, interlinear marks, tags) and the BOM
const UNSAFE =
  /[\u034f\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu
const UNSAFE_IN_JSON =
  /[\u034f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]+/gu
// joiners have a place between the parts of an emoji and in scripts whose letters they join; elsewhere they only hide
const STRAY_JOINER =
  /(?=[\u200c\u200d])(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f\p{Script=Arabic}\p{Script=Syriac}\p{Script=Nko}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}])[\u200c\u200d]+/gu
// more marks on one letter than any script uses paint over the lines above and below
const STACKED_MARKS = /(\p{M}{8})\p{M}+/gu

/** Nobody sends a text as long as this, characters; what is longer came in where a limit is missing. */
const MAX_SHOWN = 65_536

/**
 * A text of a peer as it may stand on a terminal: whatever could move the cursor, set a title, write to the clipboard,
 * turn the direction of the line or hide in it is gone; newlines stay, tabs become spaces. Of a text of more than 65,536
 * characters the rest is left out.
 */
export function safeText(text: string): string {
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text
  const plain = shown.toWellFormed().replace(/\r\n?/g, '\n').replace(UNSAFE, '').replaceAll('\t', ' ')
  return plain.replace(STRAY_JOINER, '').replace(STACKED_MARKS, '$1')
}

/** As `safeText`, on one line: names, notes. */
export function safeLine(text: string): string {
  // An expression with white space around the newline would take the square of a long run of it.
  return safeText(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ')
}

/** A text of several lines below a heading: lines after the first are indented, so that none can pass for a heading. */
export function safeBlock(text: string): string {
  return safeText(text).replaceAll('\n', '\n  ')
}

/** One line of JSON with every character escaped that a terminal or a line reader could take for a command. */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value)
  return json.replace(UNSAFE_IN_JSON, escapeUnits)
}

function escapeUnits(text: string): string {
  let escaped = ''
  for (let at = 0; at < text.length; at++) escaped += `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
  return escaped
}

/** Whether the locale says that the terminal shows more than ASCII. No locale at all counts as UTF-8, as it is today. */
export function showsUnicode(env: Io['env']): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '')
  return locale === undefined || /utf-?8/i.test(locale)
}

/** A text for a locale without Unicode: every other character as `\u{1f600}`. Nothing is lost and nothing ambiguous. */
export function asciiText(text: string): string {
  return text.replace(/[^\0-\x7f]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** A line of JSON for a locale without Unicode: the same value, in ASCII. */
export function asciiJson(json: string): string {
  return json.replace(/[^\0-\x7f]+/g, escapeUnits)
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
