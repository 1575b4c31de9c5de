import { callRunning } from '../caller.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto remove bob', 'sotto remove sotto1qqqqqqqq', 'sotto --json remove bob'],
  define(command, invocation) {
    command.argument('<who>', 'a name, or the beginning of an account').action(async (who: string) => {
      const { io, print, note } = invocation()
      await using caller = await callRunning(invocation())
      const removed = await caller.call('contact.remove', { who }, { signal: io.ended })
      print(removed, `removed ${removed.account}`)
      note('The conversation is erased here. They keep theirs and were told nothing.')
    })
  },
}
