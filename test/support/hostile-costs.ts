import { concat, u32be, u64be, utf8 } from '../../lib/bytes.ts'
import { signedMessage } from '../../lib/crypto/signed.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { SLOT_CT_SIZES, slotKeyOf } from '../../lib/identity/slot-value.ts'
import { dayOf } from '../../lib/identity/time.ts'
import { encodeEntry, newEntry } from '../../lib/chat/session-entry.ts'
import { linkProof } from '../../lib/session/link-proof.ts'
import type { Row } from '../../lib/rows.ts'
import { encode } from '../../lib/wire.ts'
import { native } from '../../node/crypto.ts'
import { createNewcomer, type Newcomer, rowsOfContact } from '../../node/mesh/acquaintance.ts'
import {
  beginSession,
  ephemeralOf,
  type HandmadeSession,
  initiatorOf,
  inventSelf,
  prekeyOf,
  requestPayload,
  textPayload,
} from '../../node/mesh/hostile/handmade.ts'
import { createSlotStore, protocolSlotRules } from '../../node/network/slot-store.ts'
import { type BareMachine, machineOf } from './hostile-machine.ts'
import { seededRandom } from './random.ts'

/** What one hostile message makes a node do. */
export interface Attempt {
  readonly who: 'stranger' | 'contact' | 'DHT'
  readonly what: string
  /** Makes so many messages, which costs the attacker, and gives what has the node handle them. */
  prepare(count: number): () => void
}

/** Calls of the primitives that cost more than a hash. */
export type Operations = Record<'agree' | 'decapsulate' | 'verify' | 'hmac' | 'hash' | 'open' | 'seal', number>

/** The same primitives, which count. */
export function counting(primitives: Primitives): { primitives: Primitives; operations: Operations } {
  const operations: Operations = { agree: 0, decapsulate: 0, verify: 0, hmac: 0, hash: 0, open: 0, seal: 0 }
  const counted =
    <A extends readonly unknown[], R>(name: keyof Operations, call: (...args: A) => R) =>
    (...args: A): R => {
      operations[name]++
      return call(...args)
    }
  const { dh, kem, signing, aesGcm, chacha, xchacha } = primitives
  const aead = (each: typeof aesGcm): typeof aesGcm => ({
    open: counted('open', each.open),
    seal: counted('seal', each.seal),
  })
  return {
    operations,
    primitives: {
      ...primitives,
      sha256: counted('hash', primitives.sha256),
      hmac: counted('hmac', primitives.hmac),
      dh: { ...dh, agree: counted('agree', dh.agree) },
      kem: { ...kem, decapsulate: counted('decapsulate', kem.decapsulate) },
      signing: { ...signing, verifyCofactorless: counted('verify', signing.verifyCofactorless) },
      aesGcm: aead(aesGcm),
      chacha: aead(chacha),
      xchacha: aead(xchacha),
    },
  }
}

const NOW = Date.UTC(2026, 5, 1, 9)
const CONTACTS = 100
const SESSIONS = 2

