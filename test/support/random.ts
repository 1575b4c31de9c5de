import { concat, u64be, utf8 } from '../../lib/bytes.ts'
import { portable } from '../../lib/crypto/portable.ts'
import type { Primitives, Random } from '../../lib/crypto/primitives.ts'
import { native } from '../../node/crypto.ts'

/** Both implementations: every construction is tested on each. */
export const primitivesUnderTest: readonly Primitives[] = [native, portable]

/**
 * A source whose bytes follow from `seed` alone: SHA-256 over seed and a counter. Equal seeds give equal streams,
 * whatever sizes are asked for.
 */
export function seededRandom(seed: number | string): Random {
  const key = portable.sha256(utf8(`${typeof seed} ${seed}`))
  let counter = 0
  let rest: Uint8Array = new Uint8Array(0)
  return {
    system: false,
    bytes(length) {
      const blocks = [rest]
      for (let have = rest.length; have < length; have += 32) blocks.push(portable.sha256(key, u64be(counter++)))
      const stream = concat(...blocks)
      rest = stream.slice(length)
      return stream.slice(0, length)
    },
  }
}
