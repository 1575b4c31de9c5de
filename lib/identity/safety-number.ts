import { uintFrom, utf8 } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'

const GROUP_DIGITS = 5
const GROUPS_PER_ACCOUNT = 6

/**
 * The 60 digits that two people compare to know that nobody is between them. Both sides get the same ones: each
 * account's 30 digits, the lower first. They depend on the AK_0 of both and on nothing else, so they never change.
 */
export function safetyNumber(primitives: Primitives, own: Uint8Array, theirs: Uint8Array): string {
  const halves = [accountDigits(primitives, own), accountDigits(primitives, theirs)]
  return halves.toSorted((a, b) => (a < b ? -1 : 1)).join('')
}

/** Six groups: group j is `u40be(SHA-512("sotto/1 safety" || AK_0)[5j..5j+5]) mod 100000`. */
function accountDigits(primitives: Primitives, account: Uint8Array): string {
  const hash = primitives.sha512(SAFETY, account)
  let digits = ''
  for (let j = 0; j < GROUPS_PER_ACCOUNT; j++) {
    const group = uintFrom(hash.subarray(5 * j, 5 * j + 5)) % 100_000
    digits += group.toString().padStart(GROUP_DIGITS, '0')
  }
  return digits
}

/** The digits as people read them aloud: twelve groups of five with spaces between. */
export function formatSafetyNumber(digits: string): string {
  return (digits.match(/\d{5}/g) ?? []).join(' ')
}

const SAFETY = utf8('sotto/1 safety')