/** Bob with a hundred contacts, each with two sessions, and 200 requests, so that there is no room for another. */
export function hostileBob(): {
  readonly bob: Newcomer
  readonly carol: Newcomer
  readonly machine: BareMachine
  readonly primitives: Primitives
  readonly operations: Operations
  /** With whose keys a proof is compared. */
  readonly sessions: number
  /** A request of a new account. */
  stranger(): Uint8Array
} {
  const random = seededRandom('costs')
  const bob = createNewcomer('bob', random, NOW)
  const carol = createNewcomer('carol', random, NOW)
  const rows: Row[] = [...rowsOfContact(carol, { place: null, random, now: NOW })]
  for (let i = 0; i < CONTACTS - 1; i++) {
    const other = createNewcomer(`contact ${i}`, random, NOW)
    const own = rowsOfContact(other, { place: null, random, now: NOW })
    const handle = (own[0] as Row).key
    rows.push(...own)
    for (let n = 0; n < SESSIONS; n++) {
      const { session } = beginSession(native, random, { from: initiatorOf(native, bob.self), to: other, gen: NOW + n })
      const value = encodeEntry(newEntry(session, NOW, NOW))
      rows.push({ range: 'session', key: concat(handle, session.id), value })
    }
  }
  const { primitives, operations } = counting(native)
  const machine = machineOf(bob, NOW, { rows, primitives })
  const stranger = (): Uint8Array => {
    const from = initiatorOf(native, inventSelf(native, random, NOW))
    return beginSession(native, random, { from, to: bob, gen: NOW }).seal(requestPayload(), textPayload('hello', 1))
  }
  for (let i = 0; i < 200; i++) machine.hear(`request ${i}`, stranger())
  return { bob, carol, machine, primitives, operations, sessions: (CONTACTS - 1) * SESSIONS, stranger }
}

/** What strangers, a contact and servers of the DHT can say to such a Bob; Carol's link is proved. */
export function hostileAttempts(): { readonly attempts: readonly Attempt[]; readonly operations: Operations } {
  const { bob, carol, machine, primitives, operations, sessions, stranger } = hostileBob()
  const random = seededRandom('attempts')
  const session = bindCarol(machine, initiatorOf(native, carol.self), bob)
  let links = 0
  /** Said by a stranger, so many on a link as the machine takes. */
  const said = (what: string, make: () => Uint8Array, perLink: number): Attempt => ({
    who: 'stranger',
    what,
    prepare(count) {
      const messages = Array.from({ length: count }, make)
      const names = messages.map((_, i) => `stranger ${links + Math.floor(i / perLink)}`)
      links += Math.ceil(count / perLink)
      for (const name of new Set(names)) machine.open(name)
      return () => {
        for (const [i, bytes] of messages.entries()) machine.hear(names[i] as string, bytes)
      }
    },
  })
  /** Said by Carol. */
  const told = (what: string, make: () => Uint8Array): Attempt => ({
    who: 'contact',
    what,
    prepare(count) {
      const messages = Array.from({ length: count }, make)
      return () => {
        for (const bytes of messages) machine.hear('carol', bytes)
      }
    },
  })
  const frame = (size: number): Uint8Array => concat(Uint8Array.of(2), random.bytes(size - 1))
  const head = (): Uint8Array => concat(Uint8Array.of(1, 1, 0), prekeyOf(bob).id, random.bytes(32 + 1088))
  const posed = initiatorOf(native, carol.self)
  const thief = (): Uint8Array =>
    beginSession(native, random, { from: { ...posed, ik: native.dh.generate(random) }, to: bob, gen: NOW }).seal()
  const again = session.seal(textPayload('once', 1))
  machine.hear('carol', again)
  let counter = 1
  let heard = 0
  /** One more frame of Carol's; now and then she reads what Bob said, which begins another chain. */
  const sealed = (payload: Uint8Array): Uint8Array => {
    if (counter % 100 === 0)
      for (; heard < machine.sent.length; heard++) session.open(machine.sent[heard]?.bytes as Uint8Array)
    return session.seal(payload)
  }

  let gen = NOW + 1_000
  const surplus = (): Uint8Array => beginSession(native, random, { from: posed, to: bob, gen: gen++ }).seal()

  const attempts: Attempt[] = [
    said('a message of no known type', () => concat(Uint8Array.of(9), random.bytes(255)), 1_000),
    said('a frame on a link of nobody', () => frame(256), 1_000),
    said(`a proof that is nobody's, ${sessions} sessions`, () => concat(Uint8Array.of(4), random.bytes(16)), 8),
    said(
      'a prefix for no prekey of ours',
      () => concat(Uint8Array.of(1, 1, 0), random.bytes(1_128), u32be(1_700), random.bytes(1_700), frame(256)),
      16,
    ),
    said('a prefix that was sealed to nobody', () => concat(head(), u32be(1_700), random.bytes(1_700), frame(256)), 16),
    said('a prefix in the name of a contact', thief, 16),
    said('a request while 200 wait', stranger, 16),
    told('a frame that nothing opens, 256 B', () => frame(256)),
    told('a frame that nothing opens, 16 KiB', () => frame(16_384)),
    told('a frame that came before', () => again),
    told('a text, which is kept and acknowledged', () => sealed(textPayload(`text ${++counter}`, counter))),
    told('a question for 1,024 messages that were never written', () => {
      counter++
      // What is acknowledged now and then lets the chains go on.
      return sealed(counter % 50 === 0 ? textPayload(`text ${counter}`, counter) : gaps())
    }),
    { ...said('a session, above six an hour', surplus, 16), who: 'contact' },
  ]

  function gaps(): Uint8Array {
    const conversation = new Uint8Array(0)
    const entries = Array.from({ length: 32 }, (_, i) => ({
      author: bob.self.did,
      conversation,
      from: 1 + 32 * i,
      to: 32 * (i + 1),
    }))
    return ephemeralOf({ kind: 'gap-request', gaps: entries })
  }
  return { attempts: [...attempts, ...slotAttempts(primitives)], operations }
}

