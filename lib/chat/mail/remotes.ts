import { equalBytes, toHex } from '../../bytes.ts'
import { ProtocolError } from '../../errors.ts'
import { decodeAnswer, encodeRequest, type MailboxAnswer, type MailboxRequest } from '../../mailbox/messages.ts'
import { openReceipt, type Receipt } from '../../mailbox/receipt.ts'
import { MAX_ADDRESS_BYTES, MAX_ADDRESSES } from '../../mailbox/route.ts'
import { isRevoked } from '../devices.ts'
import type { LinkId, Target } from '../events.ts'
import { count, type Machine, setTimer } from '../machine.ts'
import type { Answered, Outcome, Remote, Unnumbered } from './state.ts'

/** What a mailbox says unasked. */
type Unasked = Extract<MailboxAnswer, { kind: 'welcome' | 'blob' }>

/** How long a stream to somebody else's mailbox stays open with nothing under way, ms. */
const IDLE_MS = 30_000
/** How long an answer may take, ms. */
const ANSWER_MS = 60_000
/** Questions that a mailbox may leave unanswered. */
const MAX_ASKED = 1024

/** The mailbox with this PeerId, as far as it is spoken to. */
export function remoteOf(machine: Machine, target: Target): Remote {
  const id = toHex(target.peer)
  const known = machine.mail.remotes.get(id)
  if (known !== undefined) {
    if (target.addresses.length > 0) known.target = target
    return known
  }
  const remote: Remote = {
    id,
    target,
    phase: 'idle',
    link: null,
    greeting: null,
    nextNumber: 1,
    worthless: 0,
    asked: new Map(),
    waiting: [],
  }
  machine.mail.remotes.set(id, remote)
  return remote
}

/** Opens a stream to it, unless there is one. */
export function connectTo(machine: Machine, remote: Remote): void {
  if (remote.phase !== 'idle' || machine.network === null || isRevoked(machine)) return
  remote.phase = 'connecting'
  remote.target = newestPlace(machine, remote.target)
  machine.effects.push({ kind: 'connect-mailbox', mailbox: remote.id, target: remote.target })
}

/** Where it is now: a mailbox is mostly kept by somebody known, whose records say where their node has moved to. */
function newestPlace(machine: Machine, target: Target): Target {
  for (const { row } of machine.contacts.values()) {
    if (row.place === null || !equalBytes(row.place.peer, target.peer)) continue
    const addresses = row.place.addresses.filter(({ length }) => length <= MAX_ADDRESS_BYTES).slice(0, MAX_ADDRESSES)
    if (addresses.length > 0) return { peer: target.peer, addresses }
  }
  return target
}

/** Asks it, as soon as there is a stream. */
export function ask(machine: Machine, remote: Remote, request: Unnumbered, answered: Answered): void {
  if (remote.phase === 'open') say(machine, remote, request, answered)
  else {
    remote.waiting.push({ request, answered })
    connectTo(machine, remote)
    // without a network nobody would ever answer
    if (remote.phase === 'idle') giveUp(machine, remote.id)
  }
}

function say(machine: Machine, remote: Remote, request: Unnumbered, answered: Answered): void {
  const n = remote.nextNumber++
  if (remote.asked.size >= MAX_ASKED) {
    count(machine, 'mailbox: answers nothing')
    if (remote.link !== null) machine.effects.push({ kind: 'close', link: remote.link })
    answered(null)
    return
  }
  if (remote.asked.size === 0) setTimer(machine, `answer:${remote.id}`, machine.now + ANSWER_MS)
  remote.asked.set(n, answered)
  // the spread of a union of objects loses which of them it was
  const numbered = { ...request, n } as MailboxRequest
  machine.effects.push({ kind: 'send', link: remote.link as LinkId, bytes: encodeRequest(numbered) })
}

/** A stream to it is open. */
export function beginStream(machine: Machine, link: LinkId, peer: Uint8Array): void {
  const remote = machine.mail.remotes.get(toHex(peer))
  if (remote === undefined || remote.link !== null) {
    machine.effects.push({ kind: 'close', link })
    return
  }
  remote.phase = 'greeting'
  remote.link = link
  machine.mail.byLink.set(link, remote)
  setTimer(machine, `answer:${remote.id}`, machine.now + ANSWER_MS)
}

