import { RPC } from '@libp2p/gossipsub/message'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, test } from 'vitest'
import { utf8 } from '../../../lib/bytes.ts'
import { MAX_GOSSIP_BYTES } from '../../../lib/chat/events.ts'
import { encodeMessages } from '../../../node/network/framing.ts'
import { GOSSIP_PROTOCOL } from '../../../node/network/gossip.ts'
import { admit, connect, createOutsider, group, heard, joined, linksTo } from '../../support/gossip.ts'
import { createCircle, createMember } from '../../support/gossip-hosts.ts'
import { signal, standstill, startNetwork, stopAll, targetOf, type TestNetwork, until } from '../../support/network.ts'

const started: TestNetwork[] = []

async function members(count: number, transport: 'memory' | 'tcp' = 'memory'): Promise<TestNetwork[]> {
  const all = await Promise.all(Array.from({ length: count }, () => startNetwork({ transport })))
  started.push(...all)
  return all
}

afterEach(() => stopAll(started.splice(0)))

const say = ({ network }: TestNetwork, text: string, topic = 'tea'): Promise<void> =>
  network.gossip.publish(topic, utf8(text))

const addressOf = ({ network }: TestNetwork): string => network.addressTexts()[0] as string

/** What a member says first: that it takes part in topics, wants to have everything, and has something. */
function greeting(...topics: string[]): Uint8Array {
  const rpc = RPC.encode({
    subscriptions: topics.map((topic) => ({ topic, subscribe: true })),
    messages: topics.map((topic) => ({ topic, data: utf8('from outside') })),
    control: { ihave: [], iwant: [], graft: topics.map((topicID) => ({ topicID })), prune: [], idontwant: [] },
  })
  return encodeMessages([rpc], 1 << 20)
}

describe.each(['memory', 'tcp'] as const)('gossip over %s', (transport) => {
  test('reaches every other member once, and shows nothing at all to peers who are none', async () => {
    const all = await members(3, transport)
    const [a, b, c] = all as [TestNetwork, TestNetwork, TestNetwork]
    await using plain = await createOutsider(transport, null, ['tea'])
    await using posing = await createOutsider(transport, [GOSSIP_PROTOCOL], ['tea'])
    const [stranger] = (await members(1, transport)) as [TestNetwork]
    for (const member of all) {
      for (const { host } of [plain, posing]) await host.dial(multiaddr(addressOf(member)))
      await stranger.network.dial(targetOf(member), signal())
      stranger.network.gossip.subscribe('tea')
      // It believes that they are members; they do not.
      admit(stranger, member, 'tea')
    }
    await group(all, 'tea')
    await joined(a, [b, c])
    for (const outsider of [plain, posing]) {
      for (const member of all) {
        for (const protocol of [GOSSIP_PROTOCOL, '/meshsub/1.1.0', '/floodsub/1.0.0'])
          await outsider.push(addressOf(member), protocol, greeting('tea'))
      }
      await outsider.host.services.pubsub.publish('tea', utf8('from outside'))
    }
    await say(stranger, 'from outside')
    for (const [i, member] of all.entries()) await say(member, `text ${i}`)
    await until(() => all.every((member) => heard(member).filter((text) => text.startsWith('text')).length === 2))
    await standstill(() => all.reduce((sum, { gossiped }) => sum + gossiped.length, 0))
    expect(plain.learnt).toEqual([])
    expect(posing.learnt).toEqual([])
    expect(stranger.gossiped).toEqual([])
    expect(all.flatMap((member) => heard(member))).not.toContain('from outside')
    for (const [i, member] of all.entries()) {
      const texts = heard(member).filter((text) => text.startsWith('text'))
      expect(texts.sort()).toEqual(['text 0', 'text 1', 'text 2'].filter((text) => text !== `text ${i}`))
    }
  })
})

