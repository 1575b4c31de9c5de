import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import '../../support/seed.ts'
import { cellsOf, cut, wrap } from '../../../cli/chat/cells.ts'
import { createPlainScreen, createScreen, layOut, type View } from '../../../cli/chat/screen.ts'
import { safeText } from '../../../cli/terminal.ts'

const same = (text: string): string => text

/** A terminal with endless rows that knows what the screen uses, and refuses everything else. */
function createPaper(columns: number): {
  write(bytes: string): void
  rows(): string[]
  column(): number
  row(): number
} {
  const rows: string[] = ['']
  let [row, column] = [0, 0]
  const put = (character: string): void => {
    if (column === columns) [row, column] = [row + 1, 0]
    while (rows.length <= row) rows.push('')
    const line = (rows[row] ?? '').padEnd(column)
    rows[row] = line.slice(0, column) + character + line.slice(column + 1)
    column += 1
  }
  return {
    write(bytes) {
      for (const [token = ''] of bytes.matchAll(/\x1b\[\d*[A-Z]|[^]/g)) {
        if (token === '\r') column = 0
        else if (token === '\b') column -= 1
        else if (token === '\n') {
          row += 1
          while (rows.length <= row) rows.push('')
        } else if (token === '\x1b[J') {
          rows.length = row + 1
          rows[row] = (rows[row] ?? '').slice(0, column)
        } else if (/^\x1b\[\d+A$/.test(token)) row -= Number(token.slice(2, -1))
        else if (token >= ' ' && token <= '~') put(token)
        else throw new Error(`the terminal got ${JSON.stringify(token)}`)
        if (row < 0) throw new Error('above the first row')
      }
    },
    rows: () => rows.map((line) => line.trimEnd()),
    column: () => column,
    row: () => row,
  }
}

const word = fc.string({ unit: fc.constantFrom(...['a', 'b', 'c', ' ', 'd', '\n']), maxLength: 60 })
const scene = fc.array(
  fc.record({
    lines: fc.array(fc.string({ unit: fc.constantFrom(...['x', 'y', 'z', ' ']), maxLength: 15 }), { maxLength: 3 }),
    text: word,
    at: fc.nat(60),
    status: fc.constantFrom('', 'queued', 'somebody is typing and this is long'),
  }),
  { minLength: 1, maxLength: 8 },
)

function viewOf({ text, at, status }: { text: string; at: number; status: string }): View {
  return { status, prompt: '> ', text, cursor: Math.min(at, text.length) }
}

test('whatever was drawn before, the screen shows all lines once, then the view, and the cursor is in its place', () => {
  fc.assert(
    fc.property(scene, fc.integer({ min: 16, max: 40 }), (steps, columns) => {
      const paper = createPaper(columns)
      const screen = createScreen(same, same)
      const size = { columns, rows: 24 }
      const printed: string[] = []
      for (const step of steps) {
        paper.write(screen.render(step.lines, viewOf(step), size))
        printed.push(...step.lines)
        const { rows, cursorRow, beforeCursor } = layOut(viewOf(step), size, same)
        const expected = [...printed, ...rows.map(({ text }) => text)].map((line) => line.trimEnd())
        expect(paper.rows()).toEqual(expected)
        expect([paper.row(), paper.column()]).toEqual([printed.length + cursorRow, beforeCursor.length])
      }
      paper.write(screen.leave(size))
      expect(paper.rows()).toEqual([...printed.map((line) => line.trimEnd()), ''])
    }),
  )
})

test('a terminal without sequences gets none, and the line as it is stands last', () => {
  fc.assert(
    fc.property(scene, (steps) => {
      const paper = createPaper(1000)
      const screen = createPlainScreen(same)
      for (const step of steps) {
        const bytes = screen.render(step.lines, viewOf(step), { columns: 1000, rows: 24 })
        expect(bytes).not.toContain('\x1b')
        paper.write(bytes)
        expect(paper.rows().at(-1)).toBe(`> ${step.text.replaceAll('\n', ' ')}`.trimEnd())
      }
    }),
  )
})

test('no row of the view is wider than the terminal or there are more of them than it has', () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 200 }))
  const size = fc.record({ columns: fc.integer({ min: 10, max: 100 }), rows: fc.integer({ min: 2, max: 50 }) })
  fc.assert(
    fc.property(text, size, fc.nat(200), (text, size, at) => {
      const view = { status: 'x'.repeat(200), prompt: '> ', text, cursor: Math.min(at, text.length) }
      const { rows, cursorRow } = layOut(view, size, safeText)
      expect(rows.length).toBeLessThanOrEqual(Math.max(2, size.rows))
      expect(cursorRow).toBeLessThan(rows.length)
      for (const row of rows) expect(cellsOf(row.text)).toBeLessThan(Math.max(size.columns, 12))
    }),
  )
})

describe('cells', () => {
  test.each([
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['👍', 2],
    ['❤\ufe0f', 2],
    ['ｆｕｌｌ', 8],
    ['한글', 4],
    ['שלום', 4],
  ])('%s takes %d', (text, cells) => {
    expect(cellsOf(text)).toBe(cells)
  })

  test('a text that is cut fits and says so', () => {
    expect(cut('日本語日本語', 9)).toBe('日本語...')
    expect(cut('short', 9)).toBe('short')
  })

  test('a line that is too long is broken at its spaces, and every row but the first is indented', () => {
    expect(wrap('one two three four', 9, '  ')).toBe('one two\n  three\n  four')
    expect(wrap('see https://example.org/a/long/path ok', 12, '  ')).toBe(
      'see\n  https://example.org/a/long/path\n  ok',
    )
    expect(wrap('  indented and long', 12, '  ')).toBe('  indented\n  and long')
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...['a', 'b', ' ', '\u00a0', '\u2003']), maxLength: 100 }),
        (text) => {
          const [, ...rows] = wrap(text, 10, '  ').split('\n')
          for (const row of rows) expect(row).toMatch(/^ {2}/)
        },
      ),
    )
  })
})
