import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../lib/bytes.ts'
import type { GossipVerdict } from '../../../lib/chat/events.ts'
import { native } from '../../../node/crypto.ts'
import { createSimulatedClock } from '../../../node/mesh/simulated/clock.ts'
import { createDice } from '../../../node/mesh/simulated/dice.ts'
import { createHistory } from '../../../node/mesh/simulated/history.ts'
import { createInternet, type SimulatedNetwork } from '../../../node/mesh/simulated/network.ts'
import { createWatch } from '../../../node/mesh/simulated/watch.ts'
import type { Link } from '../../../node/network/network.ts'

interface Member {
  readonly network: SimulatedNetwork
  readonly links: Link[]
  readonly heard: string[]
  verdict: GossipVerdict
  die(): void
  /** Admits somebody to topics, over every link to them. */
  admit(other: Member, ...topics: string[]): void
}

async function crowd(names: readonly string[], seed = 1) {
  const clock = createSimulatedClock(0, createDice(`order ${seed}`))
  const history = createHistory(() => clock.now)
  const watch = createWatch()
  const internet = createInternet({
    clock,
    dice: createDice(`network ${seed}`),
    history,
    primitives: native,
    watch,
  })
  const members: Member[] = []
  for (const name of names) {
    const links: Link[] = []
    const heard: string[] = []
    const process = clock.process()
    const network = internet.attach({
      name,
      peer: utf8(name),
      address: utf8(`/${name}`),
      clock: process,
      around: (_effect, run) => run(),
    })
    const member: Member = {
      network,
      links,
      heard,
      verdict: 'accept',
      die() {
        process.kill()
        network.die()
      },
      admit(other, ...topics) {
        for (const link of links) {
          if (Buffer.from(link.remotePeer).equals(other.network.peer)) network.gossip.admit(link.id, topics)
        }
      },
    }
    await network.start({
      opened: (link) => void links.push(link),
      message: () => undefined,
      closed: (link) => void links.splice(links.indexOf(link), 1),
      changed: () => undefined,
      dropped: () => undefined,
      async gossiped({ topic, bytes }) {
        heard.push(`${topic} ${new TextDecoder().decode(bytes)}`)
        return member.verdict
      },
    })
    members.push(member)
  }
  async function connect(one: Member, other: Member): Promise<void> {
    const { peer } = other.network
    const dialled = one.network.dial(
      { peer, addresses: other.network.addresses() },
      { signal: new AbortController().signal },
    )
    await clock.advance(1_000)
    await dialled
  }
  return { clock, history, internet, members, connect }
}

/** Everybody is connected to the next one only, and admits them. */
async function chain(names: readonly string[], seed = 1) {
  const all = await crowd(names, seed)
  const { members, connect } = all
  for (const [i, member] of members.entries()) {
    const next = members[i + 1]
    if (next !== undefined) await connect(member, next)
    member.network.gossip.subscribe('tea')
  }
  for (const member of members) for (const other of members) if (other !== member) member.admit(other, 'tea')
  return all
}

describe('simulated gossip', () => {
  test('goes from one to the next, to everybody once, and not back to who said it', async () => {
    const { clock, members } = await chain(['ann', 'ben', 'cat', 'dan'])
    await members[0]?.network.gossip.publish('tea', utf8('hello'))
    await clock.advance(1_000)
    expect(members.map(({ heard }) => heard)).toEqual([[], ['tea hello'], ['tea hello'], ['tea hello']])
  })

  test.each(['ignore', 'reject'] as const)('goes no further than to who says %s', async (verdict) => {
    const { clock, members } = await chain(['ann', 'ben', 'cat'])
    const [ann, ben, cat] = members as [Member, Member, Member]
    ben.verdict = verdict
    await ann.network.gossip.publish('tea', utf8('hello'))
    await clock.advance(1_000)
    expect([ben.heard.length, cat.heard.length]).toEqual([1, 0])
  })

  test('goes to nobody who is not admitted to the topic, and is taken from nobody who is not', async () => {
    const { clock, members } = await chain(['ann', 'ben'])
    const [ann, ben] = members as [Member, Member]
    const say = async (text: string): Promise<void> => {
      await ann.network.gossip.publish('tea', utf8(text))
      await clock.advance(1_000)
    }
    ann.admit(ben, 'coffee')
    await say('one')
    ann.admit(ben, 'tea')
    ben.admit(ann)
    await say('two')
    ben.admit(ann, 'tea')
    await say('three')
    expect(ben.heard).toEqual(['tea three'])
  })

  test('ends with the link, and begins again with the next one that is admitted', async () => {
    const { clock, members, connect } = await chain(['ann', 'ben'])
    const [ann, ben] = members as [Member, Member]
    ann.links[0]?.close()
    await clock.advance(1_000)
    await ann.network.gossip.publish('tea', utf8('lost'))
    await connect(ben, ann)
    await ann.network.gossip.publish('tea', utf8('still lost'))
    ann.admit(ben, 'tea')
    ben.admit(ann, 'tea')
    await ann.network.gossip.publish('tea', utf8('heard'))
    await clock.advance(1_000)
    expect(ben.heard).toEqual(['tea heard'])
  })

  test('does not cross a way that is cut, and can be lost, doubled and slow by itself', async () => {
    const { clock, internet, members } = await chain(['ann', 'ben'])
    const [ann, ben] = members as [Member, Member]
    const smooth = internet.faults
    internet.cut('ann', 'ben')
    await ann.network.gossip.publish('tea', utf8('cut'))
    await clock.advance(1_000)
    internet.heal()
    internet.faults = { ...smooth, gossip: () => [] }
    await ann.network.gossip.publish('tea', utf8('lost'))
    internet.faults = { ...smooth, latencyMs: () => 5_000, gossip: (_from, _to, bytes) => [bytes, bytes] }
    await ann.network.gossip.publish('tea', utf8('twice'))
    await clock.advance(4_000)
    expect(ben.heard).toEqual([])
    expect(internet.underWay).toBe(2)
    await clock.advance(2_000)
    expect(ben.heard).toEqual(['tea twice'])
    expect(internet.underWay).toBe(0)
  })

  test('on its way to a process that dies is under way no longer', async () => {
    const { clock, internet, members } = await chain(['ann', 'ben'])
    const [ann, ben] = members as [Member, Member]
    await ann.network.gossip.publish('tea', utf8('hello'))
    ben.die()
    await clock.advance(1_000)
    expect(internet.underWay).toBe(0)
  })

  test('has one history for one seed', async () => {
    const play = async (seed: number): Promise<string> => {
      const { clock, history, members } = await chain(['ann', 'ben', 'cat', 'dan'], seed)
      for (const [i, { network }] of members.entries()) await network.gossip.publish('tea', utf8(`hello ${i}`))
      await clock.advance(5_000)
      return history.digest()
    }
    expect(await play(7)).toBe(await play(7))
    expect(await play(8)).not.toBe(await play(7))
  })
})
