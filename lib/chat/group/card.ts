import { MAX_CLAIMED_NAME_BYTES, MAX_ROUTE_BYTES } from '../../conversation/contents.ts'
import { ProtocolError } from '../../errors.ts'
import { encodeRoute } from '../../mailbox/route.ts'
import { asArray, asBytes, asNullable, asText, decode, encode } from '../../wire.ts'
import { ownRoutes } from '../mail/routes.ts'
import type { Machine } from '../machine.ts'
import type { GroupContact } from './groups.ts'

/**
 * How the members of a group reach one of them who is no contact of theirs: the secret of a slot in the DHT that has the
 * addresses of these days, and where mail may be left.
 */
export interface Way {
  /** 32 bytes; null for who is found by members that are contacts only. */
  readonly secret: Uint8Array | null
  /** A route (protocol §14), encoded. */
  readonly route: Uint8Array | null
  /** What the member calls itself; hostile text. */
  readonly name: string | null
}

/** `[secret, route, name]`: the field `route` of a card. */
export function encodeWay({ secret, route, name }: Way): Uint8Array {
  return encode([secret, route, name?.toWellFormed() ?? null])
}

/** Reads it; null for a card that says none, or one that only another version reads. */
export function decodeWay(bytes: Uint8Array | null): Way | null {
  if (bytes === null) return null
  try {
    const [secret, route, name] = asArray(decode(bytes, MAX_ROUTE_BYTES), 'way', { length: 3 })
    return {
      secret: asNullable(secret, (value) => asBytes(value, 'secret', { length: 32 })),
      route: asNullable(route, (value) => asBytes(value, 'route', { max: MAX_ROUTE_BYTES })),
      name: asNullable(name, (value) => asText(value, 'name', MAX_CLAIMED_NAME_BYTES)),
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return null
  }
}

/** What the own card says; of several mailboxes the first, for a card goes to everybody and stays. */
export function ownWay(machine: Machine, contact: GroupContact): Uint8Array {
  const [route] = ownRoutes(machine, contact)
  const { secret } = contact.group.row
  const way: Way = { secret, route: route === undefined ? null : encodeRoute(route), name: machine.own.name }
  const bytes = encodeWay(way)
  return bytes.length <= MAX_ROUTE_BYTES ? bytes : encodeWay({ ...way, route: null })
}
