import { callHome } from '../caller.ts'
import { formatIdentity } from '../format.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto id', 'sotto --json id', 'sotto --home bot id'],
  define(command, invocation) {
    command.action(async () => {
      const { io, print } = invocation()
      await using caller = await callHome(invocation())
      const identity = await caller.call('node.identity', {}, { signal: io.ended })
      print(identity, formatIdentity(identity))
    })
  },
}
