import { bech32m } from '@scure/base'
import { concat, u32be, utf8, wipe } from '../bytes.ts'
import { isTorsionFree, PUBLIC_KEY_BYTES } from '../crypto/ed25519.ts'
import type { Primitives, SigningKey } from '../crypto/primitives.ts'
import { malformed } from '../wire.ts'
import { RECOVERY_SEED_BYTES } from './words.ts'

/** Characters of an account as text: `sotto1`, 52 of the key, 6 of the checksum. */
export const ACCOUNT_TEXT_LENGTH = 64

/**
 * The account key AK_e of an epoch: Ed25519 of `HKDF("", seed, "sotto/1 account" || u32 e, 32)`. Epoch 0 names the
 * account for ever; the next epoch's key takes over when the current one was stolen.
 */
export function deriveAccountKey(primitives: Primitives, seed: Uint8Array, epoch: number): SigningKey {
  if (seed.length !== RECOVERY_SEED_BYTES)
    throw new TypeError(`expected ${RECOVERY_SEED_BYTES} bytes, got ${seed.length}`)
  const keySeed = primitives.hkdf(EMPTY, seed, concat(ACCOUNT, u32be(epoch)), 32)
  const key = primitives.signing.fromSeed(keySeed)
  wipe(keySeed)
  return key
}

/** AID, the 32 bytes that stand for an account inside other formats: `H("sotto/1 aid" || AK_0)`. */
export function accountId(primitives: Primitives, account: Uint8Array): Uint8Array {
  return primitives.sha256(AID, account)
}

/** AK_0 as the text people pass on: bech32m (BIP-350) with the prefix `sotto`. */
export function encodeAccount(account: Uint8Array): string {
  if (account.length !== PUBLIC_KEY_BYTES)
    throw new TypeError(`expected ${PUBLIC_KEY_BYTES} bytes, got ${account.length}`)
  return bech32m.encodeFromBytes(PREFIX, account)
}

/**
 * AK_0 of a text, all lower or all upper case. Throws `malformed` when it is no bech32m with the prefix `sotto`, or its
 * key is not one that an account can have.
 */
export function decodeAccount(text: string): Uint8Array {
  if (text.length !== ACCOUNT_TEXT_LENGTH) {
    throw malformed(`account: expected ${ACCOUNT_TEXT_LENGTH} characters, got ${text.length}`)
  }
  const words = bech32m.decodeUnsafe(text)
  if (words === undefined) throw malformed('account: a character is wrong or missing')
  if (words.prefix !== PREFIX) throw malformed(`account: expected a text that begins with ${PREFIX}1`)
  const account = bech32m.fromWordsUnsafe(words.words)
  if (account === undefined) throw malformed('account: expected 32 bytes')
  assertAccountKey(account)
  return account
}

/**
 * Throws `malformed` unless the bytes are a key that an account can have: canonical, not of small order and in the
 * subgroup of prime order. With a torsion part, blinding would find one account under several keys. Costs half a
 * millisecond, so it is done once where a key comes in.
 */
export function assertAccountKey(key: Uint8Array): void {
  if (!isTorsionFree(key)) throw malformed('account: the key is no valid Ed25519 public key')
}

const PREFIX = 'sotto'
const EMPTY = new Uint8Array(0)
const ACCOUNT = utf8('sotto/1 account')
const AID = utf8('sotto/1 aid')
