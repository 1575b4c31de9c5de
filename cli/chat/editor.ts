import { graphemesOf } from './cells.ts'
import type { Key, KeyName } from './keys.ts'

/** A line that is being typed. Every function gives a new one and leaves the old as it is. */
export interface Editor {
  readonly text: string
  /** Where the next character comes, in UTF-16 units; always between two characters as people count them. */
  readonly cursor: number
  /** What was killed or cleared last: `Ctrl-Y` brings it back. */
  readonly killed: string
  /** Lines that were entered, the oldest first. */
  readonly entered: readonly string[]
  /** Which of them is shown; `entered.length` is the line being typed. */
  readonly place: number
  /** The line being typed, while an entered one is shown. */
  readonly draft: string
}

/** What a key asks of those who own the line. */
export type Action = 'enter' | 'interrupt' | 'end' | 'suspend' | 'redraw' | 'full'

export interface Edited {
  readonly editor: Editor
  readonly action?: Action
}

/** The longest line, in UTF-16 units; what would make it longer is not taken, as a whole. */
export const MAX_LINE_LENGTH: number = 128 * 1024
const MAX_ENTERED = 200

export const EMPTY: Editor = { text: '', cursor: 0, killed: '', entered: [], place: 0, draft: '' }

function before({ text, cursor }: Editor): number {
  return cursor === 0 ? 0 : (graphemesOf(text).containing(cursor - 1)?.index ?? 0)
}

function after({ text, cursor }: Editor): number {
  return align(text, cursor + 1)
}

/** The end of the character that holds the unit before `at`, or `at` when it is such an end. */
function align(text: string, at: number): number {
  if (at >= text.length) return text.length
  const { index, segment } = graphemesOf(text).containing(at - 1) ?? { index: at, segment: '' }
  return index + segment.length
}

function wordBefore({ text, cursor }: Editor): number {
  return text.slice(0, cursor).search(/\S+\s*$/u) === -1 ? 0 : text.slice(0, cursor).search(/\S+\s*$/u)
}

function wordAfter({ text, cursor }: Editor): number {
  const [passed = ''] = /^\s*\S*/u.exec(text.slice(cursor)) ?? []
  return cursor + passed.length
}

function insert(editor: Editor, text: string): Edited {
  if (editor.text.length + text.length > MAX_LINE_LENGTH) return { editor, action: 'full' }
  const joined = editor.text.slice(0, editor.cursor) + text + editor.text.slice(editor.cursor)
  // a mark joins the character before it
  return { editor: { ...editor, text: joined, cursor: align(joined, editor.cursor + text.length) } }
}

function remove(editor: Editor, from: number, to: number, kill: boolean): Editor {
  if (from === to) return editor
  const text = editor.text.slice(0, from) + editor.text.slice(to)
  const killed = kill ? editor.text.slice(from, to) : editor.killed
  return { ...editor, text, killed, cursor: from === 0 ? 0 : Math.min(align(text, from), text.length) }
}

function recall(editor: Editor, place: number): Editor {
  if (place < 0 || place > editor.entered.length || place === editor.place) return editor
  const draft = editor.place === editor.entered.length ? editor.text : editor.draft
  const text = editor.entered[place] ?? draft
  return { ...editor, text, draft, place, cursor: text.length }
}

/** The line without its text, which `Ctrl-Y` brings back. */
export function clear(editor: Editor): Editor {
  const killed = editor.text === '' ? editor.killed : editor.text
  return { ...editor, text: '', cursor: 0, draft: '', place: editor.entered.length, killed }
}

/** The empty line after its text was taken; `up` shows that text again. */
export function enter(editor: Editor): Editor {
  const entered =
    editor.text === '' || editor.text === editor.entered.at(-1)
      ? editor.entered
      : [...editor.entered, editor.text].slice(-MAX_ENTERED)
  return { ...editor, text: '', cursor: 0, draft: '', entered, place: entered.length }
}

/** The line with a text that came back; what was typed meanwhile stays behind it. */
export function restore(editor: Editor, text: string): Editor {
  const joined = editor.text === '' ? text : `${text}\n${editor.text}`
  return { ...editor, text: joined, cursor: joined.length }
}

const NAMED: { readonly [Name in KeyName]: (editor: Editor) => Edited } = {
  enter: (editor) => ({ editor, action: 'enter' }),
  newline: (editor) => insert(editor, '\n'),
  backspace: (editor) => ({ editor: remove(editor, before(editor), editor.cursor, false) }),
  delete: (editor) => ({ editor: remove(editor, editor.cursor, after(editor), false) }),
  left: (editor) => ({ editor: { ...editor, cursor: before(editor) } }),
  right: (editor) => ({ editor: { ...editor, cursor: after(editor) } }),
  'word-left': (editor) => ({ editor: { ...editor, cursor: wordBefore(editor) } }),
  'word-right': (editor) => ({ editor: { ...editor, cursor: wordAfter(editor) } }),
  home: (editor) => ({ editor: { ...editor, cursor: 0 } }),
  end: (editor) => ({ editor: { ...editor, cursor: editor.text.length } }),
  up: (editor) => ({ editor: recall(editor, editor.place - 1) }),
  down: (editor) => ({ editor: recall(editor, editor.place + 1) }),
  'kill-word': (editor) => ({ editor: remove(editor, wordBefore(editor), editor.cursor, true) }),
  'kill-before': (editor) => ({ editor: remove(editor, 0, editor.cursor, true) }),
  'kill-after': (editor) => ({ editor: remove(editor, editor.cursor, editor.text.length, true) }),
  yank: (editor) => insert(editor, editor.killed),
  interrupt: (editor) => (editor.text === '' ? { editor, action: 'interrupt' } : { editor: clear(editor) }),
  eof: (editor) => (editor.text === '' ? { editor, action: 'end' } : NAMED.delete(editor)),
  suspend: (editor) => ({ editor, action: 'suspend' }),
  redraw: (editor) => ({ editor, action: 'redraw' }),
}

/** What a key makes of a line, and what it asks for besides. */
export function edit(editor: Editor, key: Key): Edited {
  switch (key.kind) {
    case 'key':
      return NAMED[key.name](editor)
    case 'text':
    case 'paste':
      return insert(editor, key.text)
    case 'too-long':
      return { editor, action: 'full' }
  }
}
