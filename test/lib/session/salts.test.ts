import { describe, expect, test } from 'vitest'
import {
  appendSalts,
  lastSalts,
  replaceSalt,
  saltAt,
  saltBytes,
  saltCount,
  type Salts,
  saltsFrom,
} from '../../../lib/session/salts.ts'

const salt = (n: number) => new Uint8Array(16).fill(n)
const four = (n: number) => [n, n, n, n]
const bytesOf = (salts: Salts) => [...saltBytes(salts)]
const empty = saltsFrom(new Uint8Array(0))

/** Salts 1 to `count`, one after the other. */
const row = (count: number, start = empty) =>
  Array.from({ length: count }, (_, i) => i + 1).reduce((salts, n) => appendSalts(salts, 0, salt(n)), start)

describe('the salts of a chain', () => {
  test('keep four bytes of each frame in order, however many there are', () => {
    for (const count of [0, 1, 15, 16, 17, 32, 33, 64, 65, 200]) {
      const salts = row(count)
      expect(saltCount(salts)).toBe(count)
      expect(bytesOf(salts)).toEqual(Array.from({ length: count }, (_, i) => four(i + 1)).flat())
    }
  })

  test('have empty places for what was skipped, before the salt that was given', () => {
    for (const skipped of [1, 3, 15, 16, 40]) {
      const salts = appendSalts(row(2), skipped, salt(9))
      expect(bytesOf(salts)).toEqual([...four(1), ...four(2), ...new Uint8Array(4 * skipped), ...four(9)])
      expect(bytesOf(appendSalts(row(2), skipped))).toEqual([...four(1), ...four(2), ...new Uint8Array(4 * skipped)])
    }
  })

  test('are values: what is appended to one of two that share their memory does not show in the other', () => {
    for (const count of [1, 15, 16, 30]) {
      const base = row(count)
      const [one, two] = [appendSalts(base, 0, salt(101)), appendSalts(base, 0, salt(102))]
      const three = appendSalts(base, 2, salt(103))
      expect(bytesOf(base)).toEqual(bytesOf(row(count)))
      expect(bytesOf(one).slice(-4)).toEqual(four(101))
      expect(bytesOf(two).slice(-4)).toEqual(four(102))
      expect(bytesOf(three).slice(-12)).toEqual([...new Uint8Array(8), ...four(103)])
      const more = appendSalts(one, 0, salt(104))
      expect(bytesOf(more).slice(-8)).toEqual([...four(101), ...four(104)])
      expect(bytesOf(two).slice(-4)).toEqual(four(102))
    }
  })

  test('do not copy what came before while there is room, so that a frame costs the same in a long chain', () => {
    const long = row(17)
    expect(appendSalts(long, 0, salt(1)).log).toBe(long.log)
    const logs = new Set(
      Array.from({ length: 500 }, (_, i) => i)
        .map((count) => row(count + 1))
        .map(({ log }) => log.bytes.length),
    )
    expect(logs.size).toBeLessThan(8)
  })

  test('can be cut to the last ones and go on from there', () => {
    const last = lastSalts(row(20), 3)
    expect(saltCount(last)).toBe(3)
    expect(bytesOf(last)).toEqual([18, 19, 20].flatMap(four))
    const next = appendSalts(last, 0, salt(21))
    expect([saltCount(next), ...bytesOf(next).slice(-4)]).toEqual([4, ...four(21)])
    expect(saltCount(lastSalts(last, 0))).toBe(0)
    expect(bytesOf(lastSalts(next, 2))).toEqual([20, 21].flatMap(four))
    expect([...(saltAt(last, 0) ?? [])]).toEqual(four(18))
  })

  test('are found by their place, and before the first there is none', () => {
    const salts = row(5)
    expect([0, 4].map((place) => [...(saltAt(salts, place) ?? [])])).toEqual([four(1), four(5)])
    expect([-1, -5].map((place) => saltAt(salts, place))).toEqual([undefined, undefined])
    const last = lastSalts(salts, 2)
    expect(saltAt(last, -1)).toBeUndefined()
  })

  test('are replaced one by one in a copy', () => {
    const salts = row(3)
    expect(bytesOf(replaceSalt(salts, 0, salt(9)))).toEqual([9, 2, 3].flatMap(four))
    expect(bytesOf(replaceSalt(salts, 2, salt(9)))).toEqual([1, 2, 9].flatMap(four))
    expect(replaceSalt(salts, -1, salt(9))).toBe(salts)
    expect(bytesOf(salts)).toEqual([1, 2, 3].flatMap(four))
    const cut = lastSalts(salts, 2)
    expect(bytesOf(replaceSalt(cut, 0, salt(9)))).toEqual([9, 3].flatMap(four))
  })
})
