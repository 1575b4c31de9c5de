import { callRunning } from '../caller.ts'
import { formatContact } from '../format.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: [
    'sotto add sotto:...',
    'sotto add sotto:... --as bob',
    'sotto add sotto1... --as bob --hello "Ada, from the library"',
  ],
  define(command, invocation) {
    command
      .argument('<link>', 'an invite (sotto:...) or an account (sotto1...)')
      .option('--as <petname>', 'what I call them')
      .option('--hello <text>', 'what they read with my request')
      .action(async (link: string, options: { as?: string; hello?: string }) => {
        const { io, print, paint } = invocation()
        await using caller = await callRunning(invocation())
        const params = {
          link,
          ...(options.as === undefined ? {} : { petname: options.as }),
          ...(options.hello === undefined ? {} : { hello: options.hello }),
        }
        const contact = await caller.call('contact.add', params, { signal: io.ended })
        print(contact, formatContact(contact, paint))
      })
  },
}
