import { compareBytes, concat, toHex } from '../../lib/bytes.ts'
import { incomingOf } from '../../lib/chat/head.ts'
import { decodeChanges } from '../../lib/conversation/changes.ts'
import { decodeRecord, isListed, type MessageView, viewMessage } from '../../lib/conversation/history.ts'
import { compareOrder } from '../../lib/conversation/order.ts'
import { decodePayload } from '../../lib/conversation/payload.ts'
import type { Person } from '../../lib/chat.ts'
import type { Someone } from './machines.ts'

/** The conversation with somebody as it is shown, in the order of both sides; accounts are `me` and `them`. */
export function shown(who: Someone, other: Someone): readonly MessageView[] {
  const person = who.person(other)
  return person === undefined ? [] : shownIn(who, person)
}

/** As `shown`, of any conversation. */
export function shownIn(who: Someone, person: Person): readonly MessageView[] {
  const rowOf = (range: string, key: Uint8Array) => who.rows.get(`${range}/${toHex(key)}`)?.value ?? null
  return [...who.rows.values()]
    .filter((row) => row.range === 'message' && toHex(row.key).startsWith(person.id))
    .sort((a, b) => compareBytes(a.key, b.key))
    .flatMap((row) => {
      const record = decodeRecord(row.value as Uint8Array)
      const payload = decodePayload(record.payload)
      if (!isListed(record, payload)) return []
      const changes = rowOf('change', concat(person.handle, record.id))
      const view = viewMessage(record, {
        conversation: 'them',
        self: 'me',
        delivery: person.head.delivery,
        ...(record.direction === 'in' && { incoming: incomingOf(person.head, record.author) }),
        ...(changes && { changes: decodeChanges(changes) }),
      })
      return [{ view, order: { lamport: payload.lamport, author: record.author, counter: payload.counter } }]
    })
    .sort((a, b) => compareOrder(a.order, b.order))
    .map(({ view }) => view)
}
