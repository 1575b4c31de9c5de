import { expect, test } from 'vitest'
import type { Event } from '../../lib/chat/events.ts'
import type { Clock } from '../../node/clock.ts'
import { native } from '../../node/crypto.ts'
import { createErrands } from '../../node/errands.ts'
import type { Network } from '../../node/network/network.ts'

/** A clock that stands still until its timers are run. */
function stopped(): Clock & { fire(before: number): void } {
  const timers: { time: number; run: () => void }[] = []
  return {
    now: () => 0,
    at(time, run) {
      const timer = { time, run }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer), 1)
    },
    soon: (run) => queueMicrotask(run),
    fire(before) {
      for (const timer of [...timers]) if (timer.time < before) timer.run()
    },
  }
}

test('the first answer of a look-up is told while the others are waited for', async () => {
  const events: Event[] = []
  const clock = stopped()
  const first = Promise.withResolvers<void>()
  const value = Uint8Array.of(7)
  const network: Pick<Network, 'get'> = {
    // One key is answered, the others never are.
    async *get(key, { signal }) {
      if (key === 'b') yield value
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
  }
  const errands = createErrands({
    network: network as Network,
    clock,
    primitives: native,
    stopping: new AbortController().signal,
    done(event) {
      events.push(event)
      first.resolve()
    },
  })
  const resolved = errands.resolve('bob', ['a', 'b', 'c'])
  await first.promise
  expect(events).toEqual([{ kind: 'found', contact: 'bob', key: 'b', value }])
  clock.fire(1_000)
  await resolved
  expect(events.slice(1)).toEqual([{ kind: 'resolved', contact: 'bob', values: [{ key: 'b', value }] }])
})