/** None of its addresses answers, or its stream ended: nothing that was asked will be answered. */
export function giveUp(machine: Machine, id: string): void {
  const remote = machine.mail.remotes.get(id)
  if (remote === undefined || remote.link !== null) return
  remote.phase = 'idle'
  const lost = [...remote.asked.values(), ...remote.waiting.splice(0).map(({ answered }) => answered)]
  remote.asked.clear()
  setTimer(machine, `answer:${id}`, null)
  machine.mail.remotes.delete(id)
  for (const answered of lost) answered(null)
}

/** Its stream ended. */
export function endStream(machine: Machine, link: LinkId): Remote | null {
  const remote = machine.mail.byLink.get(link)
  if (remote === undefined) return null
  machine.mail.byLink.delete(link)
  remote.link = null
  remote.greeting = null
  giveUp(machine, remote.id)
  return remote
}

/** Something that it said: an answer goes to whoever asked, the rest to the caller; null for what is wrong. */
export function heard(machine: Machine, remote: Remote, bytes: Uint8Array): Unasked | null {
  let answer: MailboxAnswer
  try {
    answer = decodeAnswer(bytes)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    count(machine, `mailbox: answer ${error.code}`)
    const box = machine.mail.boxes.get(remote.id)
    if (box !== undefined) box.floods = true
    if (remote.link !== null) machine.effects.push({ kind: 'close', link: remote.link })
    return null
  }
  if (answer.kind === 'welcome' || answer.kind === 'blob') return answer
  if (answer.kind === 'receipt') receipts(machine, remote, answer)
  else settle(machine, remote, answer.n, answer)
  return null
}

/** The receipt for one request or several: opened once for all of them. */
function receipts(machine: Machine, remote: Remote, answer: Extract<MailboxAnswer, { kind: 'receipt' }>): void {
  const { numbers } = answer
  // a signature costs more than it is worth to check for nothing
  const receipt = numbers.some((n) => remote.asked.has(n)) ? receiptOf(machine, remote, answer) : null
  for (const [i, n] of numbers.entries()) {
    const blob = receipt?.blobs[i]
    const key = remote.greeting?.key
    settle(machine, remote, n, receipt && blob && key ? { kind: 'kept', key, now: receipt.now, blob } : null)
  }
}

/** Null, and counted, when it is not signed by the key with which the mailbox greeted, or for another number of blobs. */
function receiptOf(
  machine: Machine,
  { greeting }: Remote,
  { numbers, receipt: bytes }: Extract<MailboxAnswer, { kind: 'receipt' }>,
): Receipt | null {
  if (greeting === null) return null
  try {
    const receipt = openReceipt(machine.primitives, greeting.key, bytes)
    if (receipt.blobs.length === numbers.length) return receipt
    count(machine, 'mailbox: a receipt for something else')
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    count(machine, `mailbox: receipt ${error.code}`)
  }
  return null
}

function settle(machine: Machine, remote: Remote, n: number, outcome: Outcome | null): void {
  const answered = remote.asked.get(n)
  if (answered === undefined) {
    count(machine, 'mailbox: answers what nobody asked')
    return
  }
  const [oldest] = remote.asked.keys()
  remote.asked.delete(n)
  // whoever answers other questions only is not waited for longer
  if (n === oldest || remote.asked.size === 0)
    setTimer(machine, `answer:${remote.id}`, machine.now + (remote.asked.size > 0 ? ANSWER_MS : IDLE_MS))
  answered(outcome)
}

/** It greeted: false when it had before. */
export function greeted(
  machine: Machine,
  remote: Remote,
  { nonce, key }: Extract<MailboxAnswer, { kind: 'welcome' }>,
): boolean {
  if (remote.phase !== 'greeting') {
    count(machine, 'mailbox: greets twice')
    return false
  }
  remote.phase = 'open'
  remote.greeting = { nonce, key }
  setTimer(machine, `answer:${remote.id}`, machine.now + IDLE_MS)
  return true
}

/** Asks what waited for the greeting. */
export function askWaiting(machine: Machine, remote: Remote): void {
  for (const { request, answered } of remote.waiting.splice(0)) say(machine, remote, request, answered)
}

/** Nothing was heard for a while: an answer that is waited for will not come, or nothing is left to do. */
export function onAnswerTimer(machine: Machine, id: string): void {
  const remote = machine.mail.remotes.get(id)
  if (remote === undefined || remote.link === null) return
  const isQuiet = remote.asked.size === 0 && remote.phase === 'open'
  if (isQuiet && machine.mail.boxes.has(id)) return
  if (!isQuiet) count(machine, 'mailbox: no answer')
  machine.effects.push({ kind: 'close', link: remote.link })
}
