import { callRunning } from '../caller.ts'
import { formatContact } from '../format.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto accept bob', 'sotto accept sotto1qqqqqqqq', 'sotto accept sotto1qqqqqqqq --as bob'],
  define(command, invocation) {
    command
      .argument('<who>', 'who asked: a name or the beginning of the account')
      .option('--as <petname>', 'what I call them')
      .action(async (who: string, options: { as?: string }) => {
        const { io, print, paint } = invocation()
        await using caller = await callRunning(invocation())
        const params = { who, ...(options.as === undefined ? {} : { petname: options.as }) }
        const contact = await caller.call('contact.accept', params, { signal: io.ended })
        print(contact, formatContact(contact, paint))
      })
  },
}
