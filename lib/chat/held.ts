import { type Contact, count, guarded, load, type Machine } from './machine.ts'
import type { Range } from '../rows.ts'

/** Frames of one contact that wait at most; what is beyond comes again. */
const MAX_HELD = 1024

/** Runs what handles a frame of theirs, behind the ones before it: what comes late is still shown before newer ones. */
export function inOrder(machine: Machine, contact: Contact, handle: () => void): void {
  if (contact.holds === 0) handle()
  else if (contact.held.length < MAX_HELD) contact.held.push(handle)
  else count(machine, 'frame: too many at once')
}

/** Runs something in the turn in which the frame that is being handled was dealt with for good, which is now when no row is waited for. */
export function whenTaken(contact: Contact, then: () => void): void {
  if (contact.holds === 0) then()
  else contact.held.unshift(then)
}

/** Asks for a row that a frame of theirs needs; frames behind it wait until `then` has run. */
export function loadForFrame(
  machine: Machine,
  contact: Contact,
  range: Range,
  key: Uint8Array,
  then: (value: Uint8Array | null) => void,
): void {
  contact.holds++
  load(machine, range, [key], ([value]) => {
    guarded(machine, 'frame', () => then(value ?? null))
    contact.holds--
    while (contact.holds === 0) {
      const next = contact.held.shift()
      if (next === undefined) return
      guarded(machine, 'frame', next)
    }
  })
}
