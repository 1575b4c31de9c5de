import { createCipheriv } from 'node:crypto'
import { concat, u64be } from '../../lib/bytes.ts'

/**
 * A ciphertext that AES-256-GCM opens under two keys (nonce 12 zero bytes): `tail` is the end of its plaintext under the
 * first one, and one block before is chosen so that both tags are equal. Dodis, Grubbs, Ristenpart, Woodage, "Fast Message
 * Franking", CRYPTO 2018. `ad` has whole blocks or is filled with zeros as GCM does.
 */
export function sealUnderBoth(keys: readonly [Uint8Array, Uint8Array], ad: Uint8Array, blocks: number): Uint8Array {
  const length = 16 * blocks
  const [first, second] = keys.map((key) => ({
    hash: toField(block(key, new Uint8Array(16))),
    mask: toField(block(key, counter(1))),
    last: block(key, counter(blocks + 1)),
  })) as [Side, Side]
  const ciphertext = new Uint8Array(length)
  const end = new Uint8Array(16)
  end[15] = 0x80
  ciphertext.set(
    end.map((byte, i) => byte ^ (first.last[i] as number)),
    length - 16,
  )
  // The last block but one is multiplied with the third power of the hash key, the last with the second, the lengths with the first.
  const wrong = ghash(first, ad, ciphertext) ^ ghash(second, ad, ciphertext)
  const factor = power(first.hash, 3) ^ power(second.hash, 3)
  ciphertext.set(fromField(multiply(wrong, inverse(factor))), length - 32)
  return concat(ciphertext, fromField(ghash(first, ad, ciphertext)))
}

/** The last byte of the plaintext of a block under a key, before it is XORed. */
export function lastKeystreamByte(key: Uint8Array, blocks: number): number {
  return block(key, counter(blocks + 1))[15] as number
}

interface Side {
  readonly hash: bigint
  readonly mask: bigint
  readonly last: Uint8Array
}

function block(key: Uint8Array, input: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return new Uint8Array(cipher.update(input))
}

function counter(value: number): Uint8Array {
  return concat(new Uint8Array(8), u64be(value))
}

function ghash({ hash, mask }: Side, ad: Uint8Array, ciphertext: Uint8Array): bigint {
  const filled = concat(ad, new Uint8Array((16 - (ad.length % 16)) % 16))
  const input = concat(filled, ciphertext, u64be(8 * ad.length), u64be(8 * ciphertext.length))
  let sum = 0n
  for (let at = 0; at < input.length; at += 16) sum = multiply(sum ^ toField(input.subarray(at, at + 16)), hash)
  return sum ^ mask
}

function toField(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

function fromField(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(32, '0'), 'hex'))
}

/** In GF(2^128) as GCM writes it: the first bit is the lowest power. */
function multiply(a: bigint, b: bigint): bigint {
  let sum = 0n
  let shifted = b
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((a >> bit) & 1n) sum ^= shifted
    shifted = shifted & 1n ? (shifted >> 1n) ^ (0xe1n << 120n) : shifted >> 1n
  }
  return sum
}

const ONE = 1n << 127n

function power(base: bigint, exponent: number): bigint {
  return Array.from({ length: exponent }).reduce<bigint>((product) => multiply(product, base), ONE)
}

/** a^(2^128 − 2). */
function inverse(a: bigint): bigint {
  let result = ONE
  let square = a
  for (let i = 1; i < 128; i++) {
    square = multiply(square, square)
    result = multiply(result, square)
  }
  return result
}