describe('a co-member', () => {
  test('who is removed hears nothing more from that moment on, of a group that goes on under another name either', async () => {
    const all = await members(3)
    const [a, b, c] = all as [TestNetwork, TestNetwork, TestNetwork]
    await group(all, 'tea', 'coffee')
    await joined(a, [b, c])
    await joined(a, [b, c], 'coffee')
    const before = c.gossiped.length
    // Of two groups c stays in one.
    for (const one of [a, b]) {
      admit(one, c, 'coffee')
      one.network.gossip.subscribe('tea, the next')
    }
    admit(a, b, 'tea', 'coffee', 'tea, the next')
    admit(b, a, 'tea', 'coffee', 'tea, the next')
    await say(a, 'without c')
    // It knows the name, and is sure that it belongs there.
    c.network.gossip.subscribe('tea, the next')
    for (const one of [a, b]) admit(c, one, 'tea', 'coffee', 'tea, the next')
    await joined(a, [b], 'tea, the next')
    await say(a, 'without c', 'tea, the next')
    await say(c, 'from c')
    await say(c, 'from c', 'tea, the next')
    await say(b, 'with c', 'coffee')
    await until(() => heard(b).includes('without c') && heard(c, 'coffee').includes('with c'))
    await standstill(() => all.reduce((sum, { gossiped }) => sum + gossiped.length, 0))
    expect(c.gossiped.slice(before).filter(({ topic }) => topic !== 'coffee')).toEqual([])
    expect(
      all.flatMap(({ gossiped }) => gossiped).filter(({ bytes }) => Buffer.from(bytes).equals(utf8('from c'))),
    ).toEqual([])
  })

  test('who is no member of any group any more is forgotten, and its streams end', async () => {
    const all = await members(2)
    const [a, b] = all as [TestNetwork, TestNetwork]
    await group(all, 'tea')
    await joined(a, [b])
    const before = b.gossiped.length
    admit(a, b)
    await say(a, 'without b')
    await say(b, 'from b')
    await standstill(() => a.gossiped.length + b.gossiped.length)
    expect(b.gossiped.length).toBe(before)
    expect(heard(a)).not.toContain('from b')
    // It is refused as anybody else is, as often as it tries.
    await until(() => a.drops.includes('gossip-stream'))
  })

  test('who comes back after the connection broke hears what is said then', async () => {
    const all = await members(2)
    const [a, b] = all as [TestNetwork, TestNetwork]
    await group(all, 'tea')
    await joined(a, [b])
    await joined(b, [a])
    a.network.block(b.network.peer)
    await until(() => linksTo(a, b).length + linksTo(b, a).length === 0)
    a.network.unblock(b.network.peer)
    await say(a, 'while b is away')
    await connect(b, a)
    // Whoever was admitted over the old link is not over the new one.
    await say(a, 'before b is known')
    await standstill(() => b.gossiped.length)
    expect(heard(b)).not.toContain('before b is known')
    admit(a, b, 'tea')
    admit(b, a, 'tea')
    a.gossiped.length = 0
    b.gossiped.length = 0
    await joined(a, [b])
    await joined(b, [a])
  })

  test('is heard as soon as both sides know of each other, whoever knew first', async () => {
    const all = await members(2)
    const [a, b] = all as [TestNetwork, TestNetwork]
    await connect(a, b)
    a.network.gossip.subscribe('tea')
    admit(a, b, 'tea')
    await until(() => b.drops.includes('gossip-stream'))
    b.network.gossip.subscribe('tea')
    admit(b, a, 'tea')
    await joined(a, [b])
    await joined(b, [a])
  })

  test('is heard in another group that it shares from then on', async () => {
    const all = await members(2)
    const [a, b] = all as [TestNetwork, TestNetwork]
    await group(all, 'tea')
    await joined(a, [b])
    b.network.gossip.subscribe('coffee')
    admit(b, a, 'tea', 'coffee')
    // It says that it takes part before the other one knows that it may.
    await joined(b, [a])
    a.network.gossip.subscribe('coffee')
    admit(a, b, 'tea', 'coffee')
    await joined(a, [b], 'coffee')
    await joined(b, [a], 'coffee')
  })
})

describe('a co-member with a gossipsub of its own', () => {
  test('learns of the topics that it shares and of no other, and gets nothing of one whose name it knows', async () => {
    await using host = await createMember('tea')
    host.subscribe('coffee')
    await using member = await createOutsider('memory', [GOSSIP_PROTOCOL], ['tea', 'coffee'])
    await member.host.dial(multiaddr(host.address))
    await until(() => member.learnt.includes('subscription tea'))
    void member.push(host.address, GOSSIP_PROTOCOL, greeting('coffee'))
    let tries = 0
    await until(() => {
      void host.publish('coffee', utf8(`coffee ${++tries}`))
      void host.publish('tea', utf8(`tea ${tries}`))
      return member.learnt.filter((line) => line === 'message tea').length > 20
    })
    expect(new Set(member.learnt)).toEqual(new Set(['subscription tea', 'graft tea', 'message tea']))
    expect(host.heard).toEqual([])
  })

  test('hands over nothing that is too long, empty or names somebody, nor anything that is no gossip', async () => {
    await using host = await createMember('tea')
    await using member = await createOutsider('memory', [GOSSIP_PROTOCOL], ['tea'])
    const { pubsub } = member.host.services
    await member.host.dial(multiaddr(host.address))
    await until(() => member.learnt.includes('subscription tea'))
    await pubsub.publish('tea', new Uint8Array(MAX_GOSSIP_BYTES + 1))
    await pubsub.publish('tea', new Uint8Array(0))
    const named = RPC.encode({
      subscriptions: [],
      messages: [{ topic: 'tea', data: utf8('named'), from: member.host.peerId.toMultihash().bytes }],
    })
    const fine = RPC.encode({ subscriptions: [], messages: [{ topic: 'tea', data: utf8('fine') }] })
    void member.push(host.address, GOSSIP_PROTOCOL, encodeMessages([named, fine], 1 << 20))
    await until(() => host.heard.length > 0)
    // The stream ends, and with it what follows.
    await member.push(host.address, GOSSIP_PROTOCOL, encodeMessages([new Uint8Array(9).fill(0xff), fine], 1 << 20))
    expect(host.heard).toEqual(['fine'])
  })
})

