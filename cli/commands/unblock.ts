import { callRunning } from '../caller.ts'
import { formatContact } from '../format.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto unblock bob', 'sotto unblock sotto1qqqqqqqq', 'sotto --json unblock bob'],
  define(command, invocation) {
    command.argument('<who>', 'a name or the beginning of the account').action(async (who: string) => {
      const { io, print, paint } = invocation()
      await using caller = await callRunning(invocation())
      const contact = await caller.call('contact.unblock', { who }, { signal: io.ended })
      print(contact, formatContact(contact, paint))
    })
  },
}
