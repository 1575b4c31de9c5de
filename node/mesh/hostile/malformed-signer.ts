import { concat, u64be } from '../../../lib/bytes.ts'
import type { Primitives, SigningKey } from '../../../lib/crypto/primitives.ts'
import { signedMessage } from '../../../lib/crypto/signed.ts'
import { accountId } from '../../../lib/identity/account.ts'
import { signAccountRecord } from '../../../lib/identity/account-record.ts'
import { SLOT_CT_SIZES, slotKeyOf } from '../../../lib/identity/slot-value.ts'
import { dayOf, unixSeconds } from '../../../lib/identity/time.ts'
import { encode } from '../../../lib/wire.ts'
import { beginSession, inventSelf, requestPayload } from './handmade.ts'
import { fickleKey, type MalformedKey, malformedKeys } from './malformed-keys.ts'
import { createOutsider, type HostileLink, type HostileOptions, type HostilePeer, seenOf } from './outsider.ts'

/**
 * Has: keys of small and of mixed order, and signatures that libraries disagree about. Tries: to be taken for an account or
 * the owner of a slot by one node and not by another, or to have two valid records where there should be one.
 */
export interface MalformedSigner extends HostilePeer {
  readonly keys: readonly MalformedKey[]
  /** Sends a request of an account with each of the keys over a new link. */
  ask(to: string): HostileLink
  /** Offers a slot value under each of the keys; gives their names in the DHT. */
  publish(): readonly string[]
  /** Offers one slot value with two signatures by one sound key, both of which hold, and gives its name. */
  publishTwice(): string
}

/** Throws a `TypeError` in a mesh with `primitives: 'fast'`, in which there is no Ed25519. */
export async function createMalformedSigner(options: HostileOptions): Promise<MalformedSigner> {
  const outsider = await createOutsider(options)
  const { inside, random } = outsider
  const { primitives } = inside
  if (primitives.name === 'insecure') throw new TypeError('malformed signatures need a mesh with real primitives')
  const keys = malformedKeys(primitives, random)

  function accountRecord({ publicKey, sign }: MalformedKey): { own: ReturnType<typeof inventSelf>; bytes: Uint8Array } {
    const own = inventSelf(primitives, random, inside.clock.now)
    const signing: Primitives['signing'] = { ...primitives.signing, sign: (_key, message) => sign(message) }
    const key: SigningKey = { kind: 'signing', publicKey, exportSeed: () => new Uint8Array(32) }
    const content = { ...own.accountRecord, account: publicKey, seq: unixSeconds(inside.clock.now) }
    return { own, bytes: signAccountRecord({ ...primitives, signing }, key, content, inside.clock.now).bytes }
  }

  function slotValue({ publicKey, sign }: MalformedKey, times: number): { name: string; values: Uint8Array[] } {
    const { now } = inside.clock
    const fields = [1, publicKey, dayOf(now), u64be(now), random.bytes(24), new Uint8Array(SLOT_CT_SIZES[0] as number)]
    const body = encode(fields)
    const values = Array.from({ length: times }, () => concat(body, sign(signedMessage('dht', body))))
    return { name: slotKeyOf(publicKey), values }
  }

  return {
    ...seenOf(outsider),
    keys,
    ask(to) {
      const link = outsider.open(to)
      for (const key of keys) {
        const { own, bytes } = accountRecord(key)
        const from = {
          aid: accountId(primitives, key.publicKey),
          did: own.did,
          ik: own.identityKey,
          accountRecord: bytes,
        }
        const gen = inside.clock.now
        link.say(beginSession(primitives, random, { from, to: inside.newcomer(to), gen }).seal(requestPayload()))
      }
      return link
    },
    publish: () =>
      keys.map((key) => {
        const { name, values } = slotValue(key, 1)
        for (const value of values) outsider.offer(name, value)
        return name
      }),
    publishTwice() {
      const { name, values } = slotValue(fickleKey(primitives, random), 2)
      for (const value of values) outsider.offer(name, value)
      return name
    },
  }
}
