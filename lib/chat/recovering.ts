import { daysToLookUp, PUBLIC_SLOT_SECRET, slotKey } from '../identity/slot.ts'
import { isRevoked } from './devices.ts'
import { learnOwnSlot, signAbove } from './learning-numbers.ts'
import { type Machine, setTimer } from './machine.ts'
import { publishAll } from './publishing.ts'

/**
 * An account that was made again from its words does not know the numbers that its lost device used. With two records of one
 * number every contact would refuse it, so before it publishes anything it looks at what the network holds, and signs above
 * that. Until somebody took its first record it goes on learning from what is refused.
 */
export interface Recovering {
  /** Whether it looked, and may publish. */
  readonly looked: boolean
  readonly tries: number
}

/** In whose name own slots are looked up; no contact has this handle. */
const OWN_LOOKUP = 'self'

/** How often nothing is found before it counts as nothing being there, and the pause between, ms. */
const TRIES = 5
const TRY_AGAIN_MS = 2_000

/** Whether a look-up is one of own slots. */
export function isOwnLookUp(contact: string): boolean {
  return contact === OWN_LOOKUP
}

/** Asks the network for the own public slots. */
export function lookAtOwn(machine: Machine): void {
  const { recovering } = machine.own
  if (recovering === null || recovering.looked || machine.network === null) return
  machine.effects.push({ kind: 'resolve', contact: OWN_LOOKUP, keys: daysToLookUp(machine.now).map(keyOf(machine)) })
}

/** What the network holds of the own account. From here on its numbers go on, and the lost device is revoked. */
export function onOwnFound(
  machine: Machine,
  values: readonly { readonly key: string; readonly value: Uint8Array }[],
): void {
  const { recovering } = machine.own
  if (recovering === null || recovering.looked) return
  const days = daysToLookUp(machine.now)
  const keys = days.map(keyOf(machine))
  for (const { key, value } of values) {
    const day = days[keys.indexOf(key)]
    if (day !== undefined) learnOwnSlot(machine, { secret: PUBLIC_SLOT_SECRET, day }, key, value)
  }
  const tries = recovering.tries + 1
  if (values.length === 0 && tries < TRIES) {
    machine.own.recovering = { ...recovering, tries }
    setTimer(machine, 'recover', machine.now + TRY_AGAIN_MS)
    return
  }
  machine.own.recovering = { looked: true, tries }
  if (isRevoked(machine)) return
  signAbove(machine, machine.own.self.accountRecord.seq)
  publishAll(machine)
}

function keyOf(machine: Machine): (day: number) => string {
  const { publicKey } = machine.own.self.accountKey
  return (day) => slotKey(machine.primitives, publicKey, PUBLIC_SLOT_SECRET, day).key
}
