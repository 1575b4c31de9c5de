import { callRunning } from '../caller.ts'
import { formatContact } from '../format.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto rename bob robert', 'sotto rename sotto1qqqqqqqq bob', 'sotto --json rename bob robert'],
  define(command, invocation) {
    command
      .argument('<who>', 'a name, or the beginning of an account')
      .argument('<petname>', 'what I call them from now on')
      .action(async (who: string, petname: string) => {
        const { io, print, paint } = invocation()
        await using caller = await callRunning(invocation())
        const contact = await caller.call('contact.rename', { who, petname }, { signal: io.ended })
        print(contact, formatContact(contact, paint))
      })
  },
}
