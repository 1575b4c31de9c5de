import { stripVTControlCharacters } from 'node:util'

// East Asian wide and fullwidth (Unicode 16, EastAsianWidth.txt), whole blocks; emoji are known by their property
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1d300, 0x1d376],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
]
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u
const EMOJI = /^\p{Emoji_Presentation}$/u
const MAYBE_EMOJI = /^\p{Emoji}$/u
const ASCII = /^[ -~]*$/

const segmenter: Intl.Segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** The characters of a text as people count them, each with its place in UTF-16 units. */
export function graphemesOf(text: string): Intl.Segments {
  return segmenter.segment(text)
}

function codePointCells(character: string): number {
  if (NO_WIDTH.test(character)) return 0
  const code = character.codePointAt(0) ?? 0
  return EMOJI.test(character) || WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1
}

/**
 * How many cells of a terminal a text takes at most. Terminals differ over joined emoji; this counts the parts, as those
 * do that cannot join them, so that a row that fits by this count fits everywhere.
 */
export function cellsOf(text: string): number {
  if (ASCII.test(text)) return text.length
  const characters = Array.from(text)
  return characters.reduce((sum, character, at) => {
    // a selector makes the character before it an emoji
    if (character === '\ufe0f' && MAYBE_EMOJI.test(characters[at - 1] ?? '')) {
      return sum + 2 - codePointCells(characters[at - 1] ?? '')
    }
    return sum + codePointCells(character)
  }, 0)
}

/** As much of the beginning of a text as fits, and three dots when that is not all. */
export function cut(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text
  let [kept, width] = ['', 0]
  for (const { segment } of graphemesOf(text)) {
    width += cellsOf(segment)
    if (width > cells - 3) break
    kept += segment
  }
  return `${kept}...`
}

// every space at which a row can end, the no-break ones too: none may carry a text to a place of its choice
const SPACES = /[\s\u00a0\u202f\u2800\u3000]+/u

/**
 * Breaks a line at its spaces and indents what follows, so that no part of a text can begin a row of the screen and pass
 * for a line of its own. A word longer than a row stays whole, to be copied; the terminal breaks it.
 */
export function wrap(line: string, cells: number, indent: string): string {
  const measure = (text: string): number => cellsOf(stripVTControlCharacters(text))
  if (measure(line) <= cells) return line
  const [lead = ''] = /^ */.exec(line) ?? []
  const rows: string[] = []
  let row = lead
  let width = lead.length
  let isEmpty = true
  for (const word of line.trim().split(SPACES)) {
    const wide = measure(word)
    if (!isEmpty && width + 1 + wide > cells) {
      rows.push(row)
      row = `${indent}${word}`
      width = indent.length + wide
    } else {
      row += isEmpty ? word : ` ${word}`
      width += isEmpty ? wide : wide + 1
    }
    isEmpty = false
  }
  return [...rows, row].join('\n')
}
