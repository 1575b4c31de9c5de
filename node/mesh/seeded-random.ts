import { concat, u64be, utf8 } from '../../lib/bytes.ts'
import type { Random } from '../../lib/crypto/primitives.ts'
import { native } from '../crypto.ts'

/**
 * A source whose bytes follow from the seed alone: SHA-256 over seed and a counter. Whoever knows the seed knows every
 * key that is made with it: for tests only.
 */
export function seededRandom(seed: string): Random {
  const key = native.sha256(utf8(seed))
  let counter = 0
  return {
    system: false,
    bytes(length) {
      const blocks: Uint8Array[] = []
      for (let have = 0; have < length; have += 32) blocks.push(native.sha256(key, u64be(counter++)))
      return concat(...blocks).slice(0, length)
    },
  }
}
