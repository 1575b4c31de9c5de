import { equalBytes, toHex } from '../../bytes.ts'
import type { Content } from '../../conversation/contents.ts'
import { ProtocolError } from '../../errors.ts'
import { decodeRoute, encodeKnockRoutes, encodeRoute, MAX_MAILBOXES, type Route } from '../../mailbox/route.ts'
import { type Contact, count, type Machine, save, tell } from '../machine.ts'
import { queueFor, type Subject } from './queues.ts'
import { encodeRoutes } from './rows.ts'
import type { Box } from './state.ts'

/** Where a contact may leave frames, as far as mailboxes keep a queue for them. */
export function ownRoutes(machine: Machine, contact: Contact): readonly Route[] {
  return [...machine.mail.boxes.values()].flatMap((box) => {
    const { queue, token, secret } = queueFor(machine, box, contact.id)
    if (box.key === null || token === null || !isKept(box, contact.id)) return []
    return [{ ...box.target, key: box.key, queue, token, secret }]
  })
}

/** Whether the mailbox keeps a queue for them, as far as is known: it was asked to, and has not refused. */
function isKept(box: Box, subject: Subject): boolean {
  return box.registered.has(subject) || box.asked.has(subject) || box.known
}

/** Where people who have no session may knock, as it stands in the records under a secret; null when nowhere. */
export function ownKnockRoutes(machine: Machine, subject: Subject): Uint8Array | null {
  const routes = [...machine.mail.boxes.values()].flatMap((box) => {
    if (box.key === null || !isKept(box, subject)) return []
    const { peer, addresses } = box.target
    return [{ peer, addresses: addresses.slice(0, 2), key: box.key, queue: queueFor(machine, box, subject).queue }]
  })
  return routes.length === 0 ? null : encodeKnockRoutes(routes)
}

/** What a first frame says of where its answer may be left; nothing when there is no place. */
export function routesContents(machine: Machine, contact: Contact): readonly Content[] {
  const routes = ownRoutes(machine, contact).map(encodeRoute)
  return routes.length === 0 ? [] : [{ kind: 'routes', routes }]
}

export function tellRoutes(machine: Machine, contact: Contact): void {
  tell(machine, contact, { kind: 'routes', routes: ownRoutes(machine, contact).map(encodeRoute) })
}

/** A contact said where frames may be left for them: the newest word holds, whatever of it can be read. */
export function learnRoutes(machine: Machine, contact: Contact, told: readonly Uint8Array[]): void {
  const routes: Route[] = []
  for (const bytes of told.slice(0, MAX_MAILBOXES)) {
    try {
      routes.push(decodeRoute(bytes))
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      count(machine, `route: ${error.code}`)
    }
  }
  setRoutes(machine, contact, routes)
}

/** The mailbox does not know the queue any more. */
export function forgetRoute(machine: Machine, contact: Contact, queue: Uint8Array): void {
  setRoutes(
    machine,
    contact,
    contact.mail.routes.filter((known) => toHex(known.queue) !== toHex(queue)),
  )
}

function setRoutes(machine: Machine, contact: Contact, routes: readonly Route[]): void {
  if (equalBytes(encodeRoutes(routes), encodeRoutes(contact.mail.routes))) return
  contact.mail.routes = routes
  save(machine, {
    range: 'routes',
    key: contact.handle,
    value: routes.length === 0 ? null : encodeRoutes(routes),
  })
}
