import { readEntered } from '../../../cli/chat/commands.ts'
import { EMPTY, edit } from '../../../cli/chat/editor.ts'
import { createKeyDecoder, typedText } from '../../../cli/chat/keys.ts'
import { CliError } from '../../../cli/errors.ts'
import { asciiText, safeText } from '../../../cli/terminal.ts'
import { utf8 } from '../../../lib/bytes.ts'
import type { Target } from '../target.ts'

const textOf = (input: Uint8Array): string => new TextDecoder().decode(input)

/** What is typed into a chat, and what of others stands on a terminal. */
export const terminalTargets: readonly Target[] = [
  {
    name: 'chat-keys',
    covers: ['cli/chat/keys.ts#createKeyDecoder', 'cli/chat/keys.ts#typedText', 'cli/chat/editor.ts#edit'],
    seeds: [utf8('abc\x1b[A\x1b[1;5D\x7f\r'), utf8('\x1b[200~two\r\nlines\x1b[201~\x17\x19')],
    text: true,
    dear: true,
    loose: 'many keys have several sequences, and what is none is skipped',
    run(input) {
      const decoder = createKeyDecoder({ bracketed: true })
      const middle = input.length >> 1
      let editor = EMPTY
      for (const key of [...decoder.push(input.subarray(0, middle)), ...decoder.push(input.subarray(middle))]) {
        editor = edit(editor, key).editor
      }
      const { text, cursor } = editor
      return text === typedText(text) && cursor >= 0 && cursor <= text.length ? 'accepted' : utf8('no line')
    },
  },
  {
    name: 'chat-line',
    covers: ['cli/chat/commands.ts#readEntered'],
    seeds: [utf8('hello'), utf8('//text'), utf8('/react 3 x'), utf8('/expire 1d')],
    text: true,
    loose: 'a line is a text or a command, however it is spaced',
    refuses: (error) => error instanceof CliError && error.code === 'usage',
    run: (input) => (readEntered(textOf(input)).kind === 'nothing' ? 'refused' : 'accepted'),
  },
  {
    name: 'shown-text',
    covers: ['cli/terminal.ts#safeText', 'cli/terminal.ts#asciiText'],
    seeds: [utf8('hi\x1b[2J\u202e\u200b👩‍👩‍👧'), utf8('\x1b]0;title\x07\n\ttab')],
    text: true,
    loose: 'what commands a terminal is left out',
    run(input) {
      const shown = safeText(textOf(input))
      const isSafe = !/[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(shown) && safeText(shown) === shown
      return isSafe && /^[\n -~]*$/.test(asciiText(shown)) ? 'accepted' : utf8('not safe')
    },
  },
]
