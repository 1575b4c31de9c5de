import { concat } from '../bytes.ts'
import { SIGNATURE_BYTES } from '../crypto/ed25519.ts'
import type { Primitives, SigningKey } from '../crypto/primitives.ts'
import { type SignatureType, sign, verifySignature } from '../crypto/signed.ts'
import { ProtocolError } from '../errors.ts'
import { encode, malformed, type WireValue } from '../wire.ts'

/** The two parts of `body || signature`: the signature is always the last 64 bytes. */
export interface SignedParts {
  readonly body: Uint8Array
  readonly signature: Uint8Array
}

/** Views of the two parts. Throws `malformed` when the whole is longer than `maxBytes` or has no room for a body. */
export function splitSigned(bytes: Uint8Array, name: string, maxBytes: number): SignedParts {
  if (bytes.length > maxBytes) throw malformed(`${name}: at most ${maxBytes} bytes, got ${bytes.length}`)
  if (bytes.length <= SIGNATURE_BYTES) throw malformed(`${name}: the value ends early`)
  const end = bytes.length - SIGNATURE_BYTES
  return { body: bytes.subarray(0, end), signature: bytes.subarray(end) }
}

/** `body || signature` of the encoded fields. */
export function encodeSigned(
  primitives: Primitives,
  key: SigningKey,
  type: SignatureType,
  fields: readonly WireValue[],
): Uint8Array {
  const body = encode(fields)
  return concat(body, sign(primitives, key, type, body))
}

/** Throws `unauthentic` when the signature is not `publicKey`'s for the body as a `type`. */
export function assertSigned(
  primitives: Primitives,
  publicKey: Uint8Array,
  type: SignatureType,
  { body, signature }: SignedParts,
): void {
  if (!verifySignature(primitives, publicKey, type, body, signature)) {
    throw new ProtocolError('unauthentic', `${type}: the signature does not hold`)
  }
}
