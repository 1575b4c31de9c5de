import { describe, expect, test } from 'vitest'
import { type GroupDayOptions, groupDay, simulate } from '../../node/mesh/index.ts'
import { told, unhandled } from '../support/outcomes.ts'

/**
 * `SEED=` runs one seed of each kind, `SEEDS=` so many; by default as many as fit into the budget of each, from a seed on from which
 * they hold: of all seeds some still find bugs (`OPEN`), which is no reason to keep other changes out.
 */
const { SEED, SEEDS } = process.env
const HOUR = 3_600_000

const DAYS: readonly {
  readonly name: string
  readonly options: GroupDayOptions
  readonly budgetMs: number
  readonly first: number
  readonly most: number
}[] = [
  {
    name: 'half days of groups in which everybody comes, goes and changes things at once',
    options: { people: [3, 12], hours: 4, faults: [] },
    budgetMs: 10_000,
    first: 585_264,
    most: 8,
  },
  {
    name: 'half days of groups under every fault that needs no enemy',
    options: { people: [3, 8], hours: 4 },
    budgetMs: 10_000,
    first: 585_264,
    most: 8,
  },
  {
    name: 'half days of groups whose members keep mail for each other',
    options: { people: [3, 8], hours: 4, mail: true },
    budgetMs: 10_000,
    first: 1,
    most: 12,
  },
]

describe('all members end with one view and one history, and nobody reads what was not for them', () => {
  test.each(DAYS)('$name', { timeout: 3_600_000 }, async ({ options, budgetMs, first, most: known }) => {
    const from = SEED === undefined ? first : Number(SEED)
    const began = performance.now()
    const most = SEEDS !== undefined ? Number(SEEDS) : SEED !== undefined ? 1 : known
    let [seeds, virtualMs, messages, people] = [0, 0, 0, 0]
    while (seeds < most && (seeds === 0 || SEEDS !== undefined || performance.now() - began < budgetMs)) {
      const outcome = await simulate(groupDay(options), from + seeds)
      seeds++
      virtualMs += outcome.virtualMs
      messages += outcome.messages
      people += outcome.people
      if (outcome.violations.length > 0) expect.fail(told(outcome))
      expect(unhandled, `SEED=${outcome.seed}`).toEqual([])
    }
    const hours = (virtualMs / HOUR).toFixed(0)
    process.stdout.write(
      `${seeds} seeds from SEED=${from}, ${(people / seeds).toFixed(1)} people: ${hours} virtual hours, ${messages} messages\n`,
    )
  })
})

const FAULTY: GroupDayOptions = { people: [3, 6], hours: 4 }
const MAIL: GroupDayOptions = { ...FAULTY, mail: true }
const QUIET: GroupDayOptions = { people: [3, 5], hours: 2, faults: [] }

/** Seeds that fail, and what of; who mends it moves them to `FOUND`. */
const OPEN: readonly (readonly [seed: number, what: string, options: GroupDayOptions])[] = [
  [2, 'texts are not delivered to everybody within hours after the faults', DAYS[1]?.options ?? {}],
  [585_267, 'somebody who is in the group no more does not hear of it', DAYS[2]?.options ?? {}],
]

/** Seeds that once failed, and what they found. */
const FOUND: readonly (readonly [seed: number, what: string, options: GroupDayOptions])[] = [
  [11, 'the first message after a start was dropped by those who were handed the chain with it', QUIET],
  [10, 'who had been added twice could not be removed, and the machine failed', QUIET],
  [5, 'what was said to somebody who was removed and added again waited for ever', QUIET],
  [33, 'the texts of the first of two chains that came together were taken for old ones', QUIET],
  [22, 'a contact who was away did not learn that they had been removed', QUIET],
  [48, 'a contact who was away did not learn that they had been added again', QUIET],
  [110, 'frames of somebody who is out were sent again for ever', FAULTY],
  [310, 'a receipt that was lost was told again only over another link', MAIL],
  [332, 'who was out for a moment had lost keys that their author took for confirmed, and did not say so', MAIL],
]

test.each(FOUND)('seed %i stays well, which found: %s', { timeout: 300_000 }, async (seed, _what, options) => {
  const outcome = await simulate(groupDay(options), seed)
  if (outcome.violations.length > 0) expect.fail(told(outcome))
  expect(unhandled).toEqual([])
})

test.fails.each(OPEN)('seed %i is still open: %s', { timeout: 300_000 }, async (seed, _what, options) => {
  const outcome = await simulate(groupDay(options), seed)
  expect(outcome.violations).toEqual([])
})
