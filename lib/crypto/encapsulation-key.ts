/** Bytes of an ML-KEM-768 encapsulation key: 768 coefficients of 12 bits and a 32-byte seed. */
export const KEM_KEY_BYTES = 1184

/** Bytes of an ML-KEM-768 ciphertext. */
export const KEM_CT_BYTES = 1088

const COEFFICIENT_BYTES = 1152
const Q = 3329

/**
 * The check that FIPS 203 §7.2 demands before a received key is used: exact length, every coefficient below q.
 * It is made here because libraries differ in what they accept.
 */
export function isEncapsulationKey(bytes: Uint8Array): boolean {
  if (bytes.length !== KEM_KEY_BYTES) return false
  for (let i = 0; i < COEFFICIENT_BYTES; i += 3) {
    const middle = bytes[i + 1] as number
    if (((bytes[i] as number) | ((middle & 15) << 8)) >= Q) return false
    if (((middle >> 4) | ((bytes[i + 2] as number) << 4)) >= Q) return false
  }
  return true
}
