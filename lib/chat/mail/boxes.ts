import { equalBytes, toHex } from '../../bytes.ts'
import { signLogin } from '../../mailbox/login.ts'
import { MAX_ITEMS } from '../../mailbox/messages.ts'
import type { Target } from '../events.ts'
import { type Contact, count, emit, jitter, type Machine, save, setTimer } from '../machine.ts'
import { publishAll } from '../publishing.ts'
import { classOf, queueFor, wantedSubjects } from './queues.ts'
import { ask, connectTo, remoteOf } from './remotes.ts'
import { signAheadSoon } from './ahead.ts'
import { tellRoutes } from './routes.ts'
import { encodeBox, newBox } from './rows.ts'
import type { Box, Outcome, Remote } from './state.ts'

/** Pauses between attempts to reach an own mailbox, ms. */
const BOX_PAUSES_MS: readonly number[] = [1_000, 5_000, 30_000, 120_000, 600_000]
/** How long after something lay there it is asked for again whether anything is left, ms. */
const ASK_LEFT_MS = 60_000
/** Mailboxes of one account. */
export const MAX_BOXES = 3

/** Chooses a mailbox. Whether it wants to keep anything shows when it is reached. */
export function useBox(machine: Machine, target: Target): Box {
  const known = machine.mail.boxes.get(toHex(target.peer))
  if (known !== undefined) {
    known.target = target
    save(machine, { range: 'mailbox', key: known.handle, value: encodeBox(known) })
    enter(machine, known)
    return known
  }
  const box = newBox(machine.primitives, machine.random.bytes(16), machine.random.bytes(32), target)
  machine.mail.boxes.set(box.id, box)
  save(machine, { range: 'mailbox', key: box.handle, value: encodeBox(box) })
  enter(machine, box)
  return box
}

/** Gives a mailbox up: its queues are dropped there if it can be reached, and contacts are told of those that are left. */
export function dropBox(machine: Machine, box: Box): void {
  const queues = [...box.registered].map((id) => queueFor(machine, box, id).queue)
  machine.mail.boxes.delete(box.id)
  save(machine, { range: 'mailbox', key: box.handle, value: null })
  const remote = machine.mail.remotes.get(box.id)
  if (remote?.phase === 'open') {
    for (let at = 0; at < queues.length; at += MAX_ITEMS)
      ask(machine, remote, { kind: 'drop', queues: queues.slice(at, at + MAX_ITEMS) }, () => undefined)
  }
  setTimer(machine, `box:${box.id}`, null)
  for (const contact of machine.contacts.values()) if (contact.row.state === 'accepted') tellRoutes(machine, contact)
  publishAll(machine)
  signAheadSoon(machine)
}

/** The network is there: all own mailboxes are to be reached. */
export function enterBoxes(machine: Machine): void {
  for (const box of machine.mail.boxes.values()) {
    box.attempts = 0
    enter(machine, box)
  }
}

export function enter(machine: Machine, box: Box): void {
  if (box.phase === 'away') connectTo(machine, remoteOf(machine, box.target))
}

/** A mailbox greeted; if it is an own one, its owner says who he is and what he wants. */
export function onBoxGreeting(machine: Machine, remote: Remote): void {
  const box = machine.mail.boxes.get(remote.id)
  if (box === undefined || remote.greeting === null) return
  const { key } = remote.greeting
  if (box.key !== null && toHex(box.key) !== toHex(key)) {
    // Its routes name the key that signs receipts: with another one it is another mailbox.
    count(machine, 'mailbox: another key')
    box.registered.clear()
    box.byQueue.clear()
    box.known = false
  }
  if (box.key === null || toHex(box.key) !== toHex(key)) {
    box.key = key
    save(machine, { range: 'mailbox', key: box.handle, value: encodeBox(box) })
  }
  box.phase = 'entering'
  const signature = signLogin(machine.primitives, box.owner, { peer: remote.target.peer, ...remote.greeting })
  ask(machine, remote, { kind: 'login', owner: box.owner.publicKey, signature }, (answer) => {
    if (!isDone(machine, box, answer)) {
      // it may be asked again later: perhaps its operator accepts this account then
      if (answer !== null && remote.link !== null) machine.effects.push({ kind: 'close', link: remote.link })
      return
    }
    box.phase = 'ready'
    box.attempts = 0
    followMove(machine, box, remote)
    // it may have lost what it kept
    box.asked.clear()
    registerQueues(machine, box)
    ask(machine, remote, { kind: 'watch' }, () => undefined)
    askWhatIsLeft(machine, box, remote)
    emit(machine, { kind: 'mailbox', mailbox: box.id })
  })
}

