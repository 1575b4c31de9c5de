import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Message } from '../../node/api.ts'
import { containing } from '../support/matchers.ts'
import {
  deliver,
  delivered,
  LOOPBACK,
  type Resident,
  requestOf,
  textsOf,
  twoFriends,
  type TwoPeople,
} from '../support/processes.ts'

let people: TwoPeople
let ada: Resident
let bob: Resident
/** What the commands said while the node ran. */
const online: Record<string, unknown> = {}

const WITHOUT_NODE = {
  id: ['id'],
  contacts: ['contacts'],
  requests: ['requests'],
  log: ['log', 'bob'],
  verify: ['verify', 'bob'],
}

beforeAll(async () => {
  people = await twoFriends()
  ada = people.ada
  bob = people.bob
  await deliver(ada, 'bob', 'hello')
  for (const [name, words] of Object.entries(WITHOUT_NODE)) online[name] = await ada.ask(...words)
  await Promise.all([ada.ask('down'), bob.ask('down')])
})
afterAll(() => people[Symbol.asyncDispose]())

describe('without a node', () => {
  test.each(Object.entries(WITHOUT_NODE))('%s says the same as with one', async (name, words) => {
    const offline = await ada.ask(...words)
    // who is there is for a node to know
    const expected = (online[name] as object[]).map((each) =>
      'online' in each ? { ...each, online: false, rung: undefined } : each,
    )
    expect(offline).toEqual(expected)
  })

  test('invite gives a link that works as soon as the node runs', async () => {
    const [invite] = await ada.ask<{ link: string }>('invite')
    expect(invite?.link).toMatch(/^sotto:[\w-]{100,506}$/)
    const carol = await people.scene.settle('carol')
    await Promise.all([ada.again(), carol.up(['--listen', LOOPBACK])])
    await carol.ask('add', invite?.link ?? '', '--hello', 'by link')
    expect(await requestOf(ada)).toMatchObject({ claimedName: 'carol', hello: 'by link' })
    await Promise.all([ada.ask('down'), carol.ask('down')])
  })

  test.each([
    ['add', 'sotto1qqqq'],
    ['accept', 'bob'],
    ['block', 'bob'],
    ['read', 'bob'],
    ['status'],
    ['down'],
    ['log', 'bob', '--follow'],
  ])('%s ends with 3 and says what starts one', async (...words) => {
    const refused = await ada.sotto(...words)
    expect(refused).toMatchObject({ code: 3, stdout: '' })
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'no-node', hint: containing('sotto up') } })
  })

  test('in live mode send is refused and leaves nothing', async () => {
    const config = join(bob.home, 'config.json')
    const before = await readFile(config, 'utf8')
    await writeFile(config, JSON.stringify({ ...(JSON.parse(before) as object), delivery: 'live' }))
    const refused = await bob.sotto('send', 'ada', 'now or never')
    expect(refused).toMatchObject({ code: 4, stdout: '' })
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'peer_away' } })
    expect(await textsOf(bob, 'ada')).toEqual(['hello'])
    await writeFile(config, before)
  })

  test('send queues, also for several at once, and what waited is delivered in order after up', async () => {
    const [first] = await ada.ask<Message>('send', 'bob', 'first')
    expect(first).toMatchObject({ text: 'first', state: 'queued' })
    const waiting = await ada.sotto('send', 'bob', 'second', '--wait', 'delivered')
    expect(waiting.code).toBe(4)
    expect(JSON.parse(waiting.stdout)).toMatchObject({ text: 'second', state: 'queued' })
    expect(JSON.parse(waiting.stderr)).toMatchObject({ error: { code: 'timeout', hint: containing('sotto up') } })
    const together = ['third', 'fourth', 'fifth']
    await Promise.all(together.map((text) => ada.ask('send', 'bob', text, '--wait', 'queued')))
    const queued = await textsOf(ada, 'bob')
    expect(queued.slice(0, 3)).toEqual(['hello', 'first', 'second'])
    expect(new Set(queued.slice(3))).toEqual(new Set(together))
    expect(queued).toHaveLength(6)

    await Promise.all([ada, bob].map((person) => person.again()))
    for (const text of queued) await delivered(ada, 'bob', text ?? '')
    expect(await textsOf(bob, 'ada')).toEqual(queued)
    await deliver(bob, 'ada', 'thank you')
    expect(await textsOf(ada, 'bob')).toEqual([...queued, 'thank you'])
  })
})
