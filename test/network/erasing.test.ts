import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toHex } from '../../lib/bytes.ts'
import { RANGES, type Range } from '../../lib/rows.ts'
import type { Clock } from '../../node/clock.ts'
import { systemClock } from '../../node/clock.ts'
import { openHome } from '../../node/home.ts'
import { createAccount, createNode, type HistoryMode, type Node, type NodeEvent } from '../../node/index.ts'
import { openLevelStore } from '../../node/store/level-store.ts'
import { everythingIn } from '../support/disk.ts'

const HOUR_MS = 3_600_000
const SECRETS = {
  'what expires': 'canary expiring 8f21',
  'the edit of what expires': 'canary expiring 7c05',
  'what is deleted': 'canary deleted 11d9',
  'the edit of what is deleted': 'canary deleted 62aa',
  'what a history forgets': 'canary forgotten 3b7e',
  'a reaction to what expires': '🦊🦊🦊🦊',
}
const KEPT = 'canary kept 90f4'

let directory = ''
const home = (name: string) => ({ directory: join(directory, name), passphrase: `the passphrase of ${name}` })

/** The machine's clock, and hours later. */
function clockAt(aheadMs: number): Clock {
  return {
    ...systemClock,
    now: () => systemClock.now() + aheadMs,
    at: (time, run) => systemClock.at(time - aheadMs, run),
  }
}

function start(
  name: string,
  aheadMs: number,
  bootstrap: readonly string[],
  history: HistoryMode = 'keep',
): Promise<Node> {
  return createNode({
    ...home(name),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap,
    history,
    clock: clockAt(aheadMs),
  })
}

/** Resolves with the first event from now on that fits. */
async function event(node: Node, fits: (event: NodeEvent) => boolean): Promise<NodeEvent> {
  for await (const each of node.events({ signal: AbortSignal.timeout(60_000) })) if (fits(each)) return each
  throw new Error('the node stopped before')
}

/** The values of everything in a home, as whoever has the passphrase reads them. */
async function opened(name: string): Promise<string> {
  await using opened = await openHome(home(name).directory, { passphrase: home(name).passphrase })
  const values: Buffer[] = []
  for (const range of Object.keys(RANGES) as Range[]) {
    for (const { value } of await opened.store.list(range)) values.push(Buffer.from(value))
  }
  return Buffer.concat(values).toString()
}

/** The keys of erasable rows as they lie on disk, by range and key of their row. */
async function rawKeys(name: string): Promise<Map<string, Uint8Array>> {
  const keys = new Map<string, Uint8Array>()
  await using raw = await openLevelStore(join(home(name).directory, 'db'))
  for (const range of ['message-key', 'change-key'] as const) {
    for (const { key, value } of await raw.list(range)) keys.set(`${range} ${toHex(key)}`, value)
  }
  return keys
}

function secretsIn(text: string): string[] {
  return Object.entries(SECRETS).flatMap(([what, secret]) => (text.includes(secret) ? [what] : []))
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sotto-erasing-'))
  for (const name of ['alice', 'bob']) await createAccount({ ...home(name), name })
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

test('what expired, was deleted or forgotten is in no home any more, for whoever has the passphrase too', {
  timeout: 180_000,
}, async () => {
  const signal = AbortSignal.timeout(60_000)
  let deletedId = ''
  {
    await using alice = await start('alice', 0, [])
    await using bob = await start('bob', 0, alice.addresses())
    const asked = event(alice, ({ kind }) => kind === 'request')
    await bob.contacts.add((await alice.invite()).link, { petname: 'alice' })
    const request = await asked
    if (request.kind !== 'request') throw new Error('no request')
    await alice.contacts.accept(request.contact.id, { petname: 'bob' })
    const expiring = await alice.send('bob', SECRETS['what expires'], { expires: HOUR_MS })
    const deleted = await alice.send('bob', SECRETS['what is deleted'])
    deletedId = deleted.id
    await alice.send('bob', SECRETS['what a history forgets'])
    const kept = await alice.send('bob', KEPT)
    await kept.reached('delivered', { signal })
    const reacted = event(alice, (each) => each.kind === 'change' && each.message.reactions !== undefined)
    await bob.react(expiring.id, SECRETS['a reaction to what expires'])
    await reacted
    const edited = event(bob, (each) => each.kind === 'change' && each.message.id === deletedId)
    await alice.edit(expiring.id, SECRETS['the edit of what expires'])
    await alice.edit(deletedId, SECRETS['the edit of what is deleted'])
    await edited
  }
  // all of it is found before, so that it would be found after
  for (const name of ['alice', 'bob']) expect(secretsIn(await opened(name))).toEqual(Object.keys(SECRETS))
  const before = { alice: await rawKeys('alice'), bob: await rawKeys('bob') }
  {
    await using alice = await start('alice', 2 * HOUR_MS, [])
    // bob reads, and keeps nothing that he has read
    await using bob = await start('bob', 2 * HOUR_MS, alice.addresses(), 'off')
    const gone = event(bob, (each) => each.kind === 'change' && each.message.kind === 'deleted')
    expect(await alice.delete(deletedId)).toMatchObject({ kind: 'deleted' })
    expect((await alice.messages('bob')).map(({ kind, text }) => text ?? kind)).toEqual([
      'deleted',
      SECRETS['what a history forgets'],
      KEPT,
    ])
    await gone
    const forgotten = event(bob, (each) => each.kind === 'gone')
    await bob.read('alice')
    await forgotten
    expect(await bob.messages('alice')).toEqual([])
  }
  expect(secretsIn(await opened('bob'))).toEqual([])
  expect(await opened('bob')).not.toContain(KEPT)
  expect(secretsIn(await opened('alice'))).toEqual(['what a history forgets'])
  expect(await opened('alice')).toContain(KEPT)
  for (const name of ['alice', 'bob'] as const) {
    const now = await rawKeys(name)
    const files = [...(await everythingIn(join(home(name).directory, 'db'))).values()].map(({ bytes }) => bytes)
    const old = [...before[name]].filter(([row, key]) => toHex(now.get(row) ?? new Uint8Array()) !== toHex(key))
    expect(old.length).toBeGreaterThan(2)
    const found = old.filter(([, key]) => files.some((file) => file.includes(Buffer.from(key))))
    expect(found.map(([row]) => row)).toEqual([])
  }
})
