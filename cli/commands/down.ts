import { callRunning } from '../caller.ts'
import { CliError, interruption } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import type { Verb } from '../verb.ts'

/** A node that is told to stop has five seconds; past twice that it hangs. */
const STOP_MS = 10_000

async function down(invocation: Invocation): Promise<void> {
  const signal = AbortSignal.any([invocation.io.ended, AbortSignal.timeout(STOP_MS)])
  const caller = await callRunning(invocation)
  const late = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => {
    const interrupted = invocation.io.ended.aborted
    late.reject(
      interrupted ? interruption(invocation.io.ended) : new CliError('failed', 'The node did not stop in time.'),
    )
  })
  await caller.call('node.stop', {}, { signal })
  await Promise.race([caller.closed, late.promise])
  invocation.print({ stopped: true }, 'stopped')
}

export const verb: Verb = {
  examples: ['sotto down', 'sotto --home bot down', 'sotto --json down'],
  define(command, invocation) {
    command.action(() => down(invocation()))
  },
}
