import { toHex, utf8 } from '../../lib/bytes.ts'
import { accountId } from '../../lib/identity/account.ts'
import { decodePrekeyPair } from '../../lib/identity/prekeys.ts'
import { createSelf, decodeSelf } from '../../lib/identity/self.ts'
import { createPrefix } from '../../lib/session/handshake.ts'
import type { Session } from '../../lib/session/session.ts'
import { native } from '../../node/crypto.ts'
import { withStolenPrekey } from '../../node/mesh/hostile/handmade.ts'
import type { Someone } from './machines.ts'
import { seededRandom } from './random.ts'

export { requestPayload, textPayload } from '../../node/mesh/hostile/handmade.ts'

/**
 * A session in the name of `posedAs` with `victim`, by somebody who stole the privates of the victim's prekeys: the
 * agreement of the identity key with the prekey is theirs too, nothing else of the identity is.
 */
export function stolenSession(
  posedAs: Someone,
  victim: Someone,
  gen: number,
): { session: Session; prefix: Uint8Array } {
  const random = seededRandom(`thief ${gen}`)
  const alice = decodeSelf(native, rowOf(posedAs, `self/${toHex(utf8('self'))}`))
  const bob = decodeSelf(native, rowOf(victim, `self/${toHex(utf8('self'))}`))
  const prekeys = [...victim.rows.values()].filter(({ range }) => range === 'prekey')
  const stolen = decodePrekeyPair(native, prekeys.at(-1)?.value ?? new Uint8Array())
  const primitives = withStolenPrekey(native, stolen, alice.identityKey.publicKey)
  return createPrefix(primitives, random, {
    own: {
      aid: accountId(native, posedAs.account),
      did: alice.did,
      ik: stolen.dh,
      accountRecord: alice.accountRecord.bytes,
    },
    peer: { aid: accountId(native, victim.account), did: bob.did, ik: bob.identityKey.publicKey, prekey: stolen.bytes },
    gen,
    now: gen,
  })
}

/** A session that a new account begins with somebody whose records it knows. */
export function strangerSession(
  seed: string,
  to: Someone,
  now: number,
): { session: Session; prefix: Uint8Array; account: Uint8Array } {
  const random = seededRandom(seed)
  const own = createSelf(native, random, random.bytes(32), now)
  const account = own.accountRecord.account
  const bob = decodeSelf(native, rowOf(to, `self/${toHex(utf8('self'))}`))
  const prekeys = [...to.rows.values()].filter(({ range }) => range === 'prekey')
  const { bytes } = decodePrekeyPair(native, prekeys.at(-1)?.value ?? new Uint8Array())
  const started = createPrefix(native, random, {
    own: { aid: accountId(native, account), did: own.did, ik: own.identityKey, accountRecord: own.accountRecord.bytes },
    peer: { aid: accountId(native, to.account), did: bob.did, ik: bob.identityKey.publicKey, prekey: bytes },
    gen: now,
    now,
  })
  return { ...started, account }
}

function rowOf(who: Someone, key: string): Uint8Array {
  const value = who.rows.get(key)?.value
  if (!value) throw new Error(`${who.name} has no row ${key}`)
  return value
}
