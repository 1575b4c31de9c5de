import { encodeWith, decodeWith, type Schema } from '../conversation/schema.ts'
import { concat, utf8 } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { asArray, asBytes, malformed, type WireValue } from '../wire.ts'

/** A queue's name and a queue's key, bytes. */
export const QUEUE_BYTES = 32
/** What proves to a mailbox that its owner handed the queue out, bytes. */
export const WRITE_TOKEN_BYTES = 16
/** A route as it is told inside a session, bytes at most. */
export const MAX_ROUTE_BYTES = 512
/** All knock routes of a device record, bytes at most. */
export const MAX_KNOCK_ROUTES_BYTES = 768
/** Mailboxes that one person has at most. */
export const MAX_MAILBOXES = 3

const MAX_PEER_BYTES = 64
/** Of an address in a route, bytes. */
export const MAX_ADDRESS_BYTES = 64
/** In a route. */
export const MAX_ADDRESSES = 4
/** In the record of a device there is less room. */
const MAX_KNOCK_ADDRESSES = 2

/** Which mailbox, and by which key it signs its receipts. */
export interface MailboxPlace {
  /** PeerId bytes, at most 64. */
  readonly peer: Uint8Array
  /** Binary multiaddrs without `/p2p`, at most 4 of at most 64 bytes. */
  readonly addresses: readonly Uint8Array[]
  /** Ed25519, 32 bytes. */
  readonly key: Uint8Array
}

/**
 * Where somebody may leave frames for the device that told this: a queue of its own for each writer, so that a mailbox
 * sees no common name of two of them.
 */
export interface Route extends MailboxPlace {
  /** 32 random bytes that name the queue at the mailbox. */
  readonly queue: Uint8Array
  /** 16 random bytes; the mailbox knows their hash. */
  readonly token: Uint8Array
  /** K_q, 32 bytes: seals what lies in the queue, once more around the frames. */
  readonly secret: Uint8Array
}

/** Where people who know only an account or an invite may leave their first frame; its key follows from the account. */
export interface KnockRoute extends MailboxPlace {
  readonly queue: Uint8Array
}

const ROUTE: Schema<Route> = {
  name: 'route',
  maxBytes: MAX_ROUTE_BYTES,
  write: (route) => [1, 'route', ...writePlace(route), route.queue, route.token, route.secret],
  read(value) {
    const items = asArray(value, 'route', { length: 8 })
    if (items[0] !== 1 || items[1] !== 'route') throw malformed('route: expected version 1')
    return {
      ...readPlace(items.slice(2, 5), MAX_ADDRESSES),
      queue: asBytes(items[5], 'queue', { length: QUEUE_BYTES }),
      token: asBytes(items[6], 'write token', { length: WRITE_TOKEN_BYTES }),
      secret: asBytes(items[7], 'queue key', { length: QUEUE_BYTES }),
    }
  },
}

/** `[1, "route", peer, [address…], key, queue, write token, K_q]`, at most 512 bytes: what a `routes` payload holds. */
export function encodeRoute(route: Route): Uint8Array {
  return encodeWith(ROUTE, route)
}

/** Throws `malformed`. */
export function decodeRoute(bytes: Uint8Array): Route {
  return decodeWith(ROUTE, bytes)
}

const KNOCK_ROUTES: Schema<readonly KnockRoute[]> = {
  name: 'knock routes',
  maxBytes: MAX_KNOCK_ROUTES_BYTES,
  write: (routes) => routes.map((route) => [...writePlace(route), route.queue]),
  read: (value) =>
    asArray(value, 'knock routes', { max: MAX_MAILBOXES }).map((item) => {
      const items = asArray(item, 'knock route', { length: 4 })
      return {
        ...readPlace(items, MAX_KNOCK_ADDRESSES),
        queue: asBytes(items[3], 'queue', { length: QUEUE_BYTES }),
      }
    }),
}

/** `[[peer, [address…at most 2], key, queue]…at most 3]`: the knock route of a device record. */
export function encodeKnockRoutes(routes: readonly KnockRoute[]): Uint8Array {
  return encodeWith(KNOCK_ROUTES, routes)
}

/** Throws `malformed`. */
export function decodeKnockRoutes(bytes: Uint8Array): readonly KnockRoute[] {
  return decodeWith(KNOCK_ROUTES, bytes)
}

const KNOCK = utf8('sotto/1 knock')

/** K_q of a knock queue, which whoever knows the account can compute: `HKDF("", AK || queue, "sotto/1 knock", 32)`. */
export function knockSecret(primitives: Primitives, account: Uint8Array, queue: Uint8Array): Uint8Array {
  return primitives.hkdf(new Uint8Array(), concat(account, queue), KNOCK, 32)
}

function writePlace({ peer, addresses, key }: MailboxPlace): [WireValue, WireValue, WireValue] {
  return [peer, addresses, key]
}

function readPlace(items: readonly WireValue[], maxAddresses: number): MailboxPlace {
  const peer = asBytes(items[0], 'PeerId', { max: MAX_PEER_BYTES })
  if (peer.length === 0) throw malformed('PeerId: expected bytes')
  return {
    peer,
    addresses: asArray(items[1], 'addresses', { max: maxAddresses }).map((item) =>
      asBytes(item, 'address', { max: MAX_ADDRESS_BYTES }),
    ),
    key: asBytes(items[2], 'mailbox key', { length: 32 }),
  }
}
