import { concat, toHex, utf8 } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { parseSlotValue, type SlotValue, slotKeyOf, verifySlotValue } from '../identity/slot-value.ts'
import { dayOf } from '../identity/time.ts'
import type { Row } from '../rows.ts'
import { answer, count, type Keeping, load, refuse, save } from './keeping.ts'
import type { Owner } from './kept.ts'
import type { MailboxRequest } from './messages.ts'
import type { Stream } from './stream.ts'

/** Slot values that are kept for one owner: a week of a public, a contact and some invites' slots. */
export const MAX_LEFT_SLOTS = 32
/** How often they are published, ms, as their owner would do it. */
const PUBLISH_MS: number = 6 * 3_600_000
/** Days ahead that an owner may sign. */
const MAX_DAYS_AHEAD = 9

/** Days of the values that an owner left, by the key of their row in hexadecimal. */
export type LeftSlots = Map<string, { readonly key: Uint8Array; readonly day: number }>

/** Values for the DHT that their owner signed ahead. Of each slot the one that came last is kept. */
export function leaveSlots(
  keeping: Keeping,
  stream: Stream,
  owner: Owner,
  { n, values }: Extract<MailboxRequest, { kind: 'slots' }>,
): void {
  const today = dayOf(keeping.now)
  const rows: Row[] = []
  for (const value of values) {
    const slot = verified(keeping, value)
    if (slot === null || slot.day < today - 1 || slot.day > today + MAX_DAYS_AHEAD) {
      refuse(keeping, stream, n, 'not-allowed')
      return
    }
    const key = concat(owner.key, keeping.primitives.sha256(utf8(slotKeyOf(slot.blindedKey))))
    const isKnown = owner.leftSlots.has(toHex(key))
    if (!isKnown && owner.leftSlots.size >= MAX_LEFT_SLOTS) {
      refuse(keeping, stream, n, 'quota')
      return
    }
    owner.leftSlots.set(toHex(key), { key, day: slot.day })
    rows.push({ range: 'left-slot', key, value })
  }
  save(keeping, ...rows)
  answer(keeping, stream, { kind: 'done', n })
}

function verified(keeping: Keeping, value: Uint8Array): SlotValue | null {
  try {
    return verifySlotValue(keeping.primitives, value)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    count(keeping, `slot: ${error.code}`)
    return null
  }
}

/** Publishes what is of these days, every six hours, and lets go of what is over. */
export function publishLeft(keeping: Keeping): void {
  const today = dayOf(keeping.now)
  for (const owner of keeping.kept.owners.values()) {
    for (const [name, { key, day }] of owner.leftSlots) {
      if (day >= today - 1) continue
      owner.leftSlots.delete(name)
      save(keeping, { range: 'left-slot', key, value: null })
    }
  }
  if (Math.abs(keeping.now - keeping.publishedAt) < PUBLISH_MS) return
  keeping.publishedAt = keeping.now
  for (const owner of keeping.kept.owners.values()) {
    const keys = [...owner.leftSlots.values()].filter(({ day }) => day <= today + 1).map(({ key }) => key)
    if (keys.length === 0) continue
    load(keeping, 'left-slot', keys, (values) => {
      for (const value of values) {
        if (value) keeping.effects.push({ kind: 'publish', key: slotKeyOf(parseSlotValue(value).blindedKey), value })
      }
    })
  }
}
