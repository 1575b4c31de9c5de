import { equalBytes } from '../bytes.ts'
import { daysToLookUp, slotKey } from '../identity/slot.ts'
import { isRevoked } from './devices.ts'
import type { Target } from './events.ts'
import { type Contact, jitter, type Lookup, type Machine, setTimer } from './machine.ts'
import { onAway } from './mail/away.ts'
import { accountKeyOf, applyResolved, isBehind, lookUpSecrets } from './pins.ts'
import { isRequestOver } from './requests.ts'
import { isHeard } from './standing.ts'

/** Pauses between rounds, ms, each ±25 %: quick after a blip, at most ten minutes for people who are away. */
export const REACH_PAUSES_MS: readonly number[] = [
  1_000, 1_000, 5_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
]

/** How long after a link closed the first attempt is made, ms: both sides lose it at once and must not dial at once. */
const REDIAL_WITHIN_MS = 400

/** A link that lived so long, ms, was none that comes and goes: whoever closes every link at once is not dialled without end. */
const STEADY_MS = 10_000
/** So many links may come and go before the pauses begin, and so far they grow: to a minute. */
const QUICK_FLAPS = 2
const MAX_FLAP_PAUSE = 5

/** How long after somebody said that they have newer records these are looked up, ms, and how often again; up to twice as long. */
const LOOK_UP_AFTER_MS = 30_000
const LOOK_AGAIN_MS = 3_600_000

/** Whether this person is to be reached: accepted, member of a group of mine, or asked lately and not answered. */
function wanted(machine: Machine, contact: Contact): boolean {
  if (isRevoked(machine)) return false
  const { row } = contact
  return isHeard(contact) || (row.state === 'pending' && !isRequestOver(row, machine.now))
}

/** Begins a round now, unless one is under way or there is a link. */
export function reachOut(machine: Machine, contact: Contact): void {
  if (machine.network === null || !wanted(machine, contact) || contact.link !== null) return
  // The record that goes with a request is the one that will be published.
  if (machine.own.recovering?.looked === false) return
  if (contact.reach.phase === 'connecting' || contact.reach.phase === 'resolving' || contact.reach.phase === 'open')
    return
  if (contact.row.place !== null && contact.row.device !== null) {
    contact.reach = { ...contact.reach, phase: 'connecting', resolved: false }
    connect(machine, contact, [contact.row.place])
  } else {
    resolve(machine, contact)
  }
}

/** Where they were last reached leads nowhere: the DHT may know where they are now. */
function resolve(machine: Machine, contact: Contact): void {
  contact.reach = { ...contact.reach, phase: 'resolving', resolved: true }
  lookUp(machine, contact)
}

/** Asks the DHT for the contact's newest records: under the secret they told last, every other round under all. */
export function lookUp(machine: Machine, contact: Contact): void {
  const secrets = lookUpSecrets(contact.row)
  const account = accountKeyOf(contact.row)
  const days = daysToLookUp(machine.now)
  const known = [...contact.lookups].filter(
    ([, lookup]) => equalBytes(lookup.account, account) && days.includes(lookup.day),
  )
  const lookups = new Map<string, Lookup>(known)
  const keys = (contact.reach.attempts % 2 === 0 ? secrets.slice(0, 1) : secrets).flatMap((secret) =>
    days.map((day) => {
      // A key costs more than all the rest of a look-up, and is the same all day.
      const found = known.find(([, lookup]) => lookup.day === day && equalBytes(lookup.secret, secret))?.[0]
      const key = found ?? slotKey(machine.primitives, account, secret, day).key
      lookups.set(key, { account, secret, day, found: contact.lookups.get(key)?.found ?? null })
      return key
    }),
  )
  contact.lookups = lookups
  machine.effects.push({ kind: 'resolve', contact: contact.id, keys })
}

/** They have newer records: these are looked up when they have had the time to publish them, and again if they are not there. */
export function lookUpSoon(machine: Machine, contact: Contact): void {
  setTimer(machine, `look:${contact.id}`, machine.now + LOOK_UP_AFTER_MS + jitter(machine, LOOK_UP_AFTER_MS))
}

export function onLookTimer(machine: Machine, contact: Contact): void {
  if (machine.network === null || !wanted(machine, contact)) return
  lookUp(machine, contact)
  if (isBehind(contact))
    setTimer(machine, `look:${contact.id}`, machine.now + LOOK_AGAIN_MS + jitter(machine, LOOK_AGAIN_MS))
}

