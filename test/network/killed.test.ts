import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, onTestFailed, test } from 'vitest'
import type { Caller } from '../../cli/client.ts'
import type { Message } from '../../node/api.ts'
import {
  deliver,
  delivered,
  linkOf,
  LOOPBACK,
  openScene,
  processesOf,
  requestOf,
  type Resident,
  textsOf,
  twoFriends,
  twoStrangers,
} from '../support/processes.ts'
import { numbersFrom, seed } from '../support/seed.ts'

const ROUNDS = process.env['SLOW'] === '1' ? 200 : 20
/** A round takes about a second. */
const PATIENCE_MS = 30_000 + ROUNDS * 3_000
/** Messages that each side sends in a round. */
const BURST = 24

/** What one side wrote: accepted texts, and those of which nobody knows, in the order written. */
interface Written {
  readonly accepted: Set<string>
  readonly all: string[]
}

/** Sends a burst without waiting for answers; ends with it, or with the node. */
async function burst(caller: Caller, who: string, texts: readonly string[], written: Written): Promise<void> {
  await Promise.allSettled(
    texts.map(async (text) => {
      written.all.push(text)
      await caller.call('message.send', { who, text })
      written.accepted.add(text)
    }),
  )
}

/** Resolves after so many events of the node, or when it is gone. */
async function afterEvents(caller: Caller, count: number): Promise<void> {
  let seen = 0
  try {
    for await (const { event } of caller.events({ signal: AbortSignal.timeout(20_000) })) {
      if (event.kind === 'message' || event.kind === 'state') seen += 1
      if (seen > count) return
    }
  } catch {
    // it was killed
  }
}

function log(person: Resident, who: string): Promise<Message[]> {
  return person.ask<Message>('log', who, '--last', '10000')
}

describe('a node that is killed', () => {
  test(
    `(SIGKILL in each of ${ROUNDS} bursts, now the one side, now the other, now both) loses, doubles and swaps nothing`,
    async () => {
      onTestFailed(() => void process.stderr.write(`SEED=${seed}\n`))
      const below = numbersFrom(seed)
      await using people = await twoFriends()
      const sides = [
        { person: people.ada, to: 'bob', written: { accepted: new Set<string>(), all: [] as string[] } },
        { person: people.bob, to: 'ada', written: { accepted: new Set<string>(), all: [] as string[] } },
      ] as const

      for (let round = 0; round < ROUNDS; round++) {
        const victims = round % 5 === 4 ? sides : [sides[round % 2 === 0 ? 0 : 1]]
        const watched = sides[below(2) === 0 ? 0 : 1]
        const callers = await Promise.all(sides.map(({ person }) => person.connect()))
        const watching = await watched.person.connect()
        const moment = afterEvents(watching, below(3 * BURST))
        const bursts = sides.map(({ person, to, written }, i) =>
          burst(
            callers[i] as Caller,
            to,
            Array.from({ length: BURST }, (_, n) => `${person.account.slice(6, 10)} ${round}.${n}`),
            written,
          ),
        )
        await moment
        // what was just told is safe; a moment later something else is half done
        await setTimeout(below(16))
        for (const exit of await Promise.all(victims.map(({ person }) => person.node.signal('SIGKILL')))) {
          expect(exit).toEqual({ code: null, signal: 'SIGKILL' })
        }
        await Promise.all([...bursts, ...victims.map(({ person }) => person.again())])
      }

      for (const { person, to, written } of sides) {
        await deliver(person, to, 'the end')
        written.all.push('the end')
        written.accepted.add('the end')
      }
      for (const [i, { person, to, written }] of sides.entries()) {
        const own = (await log(person, to)).filter(({ from }) => from === person.account)
        const reader = sides[1 - i] as (typeof sides)[0]
        const read = (await log(reader.person, reader.to)).filter(({ from }) => from === person.account)
        const texts = own.map(({ text }) => text ?? '')
        // what was not accepted may have been written all the same, and then counts
        expect(texts).toEqual(written.all.filter((text) => texts.includes(text)))
        expect([...written.accepted].filter((text) => !texts.includes(text))).toEqual([])
        expect(read.map(({ text }) => text)).toEqual(texts)
        expect(read.filter(({ missing }) => missing !== undefined)).toEqual([])
        expect(own.filter(({ state }) => state !== 'delivered')).toEqual([])
      }
    },
    PATIENCE_MS,
  )
})

test('a request outlives the nodes of both sides, and what waits behind it', async () => {
  await using people = await twoStrangers()
  const { ada, bob } = people
  await bob.ask('add', await linkOf(ada), '--as', 'ada', '--hello', 'good day')
  await requestOf(ada)
  await Promise.all([ada, bob].map(({ node }) => node.signal('SIGKILL')))
  expect(await ada.ask('requests')).toMatchObject([{ account: bob.account, hello: 'good day' }])
  await Promise.all([ada.again(), bob.again()])
  // long enough for the two to meet again, in silence
  expect(await bob.sotto('send', 'ada', 'behind it', '--wait', 'delivered', '--timeout', '2s')).toMatchObject({
    code: 4,
  })
  await ada.ask('accept', bob.account, '--as', 'bob')
  await delivered(bob, 'ada', 'behind it')
  expect(await textsOf(ada, 'bob')).toEqual(['good day', 'behind it'])
})

describe.skipIf(process.platform !== 'linux')('SIGKILL of the process that a person started', () => {
  test('leaves no process, and nothing that keeps the next node from starting', async () => {
    await using scene = await openScene()
    const ada = await scene.settle('ada')
    const node = await ada.up(['--listen', LOOPBACK])
    expect(processesOf(ada.home)).toEqual([node.pid])
    expect(await readFile(join(ada.home, 'lock'), 'utf8')).toBe(`${node.pid}\n`)
    await node.signal('SIGKILL')
    expect(processesOf(ada.home)).toEqual([])
    expect((await lstat(join(ada.home, 'sotto.sock'))).isSocket()).toBe(true)

    expect(await ada.ask('contacts')).toEqual([])
    const next = await ada.up(['--listen', LOOPBACK])
    expect(await ada.ask('status')).toMatchObject([{ up: true }])
    await next.signal('SIGKILL')
    expect((await (await ada.up(['--listen', LOOPBACK])).signal('SIGTERM')).code).toBe(0)
    expect(processesOf(ada.home)).toEqual([])
  })
})
