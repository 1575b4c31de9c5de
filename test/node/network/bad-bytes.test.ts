import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { createMesh } from '../../../node/mesh/index.ts'
import { CHAT_PROTOCOL } from '../../../node/network/chat-stream.ts'
import { encodeMessages } from '../../../node/network/framing.ts'
import { createLibp2pServer } from '../../../node/mesh/hostile/libp2p-server.ts'
import { signal, until, watchRejections } from '../../support/network.ts'
import { casesOf, FAMILIES } from '../../fuzz/cases.ts'
import type { Target } from '../../fuzz/target.ts'
import { TARGETS } from '../../fuzz/targets/index.ts'

/** The whole of what a stranger sends on one stream: a nonce, then something. */
const opening = encodeMessages([new Uint8Array(32).fill(1)])
const seedsOf = (name: string): readonly Uint8Array[] => TARGETS.find((target) => target.name === name)?.seeds ?? []

/** Streams that break the framing, and streams whose messages break what is inside. */
function* badStreams(): Generator<Uint8Array> {
  const [stream] = seedsOf('stream-of-messages').slice(-1)
  const message = seedsOf('link-message-of-stranger')[0]
  if (stream === undefined || message === undefined) throw new Error('expected seeds')
  const target = (seed: Uint8Array): Target => ({
    name: 'a',
    covers: [],
    seeds: [seed],
    dear: true,
    run: () => 'refused',
  })
  for (const family of Object.keys(FAMILIES)) {
    let count = 0
    for (const { input } of casesOf(target(stream), family)) {
      const bytes = input()
      if (count++ % 6 === 0 && bytes.length > 0 && bytes.length < 2_000) yield bytes
    }
    for (const { input } of casesOf(target(message), family)) {
      const bytes = input()
      if (count++ % 6 === 0 && bytes.length > 0 && bytes.length < 20_000) {
        yield new Uint8Array(Buffer.concat([opening, encodeMessages([bytes])]))
      }
    }
  }
}

test('a node that gets hundreds of bad streams drops them, counts them, and goes on with its contacts', async () => {
  using rejections = watchRejections()
  await using mesh = await createMesh({ nodes: ['alice', 'bob'], network: 'memory', contacts: true })
  await mesh.settled()
  await using hostile = await createLibp2pServer(mesh.bootstrap.addresses().map((text) => multiaddr(text).bytes))
  // the next to listen after the bootstrap node; the memory transport does not ask for its name
  const [first = ''] = mesh.bootstrap.addresses()
  const next = first.replace(/-(\d+)\/p2p\/.*$/, (_, number) => `-${Number(number) + 1}`)
  const connection = await hostile.dial(multiaddr(next))
  const people = [mesh.person('alice'), mesh.person('bob')]
  const victim = people.find(({ identity }) => identity.peerId === connection.remotePeer.toString())
  const friend = people.find((node) => node !== victim)
  if (victim === undefined || friend === undefined) throw new Error('expected to meet one of the two')
  const [victimName, friendName] = victim === people[0] ? ['alice', 'bob'] : ['bob', 'alice']
  const drops = async (): Promise<number> =>
    Object.values((await victim.status()).dropped).reduce((sum, count) => sum + count, 0)
  const before = await drops()
  let streams = 0
  for (const bytes of badStreams()) {
    const stream = await connection.newStream(CHAT_PROTOCOL, { ...signal(), maxOutboundStreams: 100 })
    streams++
    stream.send(bytes)
    await stream.close(signal())
    await until(() => stream.status !== 'open')
    if (streams % 50 === 0) await friend.send(victimName, `${streams}`)
  }
  await mesh.settled()
  expect(streams).toBeGreaterThan(150)
  const messages = await victim.messages(friendName, { last: 100 })
  expect(messages.map(({ text }) => text)).toEqual(
    Array.from({ length: Math.floor(streams / 50) }, (_, i) => `${(i + 1) * 50}`),
  )
  expect(await victim.contacts.list()).toHaveLength(1)
  expect(await victim.contacts.requests()).toEqual([])
  const { dropped } = await victim.status()
  expect(dropped['link-framing']).toBeGreaterThan(10)
  expect(dropped['defect'] ?? 0).toBe(0)
  expect(dropped['link-handler'] ?? 0).toBe(0)
  expect((await drops()) - before).toBeGreaterThanOrEqual(streams / 2)
  expect(rejections.seen).toEqual([])
})
