import { changeMessage } from '../message-call.ts'
import { findText } from '../message-text.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: [
    'sotto edit 000102030405060708090a0b0c0d0e0f "Hello, Bob"',
    'date | sotto edit 000102030405060708090a0b0c0d0e0f -',
    'sotto -v log bob',
  ],
  define(command, invocation) {
    command
      .argument('<id>', 'a message of mine')
      .argument('[text]', 'what it says now; - or nothing: read it from standard input')
      .action(async (id: string, given: string | undefined) => {
        const { io } = invocation()
        const text = await findText(given, io)
        await changeMessage(invocation(), (caller) => caller.call('message.edit', { id, text }, { signal: io.ended }))
      })
  },
}