describe('what a co-member hands over', () => {
  test.each(['ignore', 'reject'] as const)('goes no further when it is said to %s it', async (verdict) => {
    const [a, b, c] = (await members(3)) as [TestNetwork, TestNetwork, TestNetwork]
    await group([a, b], 'tea')
    await group([b, c], 'tea')
    await joined(a, [b, c])
    b.onGossip = async ({ bytes }) => (new TextDecoder().decode(bytes) === 'bad' ? verdict : 'accept')
    await say(a, 'bad')
    await say(a, 'good')
    await until(() => heard(c).includes('good'))
    expect(heard(b)).toContain('bad')
    expect(heard(c)).not.toContain('bad')
  })

  test('is not listened to any more after many messages that were rejected', async () => {
    const [a, b] = (await members(2)) as [TestNetwork, TestNetwork]
    await group([a, b], 'tea')
    await joined(a, [b])
    b.onGossip = async () => 'reject'
    let said = 0
    await until(() => {
      if (said - heard(b).filter((text) => text.startsWith('bad')).length > 50) return true
      void say(a, `bad ${++said}`)
      return false
    })
    expect(heard(b).length).toBeGreaterThan(15)
  })

  test('waits while the verdict does, and then everything comes', async () => {
    const [a, b] = (await members(2)) as [TestNetwork, TestNetwork]
    await group([a, b], 'tea')
    await joined(a, [b])
    let go = (): void => undefined
    const before = b.gossiped.length
    b.onGossip = () => new Promise((done) => (go = () => done('accept')))
    for (let i = 0; i < 100; i++) await say(a, `text ${i}`)
    await until(() => b.gossiped.length === before + 1)
    await standstill(() => b.gossiped.length)
    expect(b.gossiped.length).toBe(before + 1)
    b.onGossip = async () => 'accept'
    go()
    await until(() => b.gossiped.length === before + 100)
  })

  test('may be as long as the longest gossip', async () => {
    const [a, b] = (await members(2)) as [TestNetwork, TestNetwork]
    await group([a, b], 'tea')
    await joined(a, [b])
    await a.network.gossip.publish('tea', new Uint8Array(MAX_GOSSIP_BYTES).fill(7))
    await until(() => b.gossiped.some(({ bytes }) => bytes.length === MAX_GOSSIP_BYTES))
  })

  test('of the same bytes in two groups is not the same', async () => {
    const [a, b] = (await members(2)) as [TestNetwork, TestNetwork]
    await group([a, b], 'tea', 'coffee')
    await joined(a, [b])
    await joined(a, [b], 'coffee')
    await say(a, 'twice', 'coffee')
    await say(a, 'twice', 'tea')
    await until(() => heard(b).includes('twice') && heard(b, 'coffee').includes('twice'))
  })
})

describe('gossip of many', () => {
  test('reaches all five whoever publishes', async () => {
    const all = await members(5)
    await group(all, 'tea')
    for (const one of all)
      await joined(
        one,
        all.filter((other) => other !== one),
      )
    for (const [i, one] of all.entries()) await say(one, `text ${i}`)
    await until(() => all.every((one, i) => [0, 1, 2, 3, 4].every((j) => i === j || heard(one).includes(`text ${j}`))))
  })

  test('reaches all fifty who are connected to ten others each', { timeout: 120_000 }, async () => {
    const all = await createCircle(50, () => createMember('tea'))
    try {
      let tries = 0
      let next = 0
      await until(() => {
        if (all.every(({ heard }, i) => i === 0 || heard.length > 0)) return true
        if (performance.now() < next) return false
        next = performance.now() + 1_000
        void all[0]?.publish('tea', utf8(`joined ${++tries}`))
        return false
      }, 60_000)
      for (const i of [7, 14, 21, 28, 35, 42, 49]) {
        await all[i]?.publish('tea', utf8(`text ${i}`))
        await until(() => all.every(({ heard }, j) => i === j || heard.includes(`text ${i}`)), 30_000)
      }
    } finally {
      await stopAll(all)
    }
  })
})
