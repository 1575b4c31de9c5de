import { concat, lv, utf8 } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'

const ONE = Uint8Array.of(1)
const TWO = Uint8Array.of(2)
const ROOT = utf8('sotto/1 rk')
const MESSAGE = utf8('sotto/1 msg')
const ABSENT = lv(new Uint8Array(0))

/** Bytes of the salt that every frame carries in clear. */
export const SALT_BYTES = 16

/** Random bytes that enter a salt. */
export const SALT_RANDOM_BYTES = 16

/** What enters the root key at one DH step. */
export interface RootInput {
  /** The X25519 result. */
  readonly dh: Uint8Array
  /** An ML-KEM secret, when the step carries one. */
  readonly pq?: Uint8Array
  /** `DH(r_B, IK_A)`, in chain 1 only. */
  readonly auth?: Uint8Array
}

/** `KDF_RK`: `HKDF(rk, lv(dh) || lv(pq) || lv(auth), "sotto/1 rk" || session id, 96)` → root, chain and next header key. */
export function stepRoot(
  primitives: Primitives,
  rootKey: Uint8Array,
  sessionId: Uint8Array,
  input: RootInput,
): { rootKey: Uint8Array; chainKey: Uint8Array; headerKey: Uint8Array } {
  const secret = concat(
    lv(input.dh),
    input.pq === undefined ? ABSENT : lv(input.pq),
    input.auth === undefined ? ABSENT : lv(input.auth),
  )
  const keys = primitives.hkdf(rootKey, secret, concat(ROOT, sessionId), 96)
  const result = { rootKey: keys.slice(0, 32), chainKey: keys.slice(32, 64), headerKey: keys.slice(64) }
  secret.fill(0)
  keys.fill(0)
  return result
}

/** The message secret of the frame that a chain key stands at: `HMAC(ck, 1)`. */
export function messageSecret(primitives: Primitives, chainKey: Uint8Array): Uint8Array {
  return primitives.hmac(chainKey, ONE)
}

/** The chain key after one frame: `HMAC(ck, 2)`. */
export function nextChainKey(primitives: Primitives, chainKey: Uint8Array): Uint8Array {
  return primitives.hmac(chainKey, TWO)
}

/**
 * `HMAC(mk, random16 || H(padded))[0..16]`. It depends on the plaintext, so a cloned machine whose random source
 * repeats itself still seals two different texts under two different keys.
 */
export function frameSalt(
  primitives: Primitives,
  secret: Uint8Array,
  random16: Uint8Array,
  padded: Uint8Array,
): Uint8Array {
  return primitives.hmac(secret, concat(random16, primitives.sha256(padded))).slice(0, SALT_BYTES)
}

/** The one AES-256-GCM key of a frame: `HMAC(mk, "sotto/1 msg" || salt)`. */
export function messageKey(primitives: Primitives, secret: Uint8Array, salt: Uint8Array): Uint8Array {
  return primitives.hmac(secret, concat(MESSAGE, salt))
}
