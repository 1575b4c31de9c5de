import { afterAll, expect, test } from 'vitest'
import { type GroupDayOptions, groupDay, type Outcome, simulate, timeline } from '../../node/mesh/index.ts'

const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
process.on('unhandledRejection', onUnhandled)
afterAll(() => void process.off('unhandledRejection', onUnhandled))

/** What somebody needs who looks for the reason. */
function told({ seed, violations, lines }: Outcome): string {
  const story = timeline(lines)
  return [
    `SEED=${seed}`,
    ...violations.map(({ invariant, text }) => `${invariant}: ${text}`),
    `… ${story.length} lines, the last:`,
    ...story.slice(-40),
  ].join('\n')
}

const QUIET: GroupDayOptions = { people: [3, 5], hours: 2, faults: [] }

/** Seeds that once failed, and what they found. */
const FOUND: readonly (readonly [seed: number, what: string, options: GroupDayOptions])[] = [
  [11, 'the first message after a start was dropped by those who were handed the chain with it', QUIET],
]

test.each(FOUND)('seed %i stays well, which found: %s', { timeout: 300_000 }, async (seed, _what, options) => {
  const outcome = await simulate(groupDay(options), seed)
  if (outcome.violations.length > 0) expect.fail(told(outcome))
  expect(unhandled).toEqual([])
})
