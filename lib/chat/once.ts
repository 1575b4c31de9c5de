import { concat, toHex, uintFrom, utf8 } from '../bytes.ts'
import { decodeRecord } from '../conversation/history.ts'
import { decodePayload } from '../conversation/payload.ts'
import { messageIdIn, ownAuthor } from './group/authors.ts'
import { type Contact, load, type Machine, type Written } from './machine.ts'
import { sendKey } from './own.ts'
import { messageKey } from './sealing.ts'

/** Messages that are remembered by their key until they can be found on disk. */
const MAX_KEYED = 1024

/** The id in the payload of the message of a key: the same for ever, and to nobody else a hint of the key. */
export function idOfKey(machine: Machine, contact: Contact, key: string): Uint8Array {
  return machine.primitives.hmac(sendKey(machine), concat(contact.handle, utf8(key))).slice(0, 16)
}

/** Calls back with the own message of that id in its payload if there is one, with `gone` when it was erased since, else with null. */
export function findWritten(
  machine: Machine,
  contact: Contact,
  payloadId: Uint8Array,
  then: (known: Written | 'gone' | null) => void,
): void {
  const id = messageIdIn(machine, contact, { author: ownAuthor(machine, contact), payloadId })
  const name = `${contact.id}:${toHex(id)}`
  load(machine, 'place', [concat(contact.handle, id)], ([place]) => {
    const order = place ? uintFrom(place.subarray(2)) : 0
    load(machine, 'message', [messageKey(contact, order)], ([row]) => {
      // Whoever asked at the same time may have written it meanwhile.
      const known = machine.keyed.get(name)
      if (known !== undefined) then(known)
      else if (!place) then(null)
      else then(row ? { id, order, counter: decodePayload(decodeRecord(row).payload).counter } : 'gone')
    })
  })
}

/** The next who asks gets the same. */
export function rememberWritten(machine: Machine, contact: Contact, written: Written): void {
  machine.keyed.set(`${contact.id}:${toHex(written.id)}`, written)
  for (const oldest of machine.keyed.keys()) {
    if (machine.keyed.size <= MAX_KEYED) break
    machine.keyed.delete(oldest)
  }
}
