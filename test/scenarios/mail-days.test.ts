import { describe, expect, test } from 'vitest'
import {
  createMesh,
  type MailDayOptions,
  MAIL_FAULTS,
  mailDay,
  type SimulatedMesh,
  simulate,
} from '../../node/mesh/index.ts'
import { told, unhandled } from '../support/outcomes.ts'
import { firstSeed } from '../support/seed.ts'

/** `SEED=` runs one seed of each kind, `SEEDS=` so many; by default as many as fit into the budget of each (`firstSeed`). */
const { SEED, SEEDS } = process.env
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const DAYS: readonly { readonly name: string; readonly options: MailDayOptions; readonly budgetMs: number }[] = [
  { name: 'half days of people who come and go, with every fault', options: {}, budgetMs: 14_000 },
  {
    name: 'half days of machines and mailboxes that go back in time as well',
    options: { faults: [...MAIL_FAULTS, 'roll-back', 'roll-back', 'roll-back'] },
    budgetMs: 9_000,
  },
]

describe('what was accepted or is called stored arrives once and in order, with one mailbox of three', () => {
  test.each(DAYS)('$name', { timeout: 3_600_000 }, async ({ options, budgetMs }) => {
    const began = performance.now()
    const most = SEEDS !== undefined ? Number(SEEDS) : SEED !== undefined ? 1 : Number.POSITIVE_INFINITY
    let [seeds, virtualMs, messages] = [0, 0, 0]
    while (seeds < most && (seeds === 0 || SEEDS !== undefined || performance.now() - began < budgetMs)) {
      const outcome = await simulate(mailDay(options), firstSeed + seeds)
      seeds++
      virtualMs += outcome.virtualMs
      messages += outcome.messages
      if (outcome.violations.length > 0) expect.fail(told(outcome))
      expect(unhandled, `SEED=${outcome.seed}`).toEqual([])
    }
    const hours = virtualMs / HOUR
    process.stdout.write(
      `${seeds} seeds from SEED=${firstSeed}: ${hours.toFixed(0)} virtual hours, ${messages} messages\n`,
    )
  })
})

const KEEPERS = ['mia', 'max', 'mo']

/** Alice and Bob, who know each other and three who keep their mail. */
async function friends(options: {
  readonly seed: number
  readonly keepers?: readonly string[]
}): Promise<SimulatedMesh> {
  const { seed, keepers = KEEPERS } = options
  const mesh = await createMesh({
    nodes: ['alice', 'bob', ...keepers],
    network: 'simulated',
    contacts: true,
    delivery: 'mailbox',
    mailboxes: Object.fromEntries(keepers.map((name) => [name, 'contacts' as const])),
    primitives: 'fast',
    seed,
  })
  await mesh.settled()
  for (const who of ['alice', 'bob']) for (const name of keepers) await mesh.person(who).mailboxes.use(name)
  await mesh.advance(MINUTE)
  return mesh
}

/** How many messages of links left somebody since a line of the history, to anybody of these. */
function sends(mesh: SimulatedMesh, since: number, from: string, to: readonly string[]): number {
  return mesh.history.lines.slice(since).filter((line) => to.some((name) => line.includes(` send ${from} ${name} `)))
    .length
}

async function stateOf(mesh: SimulatedMesh, who: string, id: string): Promise<string> {
  return (await mesh.person(who).message(id)).state
}

