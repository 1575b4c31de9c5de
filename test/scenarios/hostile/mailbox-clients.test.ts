import { describe, expect, test } from 'vitest'
import { RECIPIENT_SHARE } from '../../../lib/mailbox/quota.ts'
import {
  createMailboxIntruder,
  createMesh,
  MAILBOX_INTRUSIONS,
  type MailboxIntrusion,
  type SimulatedMesh,
} from '../../../node/mesh/index.ts'
import { droppedBy, textsOf } from '../../support/hostile.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const INTRUSIONS = Object.keys(MAILBOX_INTRUSIONS) as MailboxIntrusion[]
/** Messages of an intruder. */
const COUNT = 400
const TEXTS = [1, 2, 3, 4, 5].map((i) => `text ${i}`)

/** Alice and Bob, whose mail Mia keeps: she does that for her contacts, or for everybody. */
async function friends(seed: string, policy: 'contacts' | 'all'): Promise<SimulatedMesh> {
  const mesh = await createMesh({
    nodes: ['alice', 'bob', 'mia'],
    network: 'simulated',
    contacts: true,
    delivery: 'mailbox',
    mailboxes: { mia: policy },
    primitives: 'fast',
    seed,
  })
  await mesh.settled()
  return mesh
}

/** Refusals and other drops of a mailbox, over all reasons. */
function dropsOf(mesh: SimulatedMesh): number {
  return Object.entries(droppedBy(mesh, 'mia')).reduce(
    (sum, [reason, count]) => sum + (reason.startsWith('mailbox: ') ? count : 0),
    0,
  )
}

/** A stranger has no owner where only contacts have; what needs one is also tried where everybody has. */
const OWNERS: readonly MailboxIntrusion[] = ['owners', 'own-queues', 'others-queues', 'unread-answers']
const CASES = [
  ...INTRUSIONS.map((what) => [what, 'contacts'] as const),
  ...OWNERS.map((what) => [what, 'all'] as const),
]

describe('a mailbox', () => {
  test.each(CASES)(
    'keeps what friends leave while a stranger intrudes: %s, at one for %s',
    {
      timeout: 120_000,
    },
    async (what, policy) => {
      await using mesh = await friends(`intruder ${what} ${policy}`, policy)
      await using intruder = await createMailboxIntruder({ mesh, name: 'intruder', hosts: 5 })
      for (const name of ['alice', 'bob']) await mesh.person(name).mailboxes.use('mia')
      await mesh.advance(MINUTE)
      await mesh.person('alice').send('bob', 'before')
      mesh.partition('alice', 'bob')
      await mesh.advance(2 * MINUTE)
      await mesh.stop('bob')
      await mesh.advance(MINUTE)
      intruder.intrude(what, { to: 'mia', count: COUNT })
      await mesh.advance(5 * SECOND)
      for (const text of TEXTS) {
        const { id } = await mesh.person('alice').send('bob', text)
        await mesh.advance(3 * SECOND)
        expect((await mesh.person('alice').message(id)).state, text).toBe('stored')
      }
      await mesh.start('bob')
      await mesh.advance(10 * SECOND)
      expect(await textsOf(mesh, 'bob', 'alice')).toEqual(['before', ...TEXTS])
      for (let minutes = 0; intruder.left > 0 && minutes < 60; minutes++) await mesh.advance(MINUTE)
      await mesh.advance(15 * MINUTE)
      expect(intruder.left).toBe(0)
      expect(await textsOf(mesh, 'bob', 'alice')).toEqual(['before', ...TEXTS])
      const states = await mesh.person('alice').messages('bob')
      expect(new Set(states.map(({ state }) => state))).toEqual(new Set(['delivered']))
      // each of its hosts may bring four owners, and each of those has a share
      const { owners, bytes } = (await mesh.person('mia').status()).keeps ?? { owners: 0, bytes: 0 }
      expect(owners).toBeLessThanOrEqual(policy === 'all' ? 2 + 5 * 4 : 2)
      expect(bytes).toBeLessThanOrEqual(policy === 'all' && what === 'own-queues' ? RECIPIENT_SHARE.bytes : 2 << 20)
      // whatever was refused is counted
      const { answers, counts } = intruder
      const refused = ['unknown', 'quota', 'stamp', 'busy', 'not-allowed', 'storage'].map(
        (reason) => answers[reason] ?? 0,
      )
      expect(dropsOf(mesh)).toBeGreaterThanOrEqual(refused.reduce((sum, count) => sum + count, 0))
      const isLawful =
        what === 'repeated-puts' || what === 'half-open' || (what === 'unread-answers' && policy === 'all')
      // in queues of its own it is refused only what is beyond its share
      if (!isLawful) expect(dropsOf(mesh)).toBeGreaterThan(what === 'own-queues' ? 20 : 50)
      expect(answers['blob'] ?? 0).toBe(0)
      expect(mesh.errors).toEqual([])
      process.stdout.write(
        `${what} (${policy}): ${counts.sent} messages, ${Math.round(counts.sentBytes / 1024)} KiB: ${JSON.stringify(answers)}, ` +
          `${dropsOf(mesh)} counted; kept ${owners} owners, ${Math.round(bytes / 1024)} KiB\n`,
      )
    },
  )
})
