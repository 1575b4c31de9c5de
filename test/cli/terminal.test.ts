import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import '../support/seed.ts'
import {
  asciiJson,
  asciiText,
  createPainter,
  jsonLine,
  safeBlock,
  safeLine,
  safeText,
  showsUnicode,
} from '../../cli/terminal.ts'
import { PassThrough } from 'node:stream'

const FORBIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\u{e0000}-\u{e007f}]/u

test('no text of a peer reaches a terminal with a character that commands it', () => {
  const hostile = fc.string({ unit: 'binary' })
  const mixed = fc
    .array(
      fc.oneof(
        hostile,
        fc.constantFrom('\x1b[2J', '\x1b]0;x\x07', '\u009b31m', '\u202e', '\r', '\x08', '\u200b', '\u{e0041}'),
      ),
    )
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(mixed, (text) => {
      expect(safeText(text)).not.toMatch(FORBIDDEN)
      expect(safeText(text).isWellFormed()).toBe(true)
      expect(safeLine(text)).not.toContain('\n')
    }),
  )
})

test('what is no command stays: letters of all scripts, emoji with joiners, line ends', () => {
  expect(safeText('schön שלום 👩‍👩‍👧 日本\nzwei')).toBe('schön שלום 👩‍👩‍👧 日本\nzwei')
  expect(safeText('a\r\nb\rc\td')).toBe('a\nb\nc d')
  expect(safeLine('  Ada\n  Lovelace ')).toBe('Ada Lovelace')
})

test('one line is one line, whatever white space stands between its parts', () => {
  const spaced = fc
    .array(fc.constantFrom(' ', '\n', '\t', '\r', '\u00a0', '\u3000', 'a', 'é'))
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(spaced, (text) => {
      expect(safeLine(text)).toBe(
        safeText(text)
          .replace(/\s*\n\s*/g, ' ')
          .trim(),
      )
    }),
  )
})

test.each(['\0', ' ', '\n', '\t', '\u0301', '\u200d', '\u200c\u0301', '\u202e', '\ufffd', '👩\u200d', '\ud83d'])(
  'a megabyte of %j costs moments and shows 65,536 characters at most',
  (unit) => {
    for (const text of [unit.repeat(1_000_000), `a${unit.repeat(65_534 / unit.length)}b`]) {
      const before = process.threadCpuUsage()
      const [shown, line] = [asciiText(safeText(text)), safeLine(text)]
      const { user, system } = process.threadCpuUsage(before)
      expect(shown.length).toBeLessThanOrEqual(65_536 * '\\u{fffd}'.length)
      expect(line.length).toBeLessThanOrEqual(65_536)
      // the square of so many would be minutes
      expect((user + system) / 1_000).toBeLessThan(500)
    }
  },
)

test('a text that is longer than any that is sent says that something is left out', () => {
  expect(safeText('a'.repeat(65_536))).toHaveLength(65_536)
  expect(safeText('a'.repeat(65_537))).toBe(`${'a'.repeat(65_535)}…`)
})

test('no later line of a text can pass for a line of its own', () => {
  expect(safeBlock('hi\n2026-01-01 10:00 me: I agree').split('\n')[1]).toMatch(/^ {2}2026/)
})

test('JSON says the same after parsing and holds no raw control character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const line = jsonLine({ text: text.toWellFormed() })
      expect(line).not.toMatch(FORBIDDEN)
      expect(line).not.toMatch(/[\n\t]/)
      expect(JSON.parse(line)).toEqual({ text: text.toWellFormed() })
    }),
  )
})

test('colours are for terminals that want them', () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true })
  expect(createPainter(terminal, {}, true)('red', 'x')).toBe('\x1b[31mx\x1b[39m')
  expect(createPainter(terminal, { NO_COLOR: '1' }, true)('red', 'x')).toBe('x')
  expect(createPainter(terminal, { TERM: 'dumb' }, true)('red', 'x')).toBe('x')
  expect(createPainter(terminal, {}, false)('red', 'x')).toBe('x')
  expect(createPainter(new PassThrough(), {}, true)('red', 'x')).toBe('x')
})

test('what hides in a line is gone: joiners where they join nothing, more marks than a letter has', () => {
  expect(safeText('pay\u200dpal\u200c \u2060x\ufeff \u{e0062}\u{e0061}')).toBe('paypal x ')
  expect(safeText('می\u200cخواهم क्\u200dष 👨🏽\u200d💻 ❤️\u200d🔥')).toBe(
    'می\u200cخواهم क्\u200dष 👨🏽\u200d💻 ❤️\u200d🔥',
  )
  expect(safeText(`e${'\u0301'.repeat(40)}`)).toBe(`e${'\u0301'.repeat(8)}`)
  expect(safeText('ཧཱུྃ שָׁ֣')).toBe('ཧཱུྃ שָׁ֣')
})

test('a locale without Unicode gets ASCII that says the same', () => {
  expect([{ LANG: 'C' }, { LANG: 'de_DE.ISO-8859-1' }, { LANG: 'C.UTF-8', LC_ALL: 'POSIX' }].map(showsUnicode)).toEqual(
    [false, false, false],
  )
  expect([{}, { LANG: 'C.UTF-8' }, { LANG: 'C', LC_CTYPE: 'en_US.utf8' }].map(showsUnicode)).toEqual([true, true, true])
  expect(asciiText('schön 👍\n')).toBe('sch\\u{f6}n \\u{1f44d}\n')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const line = asciiJson(jsonLine({ text: text.toWellFormed() }))
      expect(line).toMatch(/^[ -~]*$/)
      expect(JSON.parse(line)).toEqual({ text: text.toWellFormed() })
      expect(asciiText(text)).toMatch(/^[\0-\x7f]*$/)
    }),
  )
})
