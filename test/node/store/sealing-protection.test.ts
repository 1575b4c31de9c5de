import { expect, test } from 'vitest'
import { utf8 } from '../../../lib/bytes.ts'
import { native, systemRandom } from '../../../node/crypto.ts'
import { rangeKey, sealValue } from '../../../node/store/sealing.ts'

test('one value that is sealed twice at one place shares nothing but its format', () => {
  const place = { range: 'contact', key: utf8('handle'), schema: 1 } as const
  const key = rangeKey(native, new Uint8Array(32), place.range)
  const seal = () => sealValue(native, systemRandom, { key, place, value: new Uint8Array(64) })
  const [one, two] = [seal(), seal()]
  for (let at = 1; at + 8 <= one.length; at += 8) {
    expect(one.subarray(at, at + 8)).not.toEqual(two.subarray(at, at + 8))
  }
})
