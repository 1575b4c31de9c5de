import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { isEncapsulationKey } from './encapsulation-key.ts'
import type { Random } from './primitives.ts'

/** ML-KEM-768 encapsulation with coins of the caller, which OpenSSL does not take. */
export function portableEncapsulate(
  encapsulationKey: Uint8Array,
  random: Random,
): { ct: Uint8Array; secret: Uint8Array } | null {
  if (!isEncapsulationKey(encapsulationKey)) return null
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(encapsulationKey, random.bytes(32))
  return { ct: cipherText, secret: sharedSecret }
}
