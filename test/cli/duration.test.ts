import { expect, test } from 'vitest'
import { parseDuration, parseMoment } from '../../cli/duration.ts'
import { having } from '../support/matchers.ts'

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['30d', 2_592_000_000],
  ['0s', 0],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', '10', 's', '-1s', '1.5s', '1 s', '1s ', '9999999999999s', '999999999d', '1w', '٣s', '1S'])(
  '"%s" is no duration',
  (text) => {
    expect(() => parseDuration(text)).toThrow(having({ code: 'usage' }))
  },
)

test('a moment is a duration ago or a date', () => {
  expect(parseMoment('10s', 60_000)).toBe(50_000)
  expect(parseMoment('1d', 1000)).toBe(0)
  expect(parseMoment('2026-08-01T12:00Z', 0)).toBe(Date.UTC(2026, 7, 1, 12))
  expect(parseMoment('2026-08-01', 0)).toBe(new Date(2026, 7, 1).getTime())
  for (const text of ['2026-99-99', '2026-08-01x', 'yesterday']) {
    expect(() => parseMoment(text, 0)).toThrow(having({ code: 'usage' }))
  }
})
