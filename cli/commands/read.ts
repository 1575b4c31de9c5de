import { callRunning } from '../caller.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto read bob', 'sotto read sotto1qqqqqqqq', 'sotto --json read bob'],
  define(command, invocation) {
    command
      .argument('<who>', 'a contact or a group: a name, or the beginning of the account or id')
      .action(async (who: string) => {
        const { io, print } = invocation()
        await using caller = await callRunning(invocation())
        const result = await caller.call('conversation.read', { who }, { signal: io.ended })
        print(result, `${result.read} marked as read`)
      })
  },
}
