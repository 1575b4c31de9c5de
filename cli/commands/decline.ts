import { callRunning } from '../caller.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto decline bob', 'sotto decline sotto1qqqqqqqq', 'sotto --json decline bob'],
  define(command, invocation) {
    command.argument('<who>', 'who asked: a name or the beginning of the account').action(async (who: string) => {
      const { io, print } = invocation()
      await using caller = await callRunning(invocation())
      print(await caller.call('contact.decline', { who }, { signal: io.ended }), 'declined')
    })
  },
}
