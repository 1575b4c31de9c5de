import { Record as DhtRecord } from '@libp2p/kad-dht'
import { multiaddr } from '@multiformats/multiaddr'
import { concat, utf8 } from '../../../lib/bytes.ts'
import { splitFrame } from '../../../lib/session/frame.ts'
import { splitPrefix } from '../../../lib/session/prefix.ts'
import { LINK_NONCE_BYTES } from '../../../lib/session/link-proof.ts'
import { native } from '../../../node/crypto.ts'
import { peerText, withPeer } from '../../../node/network/addresses.ts'
import { createMessageSplitter, encodeMessages } from '../../../node/network/framing.ts'
import { aboutTopics, decodeRpc, encodeRpc, subscriptionsOf } from '../../../node/network/gossip-rpc.ts'
import { createGuardedRows, keyText } from '../../../node/network/guarded-datastore.ts'
import { readPrivateKey } from '../../../node/network/network-options.ts'
import { createSlotStore, protocolSlotRules, rememberingLast } from '../../../node/network/slot-store.ts'
import { sealSlot } from '../../../lib/identity/slot.ts'
import { dayOf } from '../../../lib/identity/time.ts'
import { deviceRecordOf, NOW, selfOf } from '../../support/identity.ts'
import { acquaint, createWorld, say } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'
import type { Outcome, Target } from '../target.ts'

const random = seededRandom('fuzz network')
const peer = concat(Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20), random.bytes(32))
const ada = selfOf(native, 'ada')
const slot = sealSlot(native, random, {
  accountKey: ada.accountKey,
  secret: random.bytes(32),
  day: dayOf(NOW),
  now: NOW,
  lastRev: null,
  accountRecord: ada.accountRecord.bytes,
  deviceRecord: deviceRecordOf(native, ada).bytes,
})
const envelope = new DhtRecord(utf8(slot.key), slot.value, new Date(NOW)).serialize().slice()

const slots = createSlotStore({
  rules: rememberingLast(protocolSlotRules(native)),
  primitives: native,
  self: peer,
  maxRecords: 8,
  maxRecordBytes: 100_000,
  now: () => NOW,
})
let drops = 0
const rows = createGuardedRows<string>({ slots, selfRow: '/peers/self', dropped: () => void drops++, now: () => NOW })

const messages = [new Uint8Array(32).fill(1), new Uint8Array(200).fill(2), new Uint8Array(20_000).fill(3)]
const stream = encodeMessages(messages)

function cut(chunks: readonly Uint8Array[]): { whole: Uint8Array[]; left: number } {
  const splitter = createMessageSplitter()
  const whole: Uint8Array[] = []
  for (const chunk of chunks) {
    splitter.push(chunk)
    for (let message = splitter.next(); message !== undefined; message = splitter.next()) whole.push(message)
  }
  return { whole, left: splitter.buffered }
}

/** A machine with a contact, to whom a stranger speaks on one new link after the other. */
const world = createWorld('fuzz links')
const [alice, bob] = [world.person('alice'), world.person('bob')] as const
world.advance(2_000)
acquaint(world, alice, bob)
say(alice, bob, 'hello')
world.advance(60_000)
const real = alice.sends.map(({ bytes }) => bytes).filter((bytes) => bytes.length !== LINK_NONCE_BYTES)
const realKinds = [1, 2, 3, 4].flatMap((type) => real.filter((bytes) => bytes[0] === type).slice(-2))
let lastLink = 1_000_000

/** What a stranger's bytes make the machine do besides counting: nothing, or it shows here. */
function strangerSays(first: Uint8Array, bytes: Uint8Array): string[] {
  const link = lastLink++
  const done: string[] = []
  const turn = (event: Parameters<typeof bob.chat.handle>[0]): void => {
    const effects = [...bob.chat.handle(event, world.now), ...bob.chat.handle({ kind: 'settle' }, world.now)]
    for (const { kind } of effects) if (!HARMLESS.has(kind)) done.push(kind)
  }
  turn({ kind: 'opened', link, dialer: false, peer: utf8('stranger') })
  done.length = 0
  turn({ kind: 'message', link, bytes: first })
  turn({ kind: 'message', link, bytes })
  turn({ kind: 'closed', link })
  return done
}

const HARMLESS: ReadonlySet<string> = new Set(['count', 'timer', 'close'])

/** All of a message up to the body of its frame: by this much a frame that was opened is known again. */
function known(bytes: Uint8Array): Uint8Array {
  const frame = bytes[0] === 1 ? splitPrefix(bytes).frame : bytes
  return bytes.subarray(0, bytes.length - (splitFrame(frame)?.body.length ?? 0))
}

const heads = real.filter((bytes) => (bytes[0] as number) < 4).map(known)
const isRepeated = (input: Uint8Array): boolean =>
  heads.some((head) => Buffer.compare(head, input.subarray(0, head.length)) === 0)

