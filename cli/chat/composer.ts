import { failureOf } from '../errors.ts'
import { type ChatContext, readEntered } from './commands.ts'
import { type Action, clear, type Editor, EMPTY, edit, enter, restore } from './editor.ts'
import type { Key } from './keys.ts'
import type { Outgoing } from './outgoing.ts'
import type { Connection } from './partner.ts'
import { MAX_MESSAGE_BYTES, partsOf } from './parts.ts'

export interface ComposerOptions {
  readonly outgoing: Outgoing
  connection(): Connection | undefined
  /** Shows lines of the program's own. */
  say(text: string): void
  /** Shows lines of the conversation. */
  print(lines: readonly string[]): void
  /** The line was taken and is empty now. */
  entered(): void
  quit(): void
}

/** The line that is being typed, and what becomes of it. */
export interface Composer {
  readonly editor: Editor
  /** Takes a key; gives what it asks of the terminal. */
  press(key: Key): Exclude<Action, 'enter' | 'full'> | undefined
}

export function createComposer(options: ComposerOptions): Composer {
  const { outgoing, say, print } = options
  let editor: Editor = EMPTY
  /** The long text of which was said that it would leave as several messages. */
  let offered: string | undefined

  function complain(error: unknown): void {
    const { message, hint } = failureOf(error)
    say(hint === undefined ? message : `${message} ${hint}`)
  }

  function take(): void {
    editor = enter(editor)
    offered = undefined
    options.entered()
  }

  /** Whether a text fits into a message, or was offered to leave as several. */
  function mayLeave(text: string): boolean {
    const bytes = Buffer.byteLength(text)
    if (bytes <= MAX_MESSAGE_BYTES || offered === text) return true
    offered = text
    say(
      `This has ${bytes} bytes, and a message at most ${MAX_MESSAGE_BYTES}. ` +
        `Enter again sends it as ${partsOf(text).length} messages, Ctrl-C clears it.`,
    )
    return false
  }

  async function send(text: string, replyTo?: string): Promise<void> {
    const { messages, left } = await outgoing.send(text, replyTo)
    const conversation = options.connection()?.conversation
    for (const message of messages) {
      if (conversation?.has(message.id) === false) print(conversation.show(message, 'now'))
    }
    if (left === undefined) return
    editor = restore(editor, left.text)
    complain(left.error)
  }

  function run(command: (context: ChatContext) => Promise<void> | void, to: Connection): void {
    const context: ChatContext = { ...to, say, reply: send, quit: options.quit }
    const done = async (): Promise<void> => command(context)
    done().catch(complain)
  }

  function submit(): void {
    try {
      const entered = readEntered(editor.text)
      const to = options.connection()
      if (entered.kind === 'nothing') editor = clear(editor)
      else if (entered.kind === 'command' && entered.name === 'quit') {
        editor = clear(editor)
        options.quit()
      } else if (to === undefined) say('The node is away. What is typed stays here until it is back.')
      else if (entered.kind === 'command') {
        take()
        run(entered.run, to)
      } else if (mayLeave(entered.text)) {
        take()
        void send(entered.text)
      }
    } catch (error) {
      complain(error)
    }
  }

  return {
    get editor() {
      return editor
    },
    press(key) {
      const { editor: next, action } = edit(editor, key)
      if (next.text !== editor.text) offered = undefined
      editor = next
      if (action === 'enter') submit()
      else if (action === 'full') say('This is more than a line holds, and nothing of it was taken.')
      else return action
      return undefined
    },
  }
}
