import { utf8 } from '../../bytes.ts'
import type { Route } from '../../mailbox/route.ts'
import type { Machine } from '../machine.ts'
import type { Box } from './state.ts'

const QUEUE = utf8('sotto/1 queue')

/** What a queue at an own mailbox is made of. */
type OwnQueue = Pick<Route, 'queue' | 'token' | 'secret'>

/**
 * The queue for frames of one contact: `HKDF(seed, contact handle, "sotto/1 queue", 80)` gives its name, write token and
 * key. So it is the same after a restart, and nobody else can tell which queues of two mailboxes are for one person.
 */
export function queueFor(machine: Machine, box: Box, subject: Uint8Array): OwnQueue {
  const bytes = machine.primitives.hkdf(box.seed, subject, QUEUE, 80)
  return { queue: bytes.slice(0, 32), token: bytes.slice(32, 48), secret: bytes.slice(48, 80) }
}
