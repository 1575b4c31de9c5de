import { expect, test } from 'vitest'
import type { Caller } from '../../cli/client.ts'
import { twoFriends } from '../support/processes.ts'

/** Messages under way at a time: enough to keep both nodes and both disks busy all the time. */
const IN_FLIGHT = 64

/** Sends without a pause until it is ended; counts what was accepted. */
function stream(caller: Caller): {
  accepted: () => number
  after(more: number): Promise<void>
  end(): Promise<number>
} {
  let begun = 0
  let accepted = 0
  let over = false
  const waiting: { readonly at: number; readonly reached: () => void }[] = []
  const work = async (): Promise<void> => {
    while (!over) {
      await caller.call('message.send', { who: 'bob', text: `${begun++}` })
      accepted += 1
      for (const { at, reached } of waiting) if (accepted >= at) reached()
    }
  }
  const workers = Array.from({ length: IN_FLIGHT }, work)
  return {
    accepted: () => accepted,
    after(more) {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ at: accepted + more, reached: resolve })
      return promise
    },
    async end() {
      over = true
      await Promise.all(workers)
      return accepted
    },
  }
}

// Time is not asserted, since a busy machine has none: an answer is late when much else was done between question and answer.
test('a node answers for its status amid a stream of messages, and a client that reconnects then misses none', async () => {
  await using people = await twoFriends()
  const { ada, bob } = people
  await using sending = await ada.connect()
  await using asking = await ada.connect()
  await using watching = await ada.connect()
  const messages = stream(sending)
  await messages.after(IN_FLIGHT)

  const between: number[] = []
  for (let n = 0; n < 10; n++) {
    await messages.after(10)
    const before = messages.accepted()
    expect(await asking.call('node.status', {})).toMatchObject({ up: true })
    between.push(messages.accepted() - before)
  }
  // a question waits behind what was begun before it, not behind all that is still to come
  expect(Math.max(...between)).toBeLessThan(2 * IN_FLIGHT)

  // a process that starts, connects and asks: the answer comes while the stream goes on
  for (const person of [ada, bob]) {
    expect((await person.sotto('status')).code).toBe(0)
    await messages.after(1)
  }

  // none lost, none twice for who follows all of it, and a connection that ends in the middle is resumed
  const told: number[] = []
  let cursor: string | undefined
  for (let visit = 0; visit < 5; visit++) {
    const ended = new AbortController()
    await using follower = visit === 0 ? watching : await ada.connect()
    const since = cursor === undefined ? {} : { since: cursor }
    for await (const { cursor: at, event } of follower.events({ signal: ended.signal, ...since })) {
      expect(event.kind === 'snapshot').toBe(cursor === undefined)
      cursor = at
      if (event.kind === 'message') told.push(Number(event.message.text))
      if (told.length >= 50 * (visit + 1)) ended.abort()
    }
  }
  const total = await messages.end()
  const status = await asking.call('node.status', {})
  expect(status.up).toBe(true)
  const [first = 0] = told
  expect(told).toEqual(Array.from(told, (_, at) => first + at))
  expect(told.length).toBeGreaterThanOrEqual(250)
  expect(total).toBeGreaterThan(told.length)
}, 60_000)
