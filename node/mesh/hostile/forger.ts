import { concat, u32be } from '../../../lib/bytes.ts'
import { MAX_FRAME_BYTES } from '../../../lib/crypto/padding.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { type AccountRecordContent, signAccountRecord } from '../../../lib/identity/account-record.ts'
import type { Self } from '../../../lib/identity/self.ts'
import { KEM_CT_BYTES } from '../../../lib/crypto/encapsulation-key.ts'
import { linkProof } from '../../../lib/session/link-proof.ts'
import {
  beginSession,
  ephemeralOf,
  initiatorOf,
  inventSelf,
  prekeyOf,
  requestPayload,
  textPayload,
} from './handmade.ts'
import { createOutsider, type HostileLink, type HostileOptions, type HostilePeer, seenOf } from './outsider.ts'

/** What can be forged; each is a list of messages of a link. */
export type Forgery = 'frames' | 'prefixes' | 'identities' | 'proofs' | 'nonsense'

/**
 * Has: everything public, which is all records, prekeys and PeerIds of two people; none of their privates. Tries: to be taken
 * for the one by the other, with frames, prefixes, records, receipts and link proofs that are made up, in every form that is
 * right but for the key.
 */
export interface Forger extends HostilePeer {
  /** Makes forgeries of a kind, in the name of `posingAs`, for `to`. Proofs are for the link they will be said on. */
  forge(kind: Forgery, link: HostileLink): readonly Uint8Array[]
  /** Opens a link and says all forgeries of these kinds, by default of all, as soon as it heard the nonce. */
  attack(kinds?: readonly Forgery[]): HostileLink
}

export const FORGERIES: readonly Forgery[] = ['frames', 'prefixes', 'identities', 'proofs', 'nonsense']

export async function createForger(
  options: HostileOptions & { readonly to: string; readonly posingAs: string },
): Promise<Forger> {
  const waiting = new Map<HostileLink, readonly Forgery[]>()
  const outsider = await createOutsider({
    ...options,
    heard(link) {
      const kinds = waiting.get(link)
      waiting.delete(link)
      for (const kind of kinds ?? []) link.say(...forge(kind, link))
    },
  })
  const { inside, random } = outsider
  const { primitives } = inside
  const [victim, posed] = [inside.newcomer(options.to), inside.newcomer(options.posingAs)]
  const now = (): number => inside.clock.now

  function frames(): Uint8Array[] {
    return [2, 3].flatMap((type) =>
      [91, 256, 1178, 1179, 4096, MAX_FRAME_BYTES].map((size) => concat(Uint8Array.of(type), random.bytes(size - 1))),
    )
  }

  function prefixes(): Uint8Array[] {
    const { id } = prekeyOf(victim)
    const head = concat(Uint8Array.of(1, 1, 0), id, random.bytes(32), random.bytes(KEM_CT_BYTES))
    const sealed = random.bytes(1_700)
    const frame = frames()[1] as Uint8Array
    return [
      concat(head, u32be(sealed.length), sealed, frame),
      // The point of order 1, with which every agreement gives zero.
      concat(head.fill(0, 11, 43), u32be(sealed.length), sealed, frame),
      concat(Uint8Array.of(1, 1, 0), random.bytes(8), head.subarray(11), u32be(sealed.length), sealed, frame),
    ]
  }

  /** Prefixes that are sealed to the victim in the best order, and claim an identity that is not the forger's. */
  function identities(): Uint8Array[] {
    const own = inventSelf(primitives, random, now())
    const payloads = [requestPayload(), textPayload('forged', 1), receiptFor(options.posingAs)]
    const session = (from: ReturnType<typeof initiatorOf>, gen: number = now()): Uint8Array =>
      beginSession(primitives, random, { from, to: victim, gen }).seal(...payloads)
    const they = initiatorOf(primitives, posed.self)
    const mine = initiatorOf(primitives, own)
    return [
      // Their record and device, and an identity key that is not theirs.
      session({ ...they, ik: own.identityKey }),
      session({ ...they, ik: own.identityKey }, now() + 25 * 3_600_000),
      // Their account, which lists the forger's device, and is signed by the forger.
      session({
        ...they,
        did: own.did,
        ik: own.identityKey,
        accountRecord: resigned(primitives, posed.self, own, now()),
      }),
      // A device that their account does not list; a device of theirs in the forger's account.
      session({ ...they, did: own.did, ik: own.identityKey }),
      session({ ...mine, did: posed.self.did }),
      // The victim itself.
      session({ ...initiatorOf(primitives, victim.self), ik: own.identityKey }),
      // What is no record at all.
      session({ ...mine, accountRecord: random.bytes(300) }),
      session({ ...mine, accountRecord: new Uint8Array(0) }),
    ]
  }

  function receiptFor(name: string): Uint8Array {
    const { did } = inside.newcomer(name).self
    const empty = new Uint8Array(0)
    return ephemeralOf({
      kind: 'receipt',
      entries: [{ author: did, conversation: empty, delivered: [[1, 2 ** 40]], read: [[1, 2 ** 40]] }],
    })
  }

  function proofs(link: HostileLink): Uint8Array[] {
    const [theirs] = link.heard
    const { running } = inside.person(options.to)
    if (theirs === undefined || link.nonce === null || running === null) return []
    const ends = {
      dialer: outsider.peer,
      listener: running.network.peer,
      dialerNonce: link.nonce,
      listenerNonce: theirs,
    }
    const known = [new Uint8Array(32), posed.self.identityKey.publicKey, victim.self.identityKey.publicKey, theirs]
    const made = known.flatMap((key) => [0, 1].map((side) => linkProof(primitives, key, side as 0 | 1, ends)))
    return [...made, random.bytes(16), random.bytes(15)].map((proof) => concat(Uint8Array.of(4), proof))
  }

  function nonsense(): Uint8Array[] {
    return [0, 5, 127, 255].flatMap((type) => [1, 33, 17].map((size) => random.bytes(size).fill(type, 0, 1)))
  }

  function forge(kind: Forgery, link: HostileLink): readonly Uint8Array[] {
    switch (kind) {
      case 'frames':
        return frames()
      case 'prefixes':
        return prefixes()
      case 'identities':
        return identities()
      case 'proofs':
        return proofs(link)
      case 'nonsense':
        return nonsense()
    }
  }

  return {
    ...seenOf(outsider),
    forge,
    attack(kinds = FORGERIES) {
      const link = outsider.open(options.to)
      waiting.set(link, kinds)
      return link
    },
  }
}

/** An account record of somebody, which lists another's device and is signed by that other. */
function resigned(primitives: Primitives, self: Self, by: Self, now: number): Uint8Array {
  const content: AccountRecordContent = { ...self.accountRecord, devices: by.accountRecord.devices }
  const bytes = signAccountRecord(primitives, self.accountKey, { ...content, seq: content.seq + 1 }, now).bytes.slice()
  // The body is theirs, the signature is the forger's.
  bytes.set(primitives.signing.sign(by.accountKey, bytes.subarray(0, -64)), bytes.length - 64)
  return bytes
}