/** Whether everything that lay there has come: only then may keys go with which it could be opened. */
function askWhatIsLeft(machine: Machine, box: Box, remote: Remote): void {
  ask(machine, remote, { kind: 'usage' }, (answer) => {
    if (answer?.kind !== 'usage') return
    box.drainedAt = answer.blobs === 0 ? machine.now : null
    if (answer.blobs > 0) setTimer(machine, `left:${box.id}`, machine.now + ASK_LEFT_MS)
  })
}

export function onLeftTimer(machine: Machine, id: string): void {
  const box = machine.mail.boxes.get(id)
  const remote = machine.mail.remotes.get(id)
  if (box?.phase === 'ready' && remote !== undefined) askWhatIsLeft(machine, box, remote)
}

/** Whether every own mailbox was empty at some time of this life: what was sealed before has arrived. */
export function areDrained(machine: Machine): boolean {
  return [...machine.mail.boxes.values()].every(({ drainedAt }) => drainedAt !== null)
}

/** It was reached at another place than before: whoever leaves mail there hears of it. */
function followMove(machine: Machine, box: Box, { target }: Remote): void {
  const isSame =
    target.addresses.length === box.target.addresses.length &&
    target.addresses.every((address, i) => equalBytes(address, box.target.addresses[i] as Uint8Array))
  if (isSame) return
  box.target = target
  save(machine, { range: 'mailbox', key: box.handle, value: encodeBox(box) })
  for (const contact of machine.contacts.values()) if (contact.row.state === 'accepted') tellRoutes(machine, contact)
}

/** Whether the mailbox did it; if it refused, why is kept to be shown. */
function isDone(machine: Machine, box: Box, answer: Outcome | null): boolean {
  if (answer?.kind === 'done') {
    box.refused = null
    return true
  }
  if (answer?.kind === 'refused') {
    box.refused = answer.reason
    emit(machine, { kind: 'mailbox', mailbox: box.id })
  }
  return false
}

/** How long after a queue for a group is kept its members hear of it, ms: several may follow each other. */
const CARD_AFTER_MS = 2_000

/** Has the queues kept that are wanted, and tells where they are. */
export function registerQueues(machine: Machine, box: Box): void {
  const remote = machine.mail.remotes.get(box.id)
  if (box.phase !== 'ready' || remote === undefined) return
  const wanted = wantedSubjects(machine).filter((subject) => !box.asked.has(subject))
  for (let at = 0; at < wanted.length; at += MAX_ITEMS) {
    const some = wanted.slice(at, at + MAX_ITEMS)
    const queues = some.map((subject) => {
      const { queue, token } = queueFor(machine, box, subject)
      box.asked.add(subject)
      box.byQueue.set(toHex(queue), subject)
      return { queue, kind: classOf(subject), tokenHash: token && machine.primitives.sha256(token) }
    })
    ask(machine, remote, { kind: 'register', queues }, (answer) => {
      if (!isDone(machine, box, answer)) {
        if (answer === null) return
        box.known = false
        for (const subject of some) {
          box.registered.delete(subject)
          box.asked.delete(subject)
        }
        return
      }
      const fresh = some.filter((subject) => !box.registered.has(subject))
      for (const subject of some) box.registered.add(subject)
      for (const subject of fresh) {
        const contact = machine.contacts.get(subject)
        if (contact?.group) setTimer(machine, `card:${subject}`, machine.now + CARD_AFTER_MS)
        else if (contact !== undefined) tellRoutes(machine, contact)
      }
      // strangers find their queues in the records
      if (fresh.some((subject) => classOf(subject) !== 'contact')) {
        publishAll(machine)
        signAheadSoon(machine)
      }
    })
  }
}

/** Somebody became a contact. */
export function registerFor(machine: Machine): void {
  for (const box of machine.mail.boxes.values()) registerQueues(machine, box)
}

/** Somebody is no contact any more: what they left goes, and they can leave nothing. */
export function dropQueues(machine: Machine, contact: Contact): void {
  for (const box of machine.mail.boxes.values()) {
    box.asked.delete(contact.id)
    if (!box.registered.delete(contact.id)) continue
    const { queue } = queueFor(machine, box, contact.id)
    const remote = machine.mail.remotes.get(box.id)
    if (remote !== undefined) ask(machine, remote, { kind: 'drop', queues: [queue] }, () => undefined)
  }
}

/** Its stream ended, or it was not reached: it is tried again, later and later. */
export function onBoxLost(machine: Machine, id: string): void {
  const box = machine.mail.boxes.get(id)
  if (box === undefined) return
  const was = box.phase
  box.phase = 'away'
  if (was === 'ready') emit(machine, { kind: 'mailbox', mailbox: id })
  const last = BOX_PAUSES_MS.length - 1
  const pauseMs = BOX_PAUSES_MS[box.floods ? last : Math.min(box.attempts, last)] as number
  box.attempts++
  setTimer(machine, `box:${id}`, machine.now + pauseMs + jitter(machine, pauseMs))
}
