import { toHex } from '../../../lib/bytes.ts'
import { blindingOf } from '../../../lib/crypto/blinding.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'

/** Results that are remembered of a kind before the oldest half is forgotten. */
const MAX_KNOWN = 10_000

/**
 * The same primitives, which verify each signature and blind each public key once: in one process everybody checks the
 * same records and slots, and a verification costs as much as twenty hashes, a blinded key as much as two hundred.
 */
export function rememberingPrimitives(primitives: Primitives): Primitives {
  const verified = memory<boolean>()
  const blinded = memory<Uint8Array | null>()
  const blinding = blindingOf(primitives)
  return {
    ...primitives,
    signing: {
      ...primitives.signing,
      verifyCofactorless(publicKey, message, signature) {
        const verify = (): boolean => primitives.signing.verifyCofactorless(publicKey, message, signature)
        if (publicKey.length !== 32 || signature.length !== 64) return verify()
        return verified(toHex(primitives.sha256(publicKey, signature, message)), verify)
      },
    },
    blinding: {
      ...blinding,
      blindPublicKey(publicKey, h) {
        const blind = (): Uint8Array | null => blinding.blindPublicKey(publicKey, h)
        if (publicKey.length !== 32 || h.length !== 32) return blind()
        return blinded(toHex(primitives.sha256(publicKey, h)), blind)?.slice() ?? null
      },
    },
  }
}

/** Gives what is known under a name, or makes it. */
function memory<T>(): (name: string, make: () => T) => T {
  const known = new Map<string, T>()
  return (name, make) => {
    if (known.has(name)) return known.get(name) as T
    const made = make()
    known.set(name, made)
    if (known.size > MAX_KNOWN) for (const oldest of [...known.keys()].slice(0, MAX_KNOWN / 2)) known.delete(oldest)
    return made
  }
}
