import { callRunning } from '../caller.ts'
import { formatStatus } from '../format.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto status', 'sotto --json status', 'sotto --home bot status'],
  define(command, invocation) {
    command.action(async () => {
      const { io, print } = invocation()
      await using caller = await callRunning(invocation())
      const status = await caller.call('node.status', {}, { signal: io.ended })
      print(status, formatStatus(status, Date.now()))
    })
  },
}
