import { describe, expect, test } from 'vitest'
import { findStamp, hourOf, stampBits } from '../../../lib/mailbox/stamp.ts'
import { native } from '../../../node/crypto.ts'
import { seededRandom } from '../../support/random.ts'

const random = seededRandom('stamp')
const stamped = { peer: random.bytes(38), queue: random.bytes(32), hash: random.bytes(32) }
const hour = hourOf(Date.UTC(2026, 2, 1, 10))

describe('a stamp', () => {
  test('that was found has the bits it was looked for', () => {
    const stamp = findStamp(native, stamped, { hour, bits: 10, from: 0, attempts: 100_000 })
    if (typeof stamp === 'number') throw new Error('none found')
    expect(stampBits(native, stamped, stamp)).toBeGreaterThanOrEqual(10)
  })

  test('is looked for in steps, and the next goes on where the last ended', () => {
    const whole = findStamp(native, stamped, { hour, bits: 12, from: 0, attempts: 1_000_000 })
    let found: ReturnType<typeof findStamp> = 0
    while (typeof found === 'number') found = findStamp(native, stamped, { hour, bits: 12, from: found, attempts: 100 })
    expect(found).toEqual(whole)
  })

  test('is worth nothing for another blob, queue, mailbox or hour', () => {
    const stamp = findStamp(native, stamped, { hour, bits: 16, from: 0, attempts: 10_000_000 })
    if (typeof stamp === 'number') throw new Error('none found')
    const others = [
      { ...stamped, hash: random.bytes(32) },
      { ...stamped, queue: random.bytes(32) },
      { ...stamped, peer: random.bytes(38) },
    ]
    for (const other of others) expect(stampBits(native, other, stamp)).toBeLessThan(16)
    expect(stampBits(native, stamped, { ...stamp, hour: hour + 1 })).toBeLessThan(16)
  })
})
