import type { Row } from '../../lib/rows.ts'
import { createWorld } from '../support/machines.ts'
import { TEXT_BYTES } from './workers/ratchet-tasks.ts'

/** The rows of windows in which one person sends `messages` texts to another: what a node really writes. */
export function sendingWindows(windows: number, messages: number): readonly (readonly Row[])[] {
  const world = createWorld('windows')
  const alice = world.person('alice')
  const bob = world.person('bob')
  world.advance(2_000)
  const invited = bob.command({ kind: 'invite', addresses: [] })
  if (invited.kind !== 'invite') throw new Error('no invite was made')
  world.advance(2_000)
  alice.command({ kind: 'add', link: invited.link })
  world.advance(2_000)
  bob.command({ kind: 'accept', contact: bob.contact(alice) })
  world.advance(5_000)
  const contact = alice.contact(bob)
  return Array.from({ length: windows }, () => {
    const before = new Set(alice.rows.values())
    for (let i = 0; i < messages; i++) alice.command({ kind: 'send', contact, text: 'x'.repeat(TEXT_BYTES) })
    const rows = [...alice.rows.values()].filter((row) => !before.has(row))
    world.settle()
    return rows
  })
}
