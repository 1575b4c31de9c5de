import { expect, test } from 'vitest'
import { interleave } from './rounds.ts'
import { isMet } from './row.ts'
import { burst } from './rows/ratchet.ts'
import { quantile, ratioOf, spreadOf } from './statistics.ts'
import { tableOf } from './table.ts'

test('every round runs all contestants in turning order, and the first round is not counted', async () => {
  const order: string[] = []
  const run = (name: string) => async (round: number) => {
    order.push(name)
    return `${name}${round}`
  }
  expect(await interleave(2, [run('a'), run('b')])).toEqual([
    ['a1', 'a2'],
    ['b1', 'b2'],
  ])
  expect(order.join('')).toBe('abbaab')
})

test('a ratio is that of rounds, so one slow round of both changes nothing', () => {
  expect(ratioOf([10, 1, 12], [20, 2, 24])).toBe(0.5)
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3, count: 3 })
  expect(quantile([5, 1, 4, 2, 3], 0.99)).toBe(5)
  expect(() => quantile([], 0.5)).toThrow(TypeError)
})

test('a goal is met from its own side', () => {
  const target = { name: 'x', value: 2, unit: '×' }
  expect(isMet(target)).toBeNull()
  expect(isMet({ ...target, goal: { at: 'least', value: 2 } })).toBe(true)
  expect(isMet({ ...target, goal: { at: 'most', value: 1.9 } })).toBe(false)
})

test('a row runs in processes of its own and gives figures and goals', async () => {
  const row = await burst({ quick: true })
  for (const { median, low, high } of row.figures) {
    expect(low).toBeGreaterThan(0)
    expect(median).toBeGreaterThanOrEqual(low)
    expect(high).toBeGreaterThanOrEqual(median)
  }
  expect(row.targets.find(({ name }) => name.startsWith('bytes added'))).toMatchObject({ value: 91 })
  expect(tableOf([row])).toContain('Sotto / the same calls alone')
})
