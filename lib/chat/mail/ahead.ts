import { MAX_SLOTS_TOLD } from '../../mailbox/messages.ts'
import { MAX_LEFT_SLOTS } from '../../mailbox/left-slots.ts'
import { isRevoked } from '../devices.ts'
import { jitter, type Machine, setTimer } from '../machine.ts'
import { signAhead, slotsAhead } from '../own-slots.ts'
import { ask } from './remotes.ts'

/** Signing one slot takes some milliseconds: one at a time, so that nobody waits for all of them, ms. */
const STEP_MS = 500
/** Slots are signed anew this often, ms: so a node that goes away at any time is found for six days at least. */
const ANEW_MS: number = 24 * 3_600_000
/** After a change, ms, when what is published has settled. */
const SETTLE_MS = 30_000

/** Records, addresses or mailboxes changed, or a day is over: mailboxes are to publish what holds now. */
export function signAheadSoon(machine: Machine): void {
  if (machine.mail.boxes.size === 0 || isRevoked(machine)) return
  machine.mail.ahead.length = 0
  machine.mail.ahead.push(...slotsAhead(machine).slice(0, MAX_LEFT_SLOTS))
  setTimer(machine, 'ahead', machine.now + SETTLE_MS + jitter(machine, SETTLE_MS))
}

/** Signs the next slot and leaves it with every mailbox that can be spoken to. */
export function onAheadTimer(machine: Machine): void {
  if (isRevoked(machine)) return
  const ready = [...machine.mail.boxes.values()].filter(({ phase }) => phase === 'ready')
  if (machine.mail.ahead.length === 0) {
    signAheadSoon(machine)
    return
  }
  const values: Uint8Array[] = []
  if (ready.length > 0) {
    const slot = machine.mail.ahead.shift()
    const value = slot && signAhead(machine, slot)
    if (value) values.push(value)
  }
  for (const { id } of ready) {
    const remote = machine.mail.remotes.get(id)
    if (remote !== undefined && values.length > 0)
      ask(machine, remote, { kind: 'slots', values: values.slice(0, MAX_SLOTS_TOLD) }, () => undefined)
  }
  const isDone = machine.mail.ahead.length === 0
  setTimer(machine, 'ahead', machine.now + (isDone ? ANEW_MS : ready.length > 0 ? STEP_MS : SETTLE_MS))
}
