import { concat, toHex, utf8 } from '../../../lib/bytes.ts'
import { createChat } from '../../../lib/chat.ts'
import { decodeSent, encodeSent } from '../../../lib/chat/sent.ts'
import { decodeContactRow, encodeContactRow } from '../../../lib/chat/contact-row.ts'
import { decodeBirth, encodeBirth } from '../../../lib/chat/birth.ts'
import { decodeDevices, encodeDevices } from '../../../lib/chat/devices.ts'
import { decodeExpiry, encodeExpiry } from '../../../lib/chat/expiring.ts'
import { decodeHead, encodeHead, NEW_HEAD } from '../../../lib/chat/head.ts'
import { HELD_RANGES, heldRows, readMachine } from '../../../lib/chat/loading.ts'
import type { ChatOptions } from '../../../lib/chat/machine.ts'
import { decodeOutbox, encodeOutbox } from '../../../lib/chat/outbox.ts'
import { decodeOwnInvite, encodeOwnInvite } from '../../../lib/chat/invites.ts'
import { decodeSettings } from '../../../lib/chat/own.ts'
import { decodePublications } from '../../../lib/chat/publications.ts'
import {
  decodeDrive,
  decodeEntry,
  decodeSeenPrefix,
  encodeDrive,
  encodeEntry,
  encodeSeenPrefix,
} from '../../../lib/chat/session-entry.ts'
import { createSelf } from '../../../lib/identity/self.ts'
import type { Row } from '../../../lib/rows.ts'
import { asArray, asBytes, asUint, decode, encode } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { acquaint, createWorld, say } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'
import { remembering } from '../quick-primitives.ts'
import type { Target } from '../target.ts'

const random = seededRandom('fuzz rows')

/** What a machine keeps that has met somebody, been asked by another, and has something left to deliver. */
const world = createWorld('fuzz rows')
const [alice, bob, carol] = [world.person('alice'), world.person('bob'), world.person('carol')] as const
world.advance(2_000)
acquaint(world, alice, bob)
say(alice, bob, 'hello')
say(bob, alice, 'hello you')
world.advance(60_000)
const before = [...alice.rows.values()]
const invite = alice.command({ kind: 'invite', addresses: [] })
if (invite.kind !== 'invite') throw new Error('expected an invite')
world.advance(10_000)
carol.command({ kind: 'add', link: invite.link, petname: 'alice', hello: 'it is me' })
world.faults.deliver = (_from, to) => to !== bob
world.advance(10_000)
say(alice, bob, 'not yet')
world.advance(10_000)
world.faults.deliver = (_from, to) => to === alice
alice.lose('session')
world.advance(10_000)
const kept: readonly Row[] = [...alice.rows.values()]

function rowsOf(range: Row['range'], from: readonly Row[] = [...kept, ...before]): readonly Uint8Array[] {
  const values = from.flatMap((row) => (row.range === range && row.value !== null ? [row.value] : []))
  const byText = new Map(values.map((value) => [toHex(value), value]))
  return [...byText.values()].slice(0, 4)
}

const selfRow = (name: string): Uint8Array =>
  kept.find(({ range, key }) => range === 'self' && toHex(key) === toHex(utf8(name)))?.value as Uint8Array

const options: ChatOptions = {
  primitives: remembering(native),
  random: seededRandom('fuzz machine'),
  delivery: 'outbox',
  publicMode: 'reachable',
}

/** The held rows as one input: `[[range, key, value]…]`. */
function joined(rows: readonly Row[]): Uint8Array {
  const held = rows.flatMap(({ range, key, value }) => {
    const index = (HELD_RANGES as readonly string[]).indexOf(range)
    return index === -1 || value === null ? [] : [[index, key, value] as const]
  })
  return encode(held)
}

/** Everything that a machine of these rows does by itself. */
function live(input: Uint8Array): void {
  const all = asArray(decode(input, 1 << 20), 'rows').map((item) => {
    const [range, key, value] = asArray(item, 'row', { length: 3 })
    const name = HELD_RANGES[asUint(range, 'range', HELD_RANGES.length - 1)]
    return { range: name, key: asBytes(key, 'key'), value: asBytes(value, 'value') }
  })
  const stored = heldRows((range) => all.filter((row) => row.range === range))
  readMachine(options, stored, world.now)
  const chat = createChat(options, stored, world.now)
  exercise(chat)
}

/** Whatever the rows were: from here on nothing may throw at all. */
function exercise(chat: ReturnType<typeof createChat>): void {
  try {
    const turn = (event: Parameters<typeof chat.handle>[0]): void => {
      chat.handle(event, world.now)
      chat.handle({ kind: 'settle' }, world.now)
    }
    turn({ kind: 'network', peer: utf8('peer'), addresses: [utf8('address')] })
    for (const person of chat.people()) {
      turn({ kind: 'opened', link: 1, dialer: true, peer: utf8('them'), contact: person.id })
      turn({ kind: 'message', link: 1, bytes: new Uint8Array(32) })
      turn({ kind: 'message', link: 1, bytes: new Uint8Array(300).fill(2) })
      turn({ kind: 'timer', key: `resend:${person.id}` })
      turn({ kind: 'timer', key: `gap:${person.id}` })
      turn({ kind: 'closed', link: 1 })
    }
    turn({ kind: 'timer', key: 'upkeep' })
    chat.record()
  } catch (error) {
    throw new TypeError(`out of the handler: ${error instanceof Error ? error.message : ''}`, { cause: error })
  }
}

const id = random.bytes(16)
const session = random.bytes(32)
const outboxEntry = {
  counter: 3,
  order: 9,
  id,
  target: null,
  isVoid: false,
  sealed: null,
  payload: null,
  saved: true,
  left: false,
  leftAt: 0,
}

