import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import type { Random } from '../crypto/primitives.ts'
import { malformed } from '../wire.ts'

/** Bytes of the recovery seed, from which every key of an account follows. */
export const RECOVERY_SEED_BYTES = 32

/** How many words spell a recovery seed. */
export const RECOVERY_WORDS = 24

/** The longest text that is looked at, characters: 24 words of 8 letters and room for people's spacing. */
const MAX_TEXT_LENGTH = 1024

/** A fresh recovery seed. It belongs on paper, never in the store. */
export function createRecoverySeed(random: Random): Uint8Array {
  return random.bytes(RECOVERY_SEED_BYTES)
}

/**
 * The seed as 24 English words (BIP-39, with the seed as the entropy; no passphrase, no stretching). The text is as
 * secret as the seed and, being a string, cannot be wiped: show it once and let it go.
 */
export function wordsFromSeed(seed: Uint8Array): string {
  if (seed.length !== RECOVERY_SEED_BYTES)
    throw new TypeError(`expected ${RECOVERY_SEED_BYTES} bytes, got ${seed.length}`)
  return entropyToMnemonic(seed, wordlist)
}

/**
 * The seed that 24 words spell. Upper case, line breaks and repeated spaces are forgiven.
 * Throws `malformed` with the position (never the text) of a word that is not in the list, or when the count or the
 * checksum is wrong.
 */
export function seedFromWords(text: string): Uint8Array {
  if (text.length > MAX_TEXT_LENGTH) throw malformed(`expected ${RECOVERY_WORDS} words, got a longer text`)
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const unknown = words.findIndex((word) => !KNOWN.has(word))
  if (unknown !== -1) throw malformed(`word ${unknown + 1} is not in the word list`)
  if (words.length !== RECOVERY_WORDS) throw malformed(`expected ${RECOVERY_WORDS} words, got ${words.length}`)
  try {
    return mnemonicToEntropy(words.join(' '), wordlist)
  } catch {
    // The cause would carry the words.
    throw malformed('the words do not belong together: one of them is another, or two are swapped')
  }
}

const KNOWN: ReadonlySet<string> = new Set(wordlist)