const gossip = [
  subscriptionsOf(['tea', 'coffee'], true),
  {
    subscriptions: [],
    messages: ['tea', 'coffee'].map((topic) => ({ topic, data: new Uint8Array(300).fill(7) })),
    control: {
      ihave: [{ topicID: 'tea', messageIDs: [random.bytes(32)] }],
      iwant: [{ messageIDs: [random.bytes(32)] }],
      graft: [{ topicID: 'coffee' }],
      prune: [{ topicID: 'tea', peers: [{ peerID: peer }], backoff: 10 }],
      idontwant: [{ messageIDs: [random.bytes(32)] }],
    },
  },
].flatMap((rpc) => encodeRpc(rpc))

/** What arrives over connections. */
export const networkTargets: readonly Target[] = [
  {
    name: 'stream-of-messages',
    covers: ['node/network/framing.ts#createMessageSplitter'],
    seeds: [stream, encodeMessages(messages.slice(0, 2))],
    run(input) {
      const { whole, left } = cut([input])
      const middle = Math.floor(input.length / 3)
      const pieces = cut([input.subarray(0, middle), input.subarray(middle, middle + 1), input.subarray(middle + 1)])
      if (pieces.left !== left || pieces.whole.length !== whole.length) return utf8('other messages in other chunks')
      const rest = input.subarray(input.length - left)
      return whole.length === 0 ? concat(rest) : concat(encodeMessages(whole), rest)
    },
  },
  {
    name: 'link-message-of-stranger',
    covers: ['lib/chat.ts#createChat'],
    refusesSeeds: 'what was answered once is dropped when it comes again',
    seeds: realKinds,
    dear: true,
    maxMs: 100,
    loose: 'it is dropped, or answered like the message that it begins with, as one that came twice',
    run(input) {
      const done = strangerSays(new Uint8Array(LINK_NONCE_BYTES), input)
      return done.length === 0 ? 'refused' : isRepeated(input) ? 'accepted' : utf8(done.join(' '))
    },
  },
  {
    name: 'link-nonce-of-stranger',
    covers: ['lib/chat.ts#createChat'],
    seeds: [new Uint8Array(LINK_NONCE_BYTES).fill(3)],
    dear: true,
    maxMs: 100,
    loose: 'any 32 bytes are a nonce',
    run(input) {
      const done = strangerSays(input, new Uint8Array(17).fill(4))
      return done.length === 0 ? 'accepted' : utf8(done.join(' '))
    },
  },
  {
    name: 'gossip-of-member',
    covers: ['node/network/gossip-rpc.ts#decodeRpc'],
    seeds: gossip,
    dear: true,
    loose: 'the format is of libp2p, and what is about other topics is left out',
    refuses: (error) => error instanceof Error,
    run(input) {
      const kept = aboutTopics(decodeRpc(input), (topic) => topic === 'tea')
      if (kept === null) return 'accepted'
      const topics = encodeRpc(kept).flatMap((bytes) => {
        const { subscriptions, messages, control } = decodeRpc(bytes)
        const named = [...(control?.ihave ?? []), ...(control?.graft ?? []), ...(control?.prune ?? [])]
        return [...subscriptions, ...messages].map(({ topic }) => topic).concat(named.map(({ topicID }) => topicID))
      })
      return topics.every((topic) => topic === 'tea') ? 'accepted' : utf8('another topic')
    },
  },
  {
    name: 'dht-key',
    covers: ['node/network/guarded-datastore.ts#keyText'],
    seeds: [utf8(slot.key)],
    text: true,
    run: (input) => utf8(keyText(input)),
  },
  {
    name: 'dht-record',
    covers: ['node/network/guarded-datastore.ts#createGuardedRows'],
    seeds: [envelope],
    dear: true,
    loose: 'the envelope is of libp2p, whose format has more than one form',
    // The envelope is read by libp2p, and the store refuses by throwing: what it throws goes back to libp2p alone.
    refuses: (error) => error instanceof Error && drops > 0,
    run(input) {
      drops = 0
      rows.put('/dht/record/row', input, 'row')
      const held = slots.get(slot.key)?.value
      return held !== undefined && Buffer.compare(held, slot.value) === 0 ? 'accepted' : utf8('another value')
    },
  },
  {
    name: 'address',
    covers: ['node/network/addresses.ts#withPeer'],
    seeds: ['/ip4/192.0.2.1/tcp/4001', '/ip6/2001:db8::1/tcp/4001', '/memory/name', '/dns4/example.org/tcp/1'].map(
      (text) => multiaddr(text).bytes.slice(),
    ),
    dear: true,
    loose: 'the format is of libp2p',
    refuses: (error) => error instanceof Error,
    run(input) {
      withPeer(input, peer).toString()
      return 'accepted'
    },
  },
  {
    name: 'peer-id',
    covers: ['node/network/addresses.ts#peerText'],
    seeds: [peer],
    dear: true,
    loose: 'any 32 bytes are a key until it signs',
    refuses: (error) => error instanceof Error,
    run(input) {
      peerText(input)
      return 'accepted'
    },
  },
  {
    name: 'transport-key',
    covers: ['node/network/network-options.ts#readPrivateKey'],
    seeds: [random.bytes(32)],
    dear: true,
    loose: 'libp2p has a second form',
    refuses: (error) => error instanceof TypeError,
    run(input): Outcome {
      readPrivateKey(input, native)
      return 'accepted'
    },
  },
]
