import { concat, uintFrom } from '../bytes.ts'
import { type Changes, decodeChanges, NO_CHANGES } from '../conversation/changes.ts'
import { decodeRecord, type MessageRecord } from '../conversation/history.ts'
import type { Range } from '../rows.ts'
import { changeKey } from './erasing-messages.ts'
import { type Contact, load, type Machine } from './machine.ts'
import { messageKey } from './sealing.ts'

/** A message as it rests, and what became of it. */
export interface Found {
  /** Null for one that never was here. */
  readonly order: number | null
  /** Null for one that is gone. */
  readonly record: MessageRecord | null
  readonly changes: Changes
}

type Loader = (range: Range, key: Uint8Array, then: (value: Uint8Array | null) => void) => void

/** Looks for a message of the conversation by its id. */
export function findMessage(machine: Machine, contact: Contact, id: Uint8Array, then: (found: Found) => void): void {
  findWith((range, key, next) => load(machine, range, [key], ([value]) => next(value ?? null)), contact, id, then)
}

/** As `findMessage`; what was erased or changed between the looks is looked at again, or it would be written back. */
export function findWith(loader: Loader, contact: Contact, id: Uint8Array, then: (found: Found) => void): void {
  const { revisions } = contact
  loader('place', concat(contact.handle, id), (place) => {
    const order = place && uintFrom(place.subarray(2))
    loader('message', messageKey(contact, order ?? 0), (row) => {
      loader('change', changeKey(contact, id), (changes) => {
        if (contact.revisions !== revisions) {
          findWith(loader, contact, id, then)
          return
        }
        then({
          order,
          record: row && decodeRecord(row),
          changes: changes ? decodeChanges(changes) : NO_CHANGES,
        })
      })
    })
  })
}