/** The first answer: where it says that they are is tried at once, for the others seldom say something else. */
export function onFound(
  machine: Machine,
  contact: Contact,
  found: { readonly key: string; readonly value: Uint8Array },
): void {
  const before = contact.row.place
  const place = applyResolved(machine, contact, [found])
  if (contact.reach.phase === 'resolving' && isElsewhere(place, before)) goTo(machine, contact, place)
}

/** The DHT answered: go where the newest record says, or wait. */
export function onResolved(
  machine: Machine,
  contact: Contact,
  values: readonly { readonly key: string; readonly value: Uint8Array }[],
): void {
  const before = contact.row.place
  const place = applyResolved(machine, contact, values)
  const { phase } = contact.reach
  if (phase === 'resolving') {
    if (place === null || contact.link !== null) pause(machine, contact)
    else goTo(machine, contact, place)
    return
  }
  // The first answer was an old one, and led or leads to where they are no longer.
  const isUnderWay = phase === 'connecting' || phase === 'waiting'
  if (isUnderWay && wanted(machine, contact) && isElsewhere(place, before)) goTo(machine, contact, place)
}

/** Whether it is another place than the one that was known before, which was tried or is being tried. */
function isElsewhere(place: Target | null, before: Target | null): place is Target {
  if (place === null || before === null) return place !== null
  const { addresses } = place
  return !(
    equalBytes(place.peer, before.peer) &&
    addresses.length === before.addresses.length &&
    addresses.every((address, i) => equalBytes(address, before.addresses[i] as Uint8Array))
  )
}

function goTo(machine: Machine, contact: Contact, place: Target): void {
  if (contact.link !== null) return
  contact.reach = { ...contact.reach, phase: 'connecting', resolved: true }
  connect(machine, contact, [place])
}

function connect(machine: Machine, contact: Contact, targets: readonly Target[]): void {
  machine.effects.push({ kind: 'connect', contact: contact.id, targets })
}

export function onUnreachable(machine: Machine, contact: Contact): void {
  if (contact.reach.phase !== 'connecting') return
  if (contact.reach.resolved) pause(machine, contact)
  else resolve(machine, contact)
}

/** A link to where they are is open; whether it is theirs remains to be proved. */
export function onOpen(contact: Contact): void {
  contact.reach = { ...contact.reach, phase: 'open' }
}

/** Proof of life. */
export function onAlive(contact: Contact): void {
  contact.reach = { ...contact.reach, phase: 'open', attempts: 0, resolved: false }
}

/** The link is gone, so many ms after it opened. A quick round follows, and slower ones when links come and go. */
export function onLost(machine: Machine, contact: Contact, livedMs: number): void {
  if (contact.reach.phase !== 'open') return
  if (contact.reach.attempts > 0) {
    pause(machine, contact)
    return
  }
  const flaps = livedMs < STEADY_MS ? contact.reach.flaps + 1 : 0
  contact.reach = { ...contact.reach, phase: 'waiting', attempts: 1, flaps }
  // links that come and go carry little: what waits goes to their mailboxes meanwhile
  if (flaps > QUICK_FLAPS) onAway(machine, contact)
  const pauseMs = flaps <= QUICK_FLAPS ? 0 : pauseOf(machine, Math.min(flaps - QUICK_FLAPS, MAX_FLAP_PAUSE))
  setTimer(machine, `reach:${contact.id}`, machine.now + pauseMs + jitter(machine, REDIAL_WITHIN_MS))
}

function pause(machine: Machine, contact: Contact): void {
  onAway(machine, contact)
  const { attempts } = contact.reach
  contact.reach = { ...contact.reach, phase: 'waiting', attempts: attempts + 1, resolved: false }
  setTimer(machine, `reach:${contact.id}`, machine.now + pauseOf(machine, attempts))
}

function pauseOf(machine: Machine, attempts: number): number {
  const pauseMs = REACH_PAUSES_MS[Math.min(attempts, REACH_PAUSES_MS.length - 1)] as number
  return Math.round(pauseMs * 0.75) + jitter(machine, pauseMs / 2)
}

/** The pause is over, or something makes a new round promising (own network came back, they were accepted). */
export function retry(machine: Machine, contact: Contact): void {
  if (contact.reach.phase === 'waiting') contact.reach = { ...contact.reach, phase: 'idle' }
  reachOut(machine, contact)
}
