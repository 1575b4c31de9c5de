import { describe, expect, test } from 'vitest'
import {
  createHostileMailbox,
  createMesh,
  MAILBOX_MISBEHAVIOURS,
  type MailboxMisbehaviour,
  type SimulatedMesh,
} from '../../../node/mesh/index.ts'
import { utf8 } from '../../../lib/bytes.ts'
import { BLOB_BYTES } from '../../../lib/mailbox/blob.ts'
import { decodeRequest } from '../../../lib/mailbox/messages.ts'
import { insideOf } from '../../../node/mesh/simulated/inside.ts'
import { droppedBy, textsOf } from '../../support/hostile.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const MISBEHAVIOURS = Object.keys(MAILBOX_MISBEHAVIOURS) as MailboxMisbehaviour[]

/** Alice and Bob, whose mail Mia, Max and Mo keep. */
async function friends(seed: string, keepers: readonly string[]): Promise<SimulatedMesh> {
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
  await mesh.advance(2 * MINUTE)
  return mesh
}

describe('two hostile mailboxes of three', () => {
  test.each(MISBEHAVIOURS)('lose, double and delay nothing when each %s', { timeout: 120_000 }, async (misbehaves) => {
    await using mesh = await friends(`hostile ${misbehaves}`, ['mia', 'max', 'mo'])
    const boxes = []
    for (const taken of ['mia', 'mo']) {
      await mesh.stop(taken)
      boxes.push(await createHostileMailbox({ mesh, name: `hostile-${taken}`, of: taken, misbehaves }))
    }
    for (const name of ['mia', 'max', 'mo']) await mesh.person('bob').mailboxes.use(name)
    await mesh.advance(5 * MINUTE)
    await mesh.stop('bob')
    await mesh.advance(2 * MINUTE)
    const texts = [1, 2, 3, 4, 5].map((i) => `text ${i}`)
    for (const text of texts) await mesh.person('alice').send('bob', text)
    await mesh.advance(2 * HOUR)
    for (const { state, states } of await mesh.person('alice').messages('bob')) {
      expect(state).toBe('stored')
      const far = (states.stored ?? []).filter(({ until }) => until > mesh.now + 15 * 24 * HOUR)
      expect(far).toEqual([])
    }
    const given = boxes.reduce((sum, { heard }) => sum + heard.length, 0)
    await mesh.stop('alice')
    await mesh.start('bob')
    await mesh.advance(20 * MINUTE)
    const got = await mesh.person('bob').messages(mesh.accountOf('alice'))
    expect(got.map(({ text }) => text)).toEqual(texts)
    for (const box of boxes) if (box.misbehaves === 'withholds') box.misbehaves = null
    await mesh.start('alice')
    await mesh.advance(2 * HOUR)
    expect((await mesh.person('alice').messages('bob')).map(({ state }) => state)).toEqual(texts.map(() => 'delivered'))
    expect(await textsOf(mesh, 'bob', 'alice')).toEqual(texts)
    expect(mesh.errors).toEqual([])
    // nobody is kept busy: five texts in two hours are some hundred messages and logins at the most
    expect(given).toBeLessThan(400)
    for (const who of ['alice', 'bob']) {
      expect(mesh.load(who)?.timers, who).toBeLessThan(80)
      const inner = Object.keys(droppedBy(mesh, who)).filter((reason) => /^(?:seal|timer|settle|defect)/.test(reason))
      expect(inner, who).toEqual([])
    }
  })

  test('receipts for something else make nothing stored', { timeout: 120_000 }, async () => {
    for (const misbehaves of ['other-queue', 'other-hash'] as const) {
      await using mesh = await friends(`receipts ${misbehaves}`, ['mia'])
      await mesh.stop('mia')
      await using mia = await createHostileMailbox({ mesh, name: 'hostile-mia', of: 'mia', misbehaves })
      await mesh.person('bob').mailboxes.use('mia')
      await mesh.advance(5 * MINUTE)
      await mesh.stop('bob')
      const { id } = await mesh.person('alice').send('bob', 'not stored')
      await mesh.advance(10 * MINUTE)
      expect(mia.blobs.length).toBeGreaterThan(0)
      expect((await mesh.person('alice').message(id)).state).toBe('queued')
    }
  })

  test('that drowns its owner in made-up blobs is left, and reached seldom', { timeout: 120_000 }, async () => {
    await using mesh = await friends('drowning', ['mia'])
    await mesh.stop('mia')
    await using mia = await createHostileMailbox({ mesh, name: 'hostile-mia', of: 'mia', misbehaves: 'floods' })
    await mesh.person('bob').mailboxes.use('mia')
    await mesh.advance(2 * HOUR)
    expect(droppedBy(mesh, 'bob')['blob: unreadable']).toBeLessThan(20 * 200)
    expect(mia.streams).toBeGreaterThan(2)
    expect(mia.streams).toBeLessThan(20)
  })

  test('that did not produce what they had a receipt for make nothing stored for a day', {
    timeout: 120_000,
  }, async () => {
    await using mesh = await friends('doubt', ['mia', 'max'])
    await mesh.stop('mia')
    await using mia = await createHostileMailbox({ mesh, name: 'hostile-mia', of: 'mia', misbehaves: 'drops' })
    for (const who of ['alice', 'bob']) for (const name of ['mia', 'max']) await mesh.person(who).mailboxes.use(name)
    await mesh.advance(5 * MINUTE)
    mesh.partition('alice', 'bob')
    await mesh.advance(5 * MINUTE)
    await mesh.stop('bob')
    await mesh.stop('max')
    const { id } = await mesh.person('alice').send('bob', 'dropped')
    await mesh.advance(MINUTE)
    expect((await mesh.person('alice').message(id)).state).toBe('stored')
    await mesh.start('max')
    await mesh.person('alice').send('bob', 'kept')
    await mesh.advance(MINUTE)
    await mesh.start('bob')
    await mesh.advance(3 * HOUR)
    expect(await textsOf(mesh, 'bob', 'alice')).toEqual(['dropped', 'kept'])
    expect(mia.blobs.length).toBeGreaterThan(0)
  })
})

