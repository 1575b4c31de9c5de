import { callRunning } from '../caller.ts'
import { formatDevice } from '../format.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto devices', 'sotto --json devices', 'sotto --home bot devices'],
  define(command, invocation) {
    command.action(async () => {
      const { io, print } = invocation()
      await using caller = await callRunning(invocation())
      const devices = await caller.call('device.list', {}, { signal: io.ended })
      for (const device of devices) print(device, formatDevice(device))
    })
  },
}
