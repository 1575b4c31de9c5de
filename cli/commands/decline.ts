import { callRunning } from '../caller.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto decline bob', 'sotto decline sotto1qqqqqqqq', 'sotto --json decline bob'],
  define(command, invocation) {
    command
      .argument('<who>', 'who asked: a name, or the beginning of the account or of the id of a group')
      .action(async (who: string) => {
        const { io, print } = invocation()
        await using caller = await callRunning(invocation())
        const asked = await caller.call('conversation.get', { who }, { signal: io.ended })
        const answer =
          asked.group === undefined
            ? caller.call('contact.decline', { who }, { signal: io.ended })
            : caller.call('group.decline', { group: asked.group.group }, { signal: io.ended })
        print(await answer, 'declined')
      })
  },
}
