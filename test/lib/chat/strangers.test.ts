import { expect, test } from 'vitest'
import { createWorld } from '../../support/machines.ts'

const LINK = 1_000_000
const MINUTE_MS = 60_000

test('a link on which nobody proves anything is closed after a minute', () => {
  const world = createWorld(1)
  const alice = world.person('alice')
  world.advance(1_000)
  const opened = alice.chat.handle({ kind: 'opened', link: LINK, dialer: false, peer: Uint8Array.of(1) }, world.now)
  expect(opened).toContainEqual({ kind: 'timer', key: `proof:${LINK}`, at: world.now + MINUTE_MS })
  const after = alice.chat.handle({ kind: 'timer', key: `proof:${LINK}` }, world.now + MINUTE_MS)
  expect(after).toContainEqual({ kind: 'close', link: LINK })
})

test('a link that brought a request stays for ten minutes', () => {
  const world = createWorld(2)
  const alice = world.person('alice')
  const bob = world.person('bob')
  world.advance(2_000)
  const invite = bob.command({ kind: 'invite', addresses: [] })
  if (invite.kind !== 'invite') throw new Error('no invite')
  world.advance(2_000)
  alice.command({ kind: 'add', link: invite.link })
  world.advance(5 * MINUTE_MS)
  expect(bob.counts.get('link: never proved')).toBeUndefined()
  world.advance(10 * MINUTE_MS)
  expect(bob.counts.get('link: never proved')).toBeGreaterThanOrEqual(1)
  bob.command({ kind: 'accept', contact: bob.contact(alice) })
  world.advance(MINUTE_MS)
  expect([...alice.chat.people()][0]?.row.state).toBe('accepted')
})
