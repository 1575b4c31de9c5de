import { expect, test } from 'vitest'
import { createLedger } from './ledger.ts'
import { plotOf } from './plot.ts'
import { createReport, isFlat } from './report.ts'
import { pairOf, soak } from './run.ts'
import { trendOf } from './trend.ts'

test('a text that arrives twice, elsewhere or not at all is a fault, and so is one that is told delivered twice', () => {
  const ledger = createLedger()
  const texts = Array.from({ length: 6 }, () => ledger.write(0, 1, 1_000))
  const [good, twice, lost, elsewhere, told, readOnly] = texts as [string, string, string, string, string, string]
  for (const text of [good, twice, twice, told, readOnly]) ledger.arrived(text, 1_005, 1)
  ledger.arrived(elsewhere, 1_005, 2)
  for (const text of [good, twice, told, told]) ledger.reached(text, 'delivered')
  ledger.reached(good, 'read')
  ledger.reached(readOnly, 'read')
  const faults = ledger.faults().join('\n')
  for (const text of [twice, lost, elsewhere, told]) expect(faults).toContain(`text ${text.trim().split(' ')[0]}`)
  for (const text of [good, readOnly]) expect(faults).not.toContain(`text ${text.trim().split(' ')[0]} `)
  expect(faults).toContain('2 was shown a text that nobody wrote to them')
  expect(ledger.latencies()).toEqual([5, 5, 5, 5])
  expect(ledger.latencies()).toEqual([])
})

test('a slope is found in noise, and noise alone is flat', () => {
  const noise = [0.3, -0.2, 0.1, -0.4, 0.2, 0.3, -0.3, 0.1, -0.1, 0]
  const leak = trendOf(noise.map((n, i) => [i, 20 + i + n]))
  expect(leak.slope).toBeCloseTo(1, 0)
  expect(isFlat(leak)).toBe(false)
  const still = trendOf(noise.map((n, i) => [i, 20 + n]))
  expect(isFlat(still)).toBe(true)
  expect(() => trendOf([[0, 1]])).toThrow(TypeError)
})

test('everybody writes to everybody', () => {
  const pairs = Array.from({ length: 12 }, (_, turn) => pairOf(turn, 4).join())
  expect(new Set(pairs).size).toBe(12)
  expect(pairs.some((pair) => pair[0] === pair[2])).toBe(false)
})

test('real nodes that write to each other deliver every text once, and what they held is drawn', async () => {
  const settings = { people: 3, minutes: 0.1, rate: 10, sampleSeconds: 1 }
  const result = await soak(settings)
  expect(result.faults).toEqual([])
  expect(result.sent).toBe(60)
  expect(result.samples.length).toBeGreaterThanOrEqual(5)
  for (const { people } of result.samples) for (const { heap } of people) expect(heap).toBeGreaterThan(1)
  const machine = { processor: 'a & b', cores: 1, memoryGiB: 1, system: '', node: '', load: 0, at: '2026-01-01' }
  const drawn = plotOf(createReport({ ...settings, machine }, result))
  expect(drawn).toContain('a &amp; b')
  expect(drawn).not.toContain('NaN')
}, 120_000)
