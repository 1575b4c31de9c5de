import { canSeal, MAX_CHAIN_FRAMES, mustStep, upcomingChain } from '../session/session.ts'
import { type Contact, count, emit, type Machine, setTimer } from './machine.ts'
import { sealInto } from './sealing.ts'
import { sendingSession } from './session-entry.ts'

/** This side says it at most once in this time, ms. */
const TYPING_APART_MS = 3_000

/** Who says nothing more for so long is not writing any more, ms. */
const TYPING_ENDS_MS = 10_000

/** However often they begin and end, they are shown to begin at most once in this time, ms. */
const TYPING_SHOWN_APART_MS = 1_000

/** So many frames of a chain may go before the rest of it is kept for messages. */
const MAX_TYPING_FRAMES: number = MAX_CHAIN_FRAMES / 2

/** The first chains are driven by their first frame, which is kept and repeated: no place for what passes. */
const FIRST_FREE_CHAIN = 4

/** Tells them, if they are there to hear it now. */
export function sayTyping(machine: Machine, contact: Contact, active: boolean): void {
  const { row, link, typing } = contact
  if (row.state !== 'accepted' || row.unconfirmedDevice || link === null || contact.heard === 'nothing') return
  if (Math.abs(machine.now - typing.saidAt) < TYPING_APART_MS) return
  const entry = sendingSession(contact.sessions)
  if (entry === undefined || !entry.session.confirmed || !canSeal(entry.session)) return
  const { session } = entry
  const begins = mustStep(session)
  if (begins ? upcomingChain(session) < FIRST_FREE_CHAIN : (session.send?.n ?? 0) >= MAX_TYPING_FRAMES) return
  contact.typing = { ...typing, saidAt: machine.now }
  sealInto(machine, contact, entry, [{ kind: 'typing', on: active }])
}

/** They say that they are writing, or no longer. */
export function onTyping(machine: Machine, contact: Contact, active: boolean): void {
  const { row, typing } = contact
  if (row.state !== 'accepted') return
  if (!active) {
    endTyping(machine, contact)
    return
  }
  if (typing.active) {
    if (Math.abs(machine.now - typing.heardAt) < TYPING_SHOWN_APART_MS) return
  } else {
    if (Math.abs(machine.now - typing.since) < TYPING_SHOWN_APART_MS) {
      count(machine, 'typing: too often')
      return
    }
    emit(machine, { kind: 'typing', contact: contact.id, active: true })
  }
  const since = typing.active ? typing.since : machine.now
  contact.typing = { ...typing, active: true, since, heardAt: machine.now }
  setTimer(machine, `typing:${contact.id}`, machine.now + TYPING_ENDS_MS)
}

/** Their message is here, their link is gone, or they said nothing more. */
export function endTyping(machine: Machine, contact: Contact): void {
  if (!contact.typing.active) return
  contact.typing = { ...contact.typing, active: false }
  setTimer(machine, `typing:${contact.id}`, null)
  emit(machine, { kind: 'typing', contact: contact.id, active: false })
}
