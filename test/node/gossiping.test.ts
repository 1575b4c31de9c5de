import { describe, expect, test } from 'vitest'
import { type Event, MAX_GOSSIP_BYTES } from '../../lib/chat/events.ts'
import type { Clock } from '../../node/clock.ts'
import { createGossiping } from '../../node/gossiping.ts'
import type { Gossip, Network } from '../../node/network/network.ts'

const peer = new Uint8Array(38)
const gossiped = { topic: 'tea', bytes: Uint8Array.of(1), peer }

function carrier() {
  const did: string[] = []
  const events: Event[] = []
  const drops: string[] = []
  const timers = new Set<() => void>()
  const gossip: Gossip = {
    admit: (link, topics) => void did.push(`admit ${link} ${topics.join(' ')}`),
    subscribe: (topic) => void did.push(`subscribe ${topic}`),
    unsubscribe: (topic) => void did.push(`unsubscribe ${topic}`),
    publish: async (topic, bytes) => void did.push(`publish ${topic} ${bytes.length}`),
  }
  const clock: Clock = {
    now: () => 0,
    at(_time, run) {
      timers.add(run)
      return () => timers.delete(run)
    },
    soon: (run) => run(),
  }
  const gossiping = createGossiping({
    network: { gossip } as unknown as Network,
    clock,
    push: (event) => void events.push(event),
    drop: (reason) => void drops.push(reason),
  })
  const late = (): void => {
    for (const run of timers) run()
  }
  return { gossiping, did, events, drops, timers, late }
}

describe('gossip between machine and network', () => {
  test('waits for the verdict of its own number', async () => {
    const { gossiping, events, timers } = carrier()
    gossiping.perform({ kind: 'subscribe', topic: 'tea' })
    const verdicts = [gossiping.arrived(gossiped), gossiping.arrived({ ...gossiped, bytes: Uint8Array.of(2) })]
    const numbers = events.map((event) => (event.kind === 'gossiped' ? event.number : 0))
    gossiping.perform({ kind: 'gossip-verdict', number: numbers[1] as number, verdict: 'reject' })
    gossiping.perform({ kind: 'gossip-verdict', number: numbers[0] as number, verdict: 'accept' })
    gossiping.perform({ kind: 'gossip-verdict', number: 4711, verdict: 'reject' })
    expect(await Promise.all(verdicts)).toEqual(['accept', 'reject'])
    expect(timers.size).toBe(0)
  })

  test('is ignored and counted when no verdict comes in time', async () => {
    const { gossiping, events, drops, late } = carrier()
    gossiping.perform({ kind: 'subscribe', topic: 'tea' })
    const verdict = gossiping.arrived(gossiped)
    late()
    expect([await verdict, drops]).toEqual(['ignore', ['gossip-late']])
    const [event] = events
    // Whoever answers after all answers nobody.
    if (event?.kind === 'gossiped')
      gossiping.perform({ kind: 'gossip-verdict', number: event.number, verdict: 'accept' })
  })

  test('of a topic that nobody subscribed to is not shown to the machine', async () => {
    const { gossiping, events } = carrier()
    gossiping.perform({ kind: 'subscribe', topic: 'coffee' })
    expect(await gossiping.arrived(gossiped)).toBe('ignore')
    gossiping.perform({ kind: 'unsubscribe', topic: 'coffee' })
    expect(await gossiping.arrived({ ...gossiped, topic: 'coffee' })).toBe('ignore')
    expect(events).toEqual([])
  })

  test('waits in a crowd that has an end', async () => {
    const { gossiping, events, drops } = carrier()
    gossiping.perform({ kind: 'subscribe', topic: 'tea' })
    for (let i = 0; i < 256; i++) void gossiping.arrived(gossiped)
    expect(await gossiping.arrived(gossiped)).toBe('ignore')
    expect([events.length, drops]).toEqual([256, ['gossip-crowd']])
  })

  test.each([0, MAX_GOSSIP_BYTES + 1])('of %i bytes is refused before it is published', async (length) => {
    const { gossiping, did, drops } = carrier()
    await gossiping.publish('tea', new Uint8Array(length))
    expect([did, drops]).toEqual([[], ['gossip-size']])
    await gossiping.publish('tea', new Uint8Array(MAX_GOSSIP_BYTES))
    expect(did).toEqual([`publish tea ${MAX_GOSSIP_BYTES}`])
  })

  test('of a machine that is gone is ignored, and its topics are left', async () => {
    const { gossiping, did } = carrier()
    gossiping.perform({ kind: 'subscribe', topic: 'tea' })
    gossiping.perform({ kind: 'gossip-peer', link: 3, topics: ['tea'] })
    const verdict = gossiping.arrived(gossiped)
    gossiping.reset()
    expect(await verdict).toBe('ignore')
    expect(did).toEqual(['subscribe tea', 'admit 3 tea', 'unsubscribe tea'])
  })
})
