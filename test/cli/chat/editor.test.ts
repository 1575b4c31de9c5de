import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import '../../support/seed.ts'
import { graphemesOf } from '../../../cli/chat/cells.ts'
import { clear, type Editor, EMPTY, edit, enter, MAX_LINE_LENGTH, restore } from '../../../cli/chat/editor.ts'
import type { Key, KeyName } from '../../../cli/chat/keys.ts'

const NAMES: readonly KeyName[] = [
  'newline',
  'backspace',
  'delete',
  'left',
  'right',
  'word-left',
  'word-right',
  'home',
  'end',
  'up',
  'down',
  'kill-word',
  'kill-before',
  'kill-after',
  'yank',
]

function typed(...keys: (KeyName | { text: string })[]): Editor {
  return keys.reduce<Editor>((editor, key) => {
    const press: Key = typeof key === 'string' ? { kind: 'key', name: key } : { kind: 'text', ...key }
    return edit(editor, press).editor
  }, EMPTY)
}

const t = (text: string): { text: string } => ({ text })

describe('a line', () => {
  test.each<[string, Editor, string, number]>([
    ['takes text at the cursor', typed(t('ac'), 'left', t('b')), 'abc', 2],
    ['loses what is before the cursor', typed(t('abc'), 'left', 'backspace'), 'ac', 1],
    ['loses what is behind it', typed(t('abc'), 'home', 'delete'), 'bc', 0],
    ['has words to walk over', typed(t('one two '), 'word-left'), 'one two ', 4],
    ['has words to walk over, forward', typed(t('one two'), 'home', 'word-right'), 'one two', 3],
    ['loses a word', typed(t('one two  '), 'kill-word'), 'one ', 4],
    ['gets back what was killed', typed(t('one two'), 'kill-before', t('x'), 'yank'), 'xone two', 8],
    ['ends where it is cut', typed(t('one two'), 'word-left', 'kill-after'), 'one ', 4],
    ['takes a mark into the character before it', typed(t('e'), t('\u0301'), 'backspace'), '', 0],
    ['counts a joined emoji as one', typed(t('👩‍👩‍👧x'), 'left', 'left'), '👩‍👩‍👧x', 0],
    ['does not go past its ends', typed('left', 'backspace', t('a'), 'right', 'delete'), 'a', 1],
  ])('%s', (_, { text, cursor }, expected, at) => {
    expect([text, cursor]).toEqual([expected, at])
  })

  test('comes back from what was entered before, and the draft behind it', () => {
    let editor = enter(typed(t('first')))
    editor = enter(edit(editor, { kind: 'text', text: 'second' }).editor)
    editor = edit(editor, { kind: 'text', text: 'draft' }).editor
    const walk = (['up', 'up', 'up', 'down', 'down', 'down'] as const).map((name) => {
      editor = edit(editor, { kind: 'key', name }).editor
      return editor.text
    })
    expect(walk).toEqual(['second', 'first', 'first', 'second', 'draft', 'draft'])
  })

  test('that is cleared comes back with yank; one that comes back goes before what was typed meanwhile', () => {
    const cleared = clear(typed(t('gone')))
    expect(edit(cleared, { kind: 'key', name: 'yank' }).editor.text).toBe('gone')
    expect(restore(typed(t('new')), 'old').text).toBe('old\nnew')
    expect(restore(EMPTY, 'old').text).toBe('old')
  })

  test('asks before it ends: Ctrl-C clears first, Ctrl-D deletes first', () => {
    const line = typed(t('x'), 'home')
    const press = (editor: Editor, name: KeyName) => edit(editor, { kind: 'key', name })
    expect(press(line, 'interrupt')).toMatchObject({ editor: { text: '' } })
    expect(press(line, 'interrupt').action).toBeUndefined()
    expect(press(EMPTY, 'interrupt').action).toBe('interrupt')
    expect(press(line, 'eof')).toMatchObject({ editor: { text: '' } })
    expect(press(EMPTY, 'eof').action).toBe('end')
  })

  test('takes a paste whole or not at all', () => {
    const full = typed(t('x'.repeat(MAX_LINE_LENGTH - 1)))
    expect(edit(full, { kind: 'paste', text: 'ab' })).toEqual({ editor: full, action: 'full' })
    expect(edit(full, { kind: 'paste', text: 'a' }).editor.text).toHaveLength(MAX_LINE_LENGTH)
  })

  test('keeps its cursor between two characters, whatever is pressed', () => {
    const key: fc.Arbitrary<Key> = fc.oneof(
      fc.constantFrom(...NAMES).map((name): Key => ({ kind: 'key', name })),
      fc.string({ unit: 'grapheme' }).map((text): Key => ({ kind: 'text', text })),
      fc.string({ unit: 'binary' }).map((text): Key => ({ kind: 'paste', text })),
      fc.constantFrom('\u0301', '\u200d', '👩', '\ufe0f', '🇩', '🇪').map((text): Key => ({ kind: 'text', text })),
    )
    fc.assert(
      fc.property(fc.array(key, { maxLength: 40 }), (keys) => {
        let editor = EMPTY
        for (const each of keys) {
          editor = edit(editor, each).editor
          const ends = [0, ...[...graphemesOf(editor.text)].map(({ index, segment }) => index + segment.length)]
          expect(ends).toContain(editor.cursor)
        }
      }),
    )
  })
})