/** The rows that the machine reads back, one by one and together. */
export const rowTargets: readonly Target[] = [
  {
    name: 'contact-row',
    covers: ['lib/chat/contact-row.ts#decodeContactRow'],
    seeds: rowsOf('contact'),
    run: (input) => encodeContactRow(decodeContactRow(input)),
  },
  {
    name: 'settings-row',
    covers: ['lib/chat/own.ts#decodeSettings'],
    seeds: [selfRow('settings')],
    run(input) {
      const { name, contactSecret } = decodeSettings(input)
      return encode([1, 'settings', name, contactSecret])
    },
  },
  {
    name: 'own-invite-row',
    covers: ['lib/chat/invites.ts#decodeOwnInvite'],
    seeds: [
      encodeOwnInvite({ secret: session, expires: null, once: false, ended: null }),
      encodeOwnInvite({ secret: session, expires: 2 ** 41, once: true, ended: 2 ** 40 }),
    ],
    run: (input) => encodeOwnInvite(decodeOwnInvite(input)),
  },
  {
    name: 'publications-row',
    covers: ['lib/chat/publications.ts#decodePublications'],
    seeds: [selfRow('publications'), encode([1, 'publications', [], []])],
    run(input) {
      const { seqs, revs } = decodePublications(input)
      const all = [...revs.values()].map(({ secretHash, day, rev }) => [secretHash, day, rev])
      return encode([1, 'publications', [...seqs], all])
    },
  },
  {
    name: 'devices-row',
    covers: ['lib/chat/devices.ts#decodeDevices'],
    seeds: [
      encodeDevices({ revokedBy: null, former: [{ did: random.bytes(16), added: null }] }),
      encodeDevices({
        revokedBy: createSelf(native, random, random.bytes(32), 1_780_000_000_000).accountRecord,
        former: [{ did: random.bytes(16), added: 1_780_000_000 }],
      }),
    ],
    run: (input) => encodeDevices(decodeDevices(input)),
  },
  {
    name: 'birth-row',
    covers: ['lib/chat/birth.ts#decodeBirth'],
    seeds: [
      encodeBirth({ at: 1_780_000_000_000, run: null }),
      encodeBirth({ at: 1_780_000_000_000, run: { id: random.bytes(16), began: 1_779_000_000_000 } }),
    ],
    run: (input) => encodeBirth(decodeBirth(input)),
  },
  {
    name: 'head-row',
    covers: ['lib/chat/head.ts#decodeHead'],
    seeds: [
      ...rowsOf('head'),
      encodeHead(NEW_HEAD),
      encodeHead({
        ...NEW_HEAD,
        early: [
          { id, by: null },
          { id, by: random.bytes(16) },
        ],
        settledTo: 4,
      }),
    ],
    run: (input) => encodeHead(decodeHead(input)),
  },
  {
    name: 'outbox-row',
    covers: ['lib/chat/outbox.ts#decodeOutbox'],
    seeds: [
      encodeOutbox(outboxEntry, null),
      encodeOutbox({ ...outboxEntry, target: id, isVoid: true }, null),
      encodeOutbox({ ...outboxEntry, sealed: { session, chain: 4 }, left: true }, random.bytes(60)),
    ],
    run(input) {
      const { entry, frame } = decodeOutbox(3, input)
      return encodeOutbox(entry, frame)
    },
  },
  {
    name: 'sent-row',
    covers: ['lib/chat/sent.ts#decodeSent'],
    seeds: [encodeSent({ order: 5, id, deliveredAt: 1_800_000_000_000, readAt: 0 })],
    loose: 'the two highest bytes of a number are not looked at',
    run: (input) => (decodeSent(input) === null ? 'refused' : 'accepted'),
  },
  {
    name: 'expiry-row',
    covers: ['lib/chat/expiring.ts#decodeExpiry'],
    seeds: [encodeExpiry({ at: 1_800_000_000_000, handle: id, order: 4, duration: 60_000, cause: 'history' })].map(
      ({ key, value }) => concat(key, value),
    ),
    loose: 'the two highest bytes of a number are not looked at',
    run: (input) => (decodeExpiry(input.subarray(0, 32), input.subarray(32)) === null ? 'refused' : 'accepted'),
  },
  {
    name: 'session-entry-row',
    covers: ['lib/chat/session-entry.ts#decodeEntry'],
    seeds: rowsOf('session', before),
    run: (input) => encodeEntry(decodeEntry(input)),
  },
  {
    name: 'drive-row',
    covers: ['lib/chat/session-entry.ts#decodeDrive'],
    seeds: [encodeDrive({ chain: 2, bytes: random.bytes(60), attempts: 0 }) as Uint8Array],
    run: (input) => encodeDrive(decodeDrive(input)) as Uint8Array,
  },
  {
    name: 'seen-prefix-row',
    covers: ['lib/chat/session-entry.ts#decodeSeenPrefix'],
    seeds: [
      encodeSeenPrefix({ contact: id, until: 1_800_000_000_000, answer: random.bytes(40) }),
      encodeSeenPrefix({ contact: null, until: 0, answer: null }),
    ],
    run: (input) => encodeSeenPrefix(decodeSeenPrefix(input)),
  },
  {
    name: 'stored-machine',
    covers: ['lib/chat/loading.ts#readMachine'],
    seeds: [joined(kept), joined(before)],
    dear: true,
    maxMs: 500,
    loose: 'it is a machine and no value',
    run(input) {
      live(input)
      return 'accepted'
    },
  },
]
