import { setTimeout } from 'node:timers/promises'
import { describe, expect, onTestFailed, test } from 'vitest'
import { type Circle, type Member, openCircle } from '../support/members.ts'
import { numbersFrom, seed } from '../support/seed.ts'

const SLOW = process.env['SLOW'] === '1'
const CIRCLES = SLOW
  ? [
      { members: 10, rounds: 30, gossip: true },
      { members: 10, rounds: 30, gossip: false },
    ]
  : [
      { members: 5, rounds: 6, gossip: true },
      { members: 4, rounds: 3, gossip: false },
    ]
/** Texts that each says in a round. */
const BURST = 5
const PATIENCE_MS = SLOW ? 1_200_000 : 240_000

/** Everybody writes in each round; now and then somebody is killed in the middle of it, and some stay away for several rounds. */
async function talkWithChurn({ people, group }: Circle, rounds: number, below: (n: number) => number): Promise<number> {
  const away = new Map<Member, number>()
  let kills = 0
  for (let round = 0; round < rounds; round++) {
    for (const [member, until] of away) {
      if (until > round) continue
      await member.again()
      away.delete(member)
    }
    const texts = (member: Member): string[] => Array.from({ length: BURST }, (_, i) => `${member.name} ${round}.${i}`)
    const bursts = people.filter(({ isUp }) => isUp).map((member) => member.say(group, texts(member)))
    await setTimeout(below(60))
    const up = people.filter(({ isUp }) => isUp)
    // one at a time in a small circle, two in a large one; a part of them returns at once
    for (let i = 0; i < Math.max(1, Math.floor(people.length / 5)) && up.length > people.length / 2; i++) {
      const [victim] = up.splice(below(up.length), 1)
      if (victim === undefined) continue
      await victim.kill()
      kills += 1
      away.set(victim, round + 1 + (below(3) === 0 ? 3 : 0))
    }
    await Promise.all(bursts)
  }
  for (const member of away.keys()) await member.again()
  return kills
}

/** Everybody has everything once, in the order of its author, and every author knows. */
async function expectAllHere({ people, group }: Circle): Promise<number> {
  await Promise.all(people.map((member) => member.say(group, [`${member.name} ends`])))
  const own = new Map<string, (string | undefined)[]>()
  for (const { name, account, worker, accepted, tried } of people) {
    const texts = (await worker.ask('said', group)).filter(({ from }) => from === account).map(({ text }) => text)
    expect(
      [...accepted].filter((text) => !texts.includes(text)),
      name,
    ).toEqual([])
    // what was not accepted may have been written all the same, and then counts
    expect(texts, name).toEqual(tried.filter((text) => texts.includes(text)))
    own.set(account, texts)
  }
  const total = [...own.values()].reduce((sum, { length }) => sum + length, 0)
  await Promise.all(
    people.map(({ account, worker }) => worker.ask('hears', { group, count: total - (own.get(account)?.length ?? 0) })),
  )
  await Promise.all(people.map(({ worker }) => worker.ask('reached', group)))
  for (const { name, worker } of people) {
    const said = await worker.ask('said', group)
    expect(
      said.filter(({ missing }) => missing !== undefined),
      name,
    ).toEqual([])
    for (const [account, texts] of own)
      expect(
        said.filter(({ from }) => from === account).map(({ text }) => text),
        name,
      ).toEqual(texts)
    expect(said.length, name).toBe(total)
  }
  return total
}

/** Who is no contact of somebody is shown nowhere and cannot be written to, though both hear each other in the group. */
async function expectNothingElse({ people: [first, ...others], group }: Circle): Promise<void> {
  for (const { account, worker } of others) {
    expect(await worker.ask('contacts')).toEqual([first?.account])
    const authors = new Set((await worker.ask('said', group)).map(({ from }) => from))
    for (const other of others.filter((each) => each.account !== account)) {
      expect(authors).toContain(other.account)
      expect(await worker.ask('refusal', other.account)).toBe('not-found')
    }
  }
}

describe('a group of processes of which most are no contacts of each other', () => {
  test.each(CIRCLES)(
    `loses, doubles and swaps nothing while members are killed and away, and is all that there is between strangers ($members members, $rounds rounds, gossip: $gossip)`,
    async ({ members, rounds, gossip }) => {
      onTestFailed(() => void process.stderr.write(`SEED=${seed}\n`))
      await using circle = await openCircle({ members, gossip, mailbox: !gossip })
      const start = performance.now()
      const kills = await talkWithChurn(circle, rounds, numbersFrom(seed))
      const middle = performance.now()
      const total = await expectAllHere(circle)
      await expectNothingElse(circle)
      if (SLOW) {
        const [churn, rest] = [middle - start, performance.now() - middle].map((ms) => (ms / 1000).toFixed(1))
        process.stdout.write(`${total} messages, ${kills} kills, ${churn} s of churn, whole after ${rest} s more\n`)
      }
    },
    PATIENCE_MS,
  )
})