describe('what two mailboxes of one person have on disk and heard', () => {
  test('names nobody, has only sizes of blobs, and nothing in common but the slots they publish', {
    timeout: 120_000,
  }, async () => {
    await using mesh = await friends('what they see', ['mia', 'max'])
    const boxes = []
    for (const taken of ['mia', 'max']) {
      await mesh.stop(taken)
      boxes.push(await createHostileMailbox({ mesh, name: `curious-${taken}`, of: taken, misbehaves: null }))
    }
    for (const who of ['alice', 'bob']) for (const name of ['mia', 'max']) await mesh.person(who).mailboxes.use(name)
    await mesh.advance(5 * MINUTE)
    await mesh.stop('bob')
    await mesh.advance(2 * MINUTE)
    for (const length of [10, 900, 3_000])
      await mesh.person('alice').send('bob', 'meet me at the mill '.repeat(length / 10))
    await mesh.advance(5 * MINUTE)
    const { account } = insideOf(mesh).person('bob')
    const names = [account, insideOf(mesh).person('alice').account, utf8('the mill'), utf8('bob'), utf8('alice')]
    const windows = boxes.map(({ heard, blobs }) => {
      expect(blobs.length).toBeGreaterThan(0)
      for (const { length } of blobs) expect(BLOB_BYTES).toContain(length)
      const said = heard.filter((bytes) => decodeRequest(bytes).kind !== 'slots')
      for (const bytes of [...heard, ...blobs]) {
        for (const name of names) expect(Buffer.from(bytes).includes(Buffer.from(name))).toBe(false)
      }
      return new Set(said.flatMap((bytes) => windowsOf(bytes)))
    })
    const [one = new Set(), other = new Set()] = windows
    expect([...one].filter((window) => other.has(window))).toEqual([])
  })
})

/** All runs of 20 bytes, longer than what frames a message. */
function windowsOf(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString('latin1')
  return Array.from({ length: Math.max(0, text.length - 19) }, (_, at) => text.slice(at, at + 20))
}