/** Carol's session with Bob is confirmed and her link proved. */
function bindCarol(machine: BareMachine, from: ReturnType<typeof initiatorOf>, bob: Newcomer): HandmadeSession {
  const session = beginSession(native, seededRandom('carol'), { from, to: bob, gen: NOW })
  const link = machine.open('carol')
  const theirs = machine.sent.findLast((each) => each.link === link)?.bytes as Uint8Array
  machine.hear('carol', session.seal())
  for (const { bytes } of machine.sent.filter((each) => each.link === link)) session.open(bytes)
  machine.hear('carol', session.seal())
  const ends = {
    dialer: utf8('carol'),
    listener: utf8('the peer id of the machine'),
    dialerNonce: new Uint8Array(32),
    listenerNonce: theirs,
  }
  machine.hear('carol', concat(Uint8Array.of(4), linkProof(native, session.session.linkKey, 0, ends)))
  if (!session.session.confirmed) throw new Error('the session was not confirmed')
  return session
}

function slotAttempts(primitives: Primitives): Attempt[] {
  const random = seededRandom('slots')
  const store = createSlotStore({
    rules: protocolSlotRules(primitives),
    primitives,
    self: random.bytes(34),
    maxRecords: 4_096,
    maxRecordBytes: 32 << 20,
    now: () => NOW,
  })
  const value = (): { key: string; bytes: Uint8Array } => {
    const key = native.signing.generate(random)
    const body = encode([
      1,
      key.publicKey,
      dayOf(NOW),
      u64be(NOW),
      random.bytes(24),
      new Uint8Array(SLOT_CT_SIZES[0] as number),
    ])
    return { key: slotKeyOf(key.publicKey), bytes: concat(body, native.signing.sign(key, signedMessage('dht', body))) }
  }
  const offered = (what: string, make: () => { key: string; bytes: Uint8Array }): Attempt => ({
    who: 'DHT',
    what,
    prepare(count) {
      const all = Array.from({ length: count }, make)
      return () => {
        for (const { key, bytes } of all) {
          try {
            store.put(key, bytes, bytes)
          } catch {
            // A refusal.
          }
        }
      }
    },
  })
  for (let i = 0; i < 4_096; i++) {
    const { key, bytes } = value()
    store.put(key, bytes, bytes)
  }
  return [
    offered('a value of a wrong size', () => ({ key: value().key, bytes: new Uint8Array(4_238) })),
    offered('a value with a wrong signature', () => {
      const { key, bytes } = value()
      return { key, bytes: bytes.with(100, 1) }
    }),
    offered('a value, while the store is full', value),
  ]
}
