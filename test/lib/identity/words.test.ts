import { expect, test } from 'vitest'
import { fromHex } from '../../../lib/bytes.ts'
import { createRecoverySeed, seedFromWords, wordsFromSeed } from '../../../lib/identity/words.ts'
import { seededRandom } from '../../support/random.ts'
import { refusal } from '../../support/strict-decoder.ts'

const seed = createRecoverySeed(seededRandom('words'))
const words = wordsFromSeed(seed).split(' ')

test('a seed is 24 words, and they are that seed', () => {
  expect(words).toHaveLength(24)
  expect(seedFromWords(words.join(' '))).toEqual(seed)
})

test.each([
  ['00'.repeat(32), `${'abandon '.repeat(23)}art`],
  [
    '7f'.repeat(32),
    `${'legal winner thank year wave sausage worth useful '.repeat(2)}legal winner thank year wave sausage worth title`,
  ],
  ['ff'.repeat(32), `${'zoo '.repeat(23)}vote`],
])('the published words of %s are ours', (entropy, mnemonic) => {
  expect(wordsFromSeed(fromHex(entropy))).toBe(mnemonic)
  expect(seedFromWords(mnemonic)).toEqual(fromHex(entropy))
})

test('case, line breaks and spaces do not matter', () => {
  expect(seedFromWords(`\n ${words.join('  \r\n\t').toUpperCase()} `)).toEqual(seed)
})

test('a word that is not in the list is named by its place, and never repeated', () => {
  const wrong = words.with(6, 'sottovoce')
  expect(() => seedFromWords(wrong.join(' '))).toThrow('word 7 is not in the word list')
  expect(() => seedFromWords(wrong.join(' '))).not.toThrow('sottovoce')
})

test('the wrong number of words, two swapped words and another last word are refused', () => {
  expect(() => seedFromWords(words.slice(1).join(' '))).toThrow('expected 24 words, got 23')
  expect(() => seedFromWords('')).toThrow('expected 24 words, got 0')
  const swapped = words.with(0, words[1] as string).with(1, words[0] as string)
  for (const list of [swapped, words.with(23, words[23] === 'zoo' ? 'zone' : 'zoo')]) {
    expect(refusal(() => seedFromWords(list.join(' ')))).toBe('malformed')
  }
  expect(refusal(() => seedFromWords('zoo '.repeat(100_000)))).toBe('malformed')
})

test('only 32 bytes are a seed', () => {
  expect(() => wordsFromSeed(new Uint8Array(16))).toThrow(TypeError)
})
