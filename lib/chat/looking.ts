import { equalBytes } from '../bytes.ts'
import { PUBLIC_SLOT_SECRET, slotKey } from '../identity/slot.ts'
import { dayOf } from '../identity/time.ts'
import { isRevoked } from './devices.ts'
import { learnOwnSlot } from './learning-numbers.ts'
import type { Machine } from './machine.ts'
import { ownSlots, type Slot, slotName } from './own-slots.ts'

// What lies in an own slot is looked at before it is replaced: a newer list of devices there may lack this one, and must not
// be hidden behind an older one.

/** In whose name one own slot is looked up, its key behind it; no contact has such a handle. */
const ONE_LOOK_UP = 'self:'
/** Own slots are looked at again for doubt not before this, ms. */
const DOUBT_APART_MS = 600_000

/** Looks into an own slot; `replaces`: `onSlotSeen` says then that it may be replaced. */
export function lookInto(machine: Machine, slot: Slot, replaces: boolean): void {
  const { looking } = machine.own.publications
  const key = keyOf(machine, slot)
  const known = looking.get(key)
  looking.set(key, { slot, replaces: replaces || known?.replaces === true })
  if (known !== undefined) return
  machine.effects.push({ kind: 'resolve', contact: `${ONE_LOOK_UP}${key}`, keys: [key] })
}

/** Whether the account is so new that nobody else can have published for it. */
export function isNew({ own, now }: Machine): boolean {
  return now < own.publications.newUntil
}

/** Somebody does not know this device any more, or says nothing: perhaps another one took its place. */
export function lookForDoubt(machine: Machine): void {
  const { publications } = machine.own
  if (publications.doubtedAt !== null && Math.abs(machine.now - publications.doubtedAt) < DOUBT_APART_MS) return
  publications.doubtedAt = machine.now
  lookAtToday(machine)
}

/** Looks into the own slots of today, of contacts and for everybody. */
export function lookAtToday(machine: Machine): void {
  if (machine.network === null || machine.own.recovering?.looked === false || isRevoked(machine)) return
  const today = dayOf(machine.now)
  const secrets = [machine.own.contactSecret, PUBLIC_SLOT_SECRET]
  for (const slot of ownSlots(machine)) {
    if (slot.day === today && secrets.some((secret) => equalBytes(secret, slot.secret))) lookInto(machine, slot, false)
  }
}

/** Whether a look-up is one of a single own slot. */
export function isSlotLookUp(contact: string): boolean {
  return contact.startsWith(ONE_LOOK_UP)
}

/** What lies in one of the own slots is known; gives the slot when it may be replaced now, else null. */
export function onSlotSeen(
  machine: Machine,
  lookUp: string,
  values: readonly { readonly key: string; readonly value: Uint8Array }[],
): Slot | null {
  const { looking } = machine.own.publications
  const key = lookUp.slice(ONE_LOOK_UP.length)
  const looked = looking.get(key)
  looking.delete(key)
  if (looked === undefined) return null
  const { secret, day } = looked.slot
  for (const { value } of values) learnOwnSlot(machine, looked.slot, key, value)
  if (!looked.replaces || isRevoked(machine)) return null
  return ownSlots(machine).find((each) => each.day === day && equalBytes(each.secret, secret)) ?? null
}

/** The DHT key of a slot; it costs more than the rest of a look-up, and is the same all day. */
function keyOf(machine: Machine, { secret, day }: Slot): string {
  const { keys } = machine.own.publications
  const slot = slotName(machine, secret, day)
  const known = keys.get(slot)
  if (known !== undefined) return known
  const { key } = slotKey(machine.primitives, machine.own.self.accountKey.publicKey, secret, day)
  if (keys.size > 2 * ownSlots(machine).length) keys.clear()
  keys.set(slot, key)
  return key
}
