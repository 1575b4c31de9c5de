import { describe, expect, test } from 'vitest'
import { type Chaos, runChaos } from '../../support/chaos.ts'
import { seed } from '../../support/seed.ts'

/** Seeds of each kind in a row, from `SEED=` on; `SLOW=1` runs hundreds. */
const RUNS = process.env['SLOW'] ? 100 : 3

const KINDS: Readonly<Record<string, Chaos>> = {
  'no message is lost': { people: 2, loss: 0 },
  'stores go back in time': { people: 2, loss: 0, rollsBack: true },
  'a quarter of all messages is lost': { people: 2, loss: 0.25 },
  'half of all messages is lost': { people: 2, loss: 0.5 },
  'a quarter is lost, and sessions': { people: 2, loss: 0.25, losesSessions: true },
  'half is lost, and sessions': { people: 2, loss: 0.5, losesSessions: true },
  'a quarter is lost, and stores go back in time': { people: 2, loss: 0.25, rollsBack: true },
  'half is lost, and stores go back in time': { people: 2, loss: 0.5, rollsBack: true },
  'all of it happens': { people: 2, loss: 0.5, losesSessions: true, rollsBack: true },
  'all of it happens to three': { people: 3, loss: 0.25, losesSessions: true, rollsBack: true, steps: 60 },
  'strangers meet': { people: 3, loss: 0.25, losesSessions: true, strangers: true, steps: 60 },
  'clocks are half a day off': { people: 2, loss: 0.25, skewMs: 12 * 3_600_000, losesSessions: true },
}

describe.each(Object.entries(KINDS))('while %s', (name, chaos) => {
  test.each(Array.from({ length: RUNS }, (_, i) => seed + i))(
    'everything arrives once, in order and acknowledged (SEED=%i)',
    (run) => expect(runChaos(`${name} ${run}`, chaos)).toEqual([]),
    60_000,
  )
})