describe('mail', () => {
  test('between two who never see each other comes to rest when it is acknowledged', { timeout: 120_000 }, async () => {
    await using mesh = await friends({ seed: 3 })
    mesh.partition('alice', 'bob')
    await mesh.advance(10 * MINUTE)
    const { id } = await mesh.person('alice').send('bob', 'by mail')
    await mesh.person('bob').send('alice', 'by mail too')
    await mesh.advance(30 * MINUTE)
    expect(await stateOf(mesh, 'alice', id)).toBe('delivered')
    const since = mesh.history.lines.length
    await mesh.advance(20 * HOUR)
    expect(sends(mesh, since, 'alice', KEEPERS) + sends(mesh, since, 'bob', KEEPERS)).toBeLessThan(60)
  })

  test('tops up the mailboxes that lacked a message when they are back, and only these', {
    timeout: 120_000,
  }, async () => {
    await using mesh = await friends({ seed: 4 })
    mesh.crash('max')
    mesh.crash('mo')
    await mesh.stop('bob')
    const { id } = await mesh.person('alice').send('bob', 'three copies')
    await mesh.advance(10 * MINUTE)
    expect((await mesh.person('alice').message(id)).states.stored).toHaveLength(1)
    await mesh.start('max')
    await mesh.start('mo')
    await mesh.advance(2 * HOUR)
    expect((await mesh.person('alice').message(id)).states.stored).toHaveLength(3)
    for (const name of KEEPERS) expect((await mesh.person(name).status()).keeps?.blobs, name).toBe(1)
  })

  test('goes to mailboxes when the link is there and nobody at its other end answers', {
    timeout: 120_000,
  }, async () => {
    await using mesh = await friends({ seed: 5 })
    expect((await mesh.person('alice').contacts.resolve('bob')).online).toBe(true)
    // what alice says to bob is lost, and so is what would tell her
    mesh.faults = { ...mesh.faults, tamper: (from, to, bytes) => (from === 'alice' && to === 'bob' ? [] : [bytes]) }
    const { id } = await mesh.person('alice').send('bob', 'are you there')
    await mesh.advance(3 * MINUTE)
    expect(await mesh.person('bob').messages('alice')).toMatchObject([{ text: 'are you there' }])
    await mesh.advance(20 * MINUTE)
    expect(await stateOf(mesh, 'alice', id)).toBe('delivered')
  })

  test('finds a mailbox that moved, and tells those who leave mail there', { timeout: 120_000 }, async () => {
    await using mesh = await friends({ seed: 6, keepers: ['mia'] })
    mesh.crash('mia')
    await mesh.start('mia', { moved: true })
    await mesh.advance(30 * MINUTE)
    expect(await mesh.person('bob').mailboxes.list()).toMatchObject([{ state: 'ready' }])
    await mesh.stop('bob')
    const { id } = await mesh.person('alice').send('bob', 'to the new place')
    await mesh.advance(10 * MINUTE)
    expect(await stateOf(mesh, 'alice', id)).toBe('stored')
  })

  test('goes on at a mailbox that went back to a time before it knew anybody', { timeout: 120_000 }, async () => {
    await using mesh = await createMesh({
      nodes: ['alice', 'bob', 'mia'],
      network: 'simulated',
      contacts: true,
      delivery: 'mailbox',
      mailboxes: { mia: 'contacts' },
      primitives: 'fast',
      seed: 7,
    })
    await mesh.settled()
    const before = await mesh.disk('mia').snapshot()
    await mesh.person('bob').mailboxes.use('mia')
    await mesh.advance(MINUTE)
    await mesh.rollBack('mia', before)
    await mesh.start('mia')
    await mesh.advance(20 * MINUTE)
    await mesh.stop('bob')
    const { id } = await mesh.person('alice').send('bob', 'once more')
    await mesh.advance(10 * MINUTE)
    expect(await stateOf(mesh, 'alice', id)).toBe('stored')
  })

  test('waits while a queue is full, and goes on when its owner has emptied it', { timeout: 300_000 }, async () => {
    await using mesh = await friends({ seed: 8, keepers: ['mia'] })
    await mesh.stop('bob')
    await mesh.advance(5 * MINUTE)
    // a queue takes 4 MiB: blobs that are small are put together
    const texts = Array.from({ length: 700 }, (_, i) => `text ${i} `.padEnd(8_000, 'x'))
    const sent = []
    for (const text of texts) sent.push((await mesh.person('alice').send('bob', text)).id)
    await mesh.advance(30 * MINUTE)
    const states = await Promise.all(sent.map((id) => stateOf(mesh, 'alice', id)))
    expect(new Set(states)).toEqual(new Set(['stored', 'queued']))
    mesh.partition('alice', 'bob')
    await mesh.start('bob')
    await mesh.advance(6 * HOUR)
    const got = (await mesh.person('bob').messages('alice', { last: 1_000 })).map(({ text }) => text)
    expect(got).toEqual(texts)
    await mesh.advance(HOUR)
    expect(await stateOf(mesh, 'alice', sent.at(-1) ?? '')).toBe('delivered')
  })

  test('that is over while it lies at a mailbox is shown to nobody', { timeout: 120_000 }, async () => {
    await using mesh = await friends({ seed: 9, keepers: ['mia'] })
    await mesh.stop('bob')
    await mesh.advance(5 * MINUTE)
    const { id } = await mesh.person('alice').send('bob', 'soon gone', { expires: 10 * MINUTE })
    await mesh.advance(HOUR)
    expect(await stateOf(mesh, 'alice', id)).toBe('expired')
    mesh.partition('alice', 'bob')
    await mesh.start('bob')
    await mesh.advance(HOUR)
    expect((await mesh.person('bob').messages('alice')).filter(({ text }) => text !== undefined)).toEqual([])
  })

  test('of somebody who was blocked or removed with blobs on the way comes to nothing', {
    timeout: 120_000,
  }, async () => {
    for (const how of ['block', 'remove'] as const) {
      await using mesh = await friends({ seed: 10, keepers: ['mia'] })
      await mesh.stop('bob')
      await mesh.advance(5 * MINUTE)
      await mesh.person('alice').send('bob', 'unwanted')
      await mesh.advance(5 * MINUTE)
      mesh.disconnect('bob')
      await mesh.start('bob')
      await mesh.person('bob').contacts[how]('alice')
      mesh.partition('alice', 'bob')
      mesh.reconnect('bob')
      await mesh.advance(HOUR)
      if (how === 'block') expect(await mesh.person('bob').messages('alice')).toEqual([])
      expect(mesh.history.happenings.filter(({ kind, who }) => kind === 'shown' && who === 'bob')).toEqual([])
      expect(mesh.errors).toEqual([])
    }
  })
})
