import { describe, expect, test } from 'vitest'
import { createSimulatedClock, type SimulatedClock } from '../../../node/mesh/simulated/clock.ts'
import { createDice } from '../../../node/mesh/simulated/dice.ts'

const clockOf = (seed: string): SimulatedClock => createSimulatedClock(1_000, createDice(seed))

/** In which order three processes have their turns. */
async function orderOf(seed: string): Promise<string> {
  const clock = clockOf(seed)
  const seen: string[] = []
  for (const name of ['a', 'b', 'c']) {
    const process = clock.process()
    for (let i = 1; i <= 3; i++) process.soon(() => seen.push(`${name}${i}`))
  }
  await clock.atRest()
  return seen.join(' ')
}

describe('a simulated clock', () => {
  test('runs what is due in the order of time, and all promises before the next', async () => {
    const clock = clockOf('time')
    const process = clock.process()
    const seen: string[] = []
    const note = (what: string) => async () => {
      seen.push(`${what} at ${clock.now}`)
      for (let i = 0; i < 20; i++) await Promise.resolve()
      seen.push(`${what} done`)
    }
    process.at(1_300, () => void note('third')())
    process.at(1_100, () => void note('first')())
    process.at(1_100, () => void note('second')())
    const cancel = process.at(1_200, () => void note('never')())
    process.at(5_000, () => void note('later')())
    cancel()
    await clock.advance(1_000)
    expect(seen).toEqual([
      'first at 1100',
      'first done',
      'second at 1100',
      'second done',
      'third at 1300',
      'third done',
    ])
    expect(clock.now).toBe(2_000)
  })

  test('gives turns by the seed, and keeps what one process scheduled in order', async () => {
    const orders = await Promise.all(Array.from({ length: 20 }, (_, i) => orderOf(`${i}`)))
    expect(await Promise.all(Array.from({ length: 20 }, (_, i) => orderOf(`${i}`)))).toEqual(orders)
    expect(new Set(orders).size).toBeGreaterThan(5)
    for (const order of orders) {
      for (const name of ['a', 'b', 'c']) {
        expect(order.split(' ').filter((each) => each.startsWith(name))).toEqual([1, 2, 3].map((i) => `${name}${i}`))
      }
    }
  })

  test('shows each process a time of its own', async () => {
    const clock = clockOf('skew')
    const fast = clock.process({ skewMs: 500, stoppedAt: null })
    let rang = 0
    fast.at(1_700, () => (rang = clock.now))
    await clock.advance(1_000)
    expect(rang).toBe(1_200)
    expect(fast.now()).toBe(2_500)
  })

  test('runs nothing of a process that is frozen until it is thawed, and nothing of one that was killed', async () => {
    const clock = clockOf('sleep')
    const [sleeper, victim] = [clock.process(), clock.process()]
    const seen: string[] = []
    sleeper.at(1_100, () => seen.push(`woke at ${clock.now}`))
    victim.at(1_100, () => seen.push('a ghost'))
    sleeper.freeze()
    victim.kill()
    await clock.advance(1_000)
    expect(seen).toEqual([])
    sleeper.thaw()
    await clock.atRest()
    expect(seen).toEqual(['woke at 2000'])
  })

  test('keeps what was thrown, and says when there is never rest', async () => {
    const clock = clockOf('loop')
    const process = clock.process()
    process.soon(() => {
      throw new Error('thrown')
    })
    const again = (): void => process.soon(again)
    again()
    await expect(clock.advance(1)).rejects.toThrow('still no rest')
    expect(clock.errors).toEqual([new Error('thrown')])
  })
})
