import { cellsOf, cut, graphemesOf } from './cells.ts'

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** What stands below everything that was printed: a line of news, and the line that is being typed. */
export interface View {
  /** One line; empty for none. */
  readonly status: string
  readonly prompt: string
  readonly text: string
  readonly cursor: number
}

interface Row {
  readonly text: string
  readonly cells: number
}

/** The view as rows of a screen. */
export interface Layout {
  readonly rows: readonly Row[]
  readonly cursorRow: number
  /** What stands in the row of the cursor before it. */
  readonly beforeCursor: string
}

/** A renderer: what to write so that the screen shows the lines, and below them the view. It knows what stands there. */
export interface Renderer {
  /** Prints lines above the view. */
  render(lines: readonly string[], view: View, size: Size): string
  /** The line was entered and is about to be empty. */
  enter(): string
  /** Takes the view away; the cursor is left at the beginning of an empty row. */
  leave(size: Size): string
  /** Somebody else wrote to the screen: nothing that was drawn is there any more. */
  forget(): void
}

/** A line that is longer than this many rows shows the rows around the cursor. */
const MAX_INPUT_ROWS = 10

/**
 * Cuts the view into rows that fit, one cell left free: in the last one terminals disagree about when a row ends.
 * `show` makes a character of the text harmless and visible.
 */
export function layOut(view: View, { columns, rows }: Size, show: (character: string) => string): Layout {
  const width = Math.max(8, columns - 1)
  const indent = ' '.repeat(cellsOf(view.prompt))
  const input: { text: string; cells: number }[] = [{ text: view.prompt, cells: indent.length }]
  let row = input[0] as { text: string; cells: number }
  let [cursorRow, beforeCursor] = [0, view.prompt]
  const begin = (): void => {
    row = { text: indent, cells: indent.length }
    input.push(row)
  }
  const mark = (): void => {
    cursorRow = input.length - 1
    beforeCursor = row.text
  }
  for (const { segment, index } of graphemesOf(view.text)) {
    const shown = segment === '\n' ? '' : show(segment)
    const cells = cellsOf(shown)
    if (row.cells + cells > width && row.cells > indent.length) begin()
    if (index === view.cursor) mark()
    if (segment === '\n') begin()
    row.text += shown
    row.cells += cells
  }
  if (view.cursor >= view.text.length) mark()
  const status = view.status === '' ? [] : [cut(view.status, width)]
  const fit = Math.max(1, Math.min(MAX_INPUT_ROWS, rows - 1 - status.length))
  const from = Math.max(0, Math.min(cursorRow - Math.floor(fit / 2), input.length - fit))
  return {
    rows: [...status.map((text) => ({ text, cells: cellsOf(text) })), ...input.slice(from, from + fit)],
    cursorRow: cursorRow - from + status.length,
    beforeCursor,
  }
}

/** Rows from the first of the view to the cursor, after the terminal broke the rows anew for another width. */
function rowsAbove({ rows, cursorRow, beforeCursor }: Layout, columns: number): number {
  const above = rows.slice(0, cursorRow).reduce((sum, { cells }) => sum + Math.max(1, Math.ceil(cells / columns)), 0)
  return above + Math.floor(Math.max(0, cellsOf(beforeCursor) - 1) / columns)
}

function print(lines: readonly string[]): string {
  return lines.map((line) => `${line.replaceAll('\n', '\r\n')}\r\n`).join('')
}

/** Draws with the sequences that every terminal since the VT100 knows: up, erase below. */
export function createScreen(show: (character: string) => string, dim: (text: string) => string): Renderer {
  let drawn: Layout | undefined

  function erase({ columns }: Size): string {
    if (drawn === undefined) return '\r\x1b[J'
    const up = rowsAbove(drawn, columns)
    drawn = undefined
    return `\r${up === 0 ? '' : `\x1b[${up}A`}\x1b[J`
  }

  return {
    render(lines, view, size) {
      const bytes = erase(size) + print(lines)
      drawn = layOut(view, size, show)
      const { rows, cursorRow, beforeCursor } = drawn
      const hasStatus = view.status !== ''
      const all = rows.map(({ text }, at) => (at === 0 && hasStatus ? dim(text) : text)).join('\r\n')
      const below = rows.length - 1 - cursorRow
      // writing the row again up to the cursor leaves it where it belongs, however wide the terminal takes a character
      return `${bytes}${all}${below === 0 ? '' : `\x1b[${below}A`}\r${beforeCursor}`
    },
    enter: () => '',
    leave: erase,
    forget: () => {
      drawn = undefined
    },
  }
}

/**
 * Draws on what knows no sequences at all, or is read aloud: the line is written once and continued, and begun anew on a
 * line of its own when something came between or it was changed before its end.
 */
export function createPlainScreen(show: (character: string) => string): Renderer {
  let drawn: string | undefined

  const shownOf = ({ prompt, text }: View): string =>
    prompt + [...graphemesOf(text)].map(({ segment }) => (segment === '\n' ? ' ' : show(segment))).join('')

  function leave(): string {
    const was = drawn
    drawn = undefined
    return was === undefined ? '' : '\r\n'
  }

  return {
    render(lines, view, { columns }) {
      const next = shownOf(view)
      const last = drawn
      drawn = next
      if (lines.length > 0 || last === undefined) {
        return `${last === undefined ? '' : '\r\n'}${print(lines)}${next}`
      }
      if (next.startsWith(last)) return next.slice(last.length)
      if (last.startsWith(next) && cellsOf(last) < columns) return '\b \b'.repeat(cellsOf(last.slice(next.length)))
      return `\r\n${next}`
    },
    enter: leave,
    leave,
    forget: () => {
      drawn = undefined
    },
  }
}
