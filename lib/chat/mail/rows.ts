import { concat, fromHex, toHex, u64be, uintFrom } from '../../bytes.ts'
import type { Primitives } from '../../crypto/primitives.ts'
import { decodeRoute, encodeRoute, MAX_MAILBOXES, MAX_ROUTE_BYTES, type Route } from '../../mailbox/route.ts'
import { asArray, asBytes, asNullable, asUint, decodeTyped, encode, malformed } from '../../wire.ts'
import type { Box, Holding } from './state.ts'

const MAX_ROW_BYTES = 4096
const MAX_DOUBTED_BYTES = 8192
const MAX_ADDRESSES = 4

/** `[1, "mailbox", PeerId, [address…], key or null, seed]`: a mailbox of this account. Secret. */
export function encodeBox({ target, key, seed }: Box): Uint8Array {
  return encode([1, 'mailbox', target.peer, target.addresses, key, seed])
}

/** Throws `malformed` or `newer-version`. */
export function decodeBox(primitives: Primitives, handle: Uint8Array, bytes: Uint8Array): Box {
  const items = decodeTyped(bytes, { type: 'mailbox', fields: 4, maxBytes: MAX_ROW_BYTES })
  const peer = asBytes(items[0], 'PeerId', { max: 64 })
  const seed = asBytes(items[3], 'seed', { length: 32 })
  const key = asNullable(items[2], (item) => asBytes(item, 'mailbox key', { length: 32 }))
  return {
    ...newBox(primitives, handle, seed, {
      peer,
      addresses: asArray(items[1], 'addresses', { max: MAX_ADDRESSES }).map((item) =>
        asBytes(item, 'address', { max: 64 }),
      ),
    }),
    key,
    known: key !== null,
  }
}

/** A mailbox that nobody spoke to yet. */
export function newBox(primitives: Primitives, handle: Uint8Array, seed: Uint8Array, target: Box['target']): Box {
  return {
    id: toHex(target.peer),
    handle,
    target,
    key: null,
    seed,
    owner: primitives.signing.fromSeed(seed),
    phase: 'away',
    attempts: 0,
    known: false,
    registered: new Set(),
    asked: new Set(),
    fetched: new Set(),
    floods: false,
    byQueue: new Map(),
    drainedAt: null,
    refused: null,
  }
}

/** `[1, "routes", [route…at most 3]]`: where a contact takes mail. Secret. */
export function encodeRoutes(routes: readonly Route[]): Uint8Array {
  return encode([1, 'routes', routes.map(encodeRoute)])
}

/** Throws `malformed` or `newer-version`. */
export function decodeRoutes(bytes: Uint8Array): readonly Route[] {
  const [routes] = decodeTyped(bytes, { type: 'routes', fields: 1, maxBytes: MAX_ROW_BYTES })
  return asArray(routes, 'routes', { max: MAX_MAILBOXES }).map((item) =>
    decodeRoute(asBytes(item, 'route', { max: MAX_ROUTE_BYTES })),
  )
}

/** `[1, "stored", [[PeerId, until, H(blob) while it has room]…]]`: which mailboxes hold an own message. */
export function encodeStored(stored: ReadonlyMap<string, Holding>): Uint8Array {
  const holdings = [...stored].map(([id, { until, loose }]) =>
    loose === null ? [fromHex(id), until] : [fromHex(id), until, fromHex(loose)],
  )
  return encode([1, 'stored', holdings])
}

/** Throws `malformed` or `newer-version`. */
export function decodeStored(bytes: Uint8Array): ReadonlyMap<string, Holding> {
  const [items] = decodeTyped(bytes, { type: 'stored', fields: 1, maxBytes: MAX_ROW_BYTES })
  return new Map(
    asArray(items, 'stored', { max: 2 * MAX_MAILBOXES }).map((item) => {
      const [peer, until, loose, ...more] = asArray(item, 'stored')
      if (more.length > 0) throw malformed('stored: expected two or three fields')
      const holding: Holding = {
        until: asUint(until, 'until'),
        loose: loose === undefined ? null : toHex(asBytes(loose, 'blob', { length: 32 })),
      }
      return [toHex(asBytes(peer, 'PeerId', { max: 64 })), holding]
    }),
  )
}

/** Mailboxes that are remembered as not to be believed; the oldest give way. */
export const MAX_DOUBTED = 64

/** `[1, "doubted", [[PeerId, until]…]]`: mailboxes whose receipts count for nothing until then, ms. */
export function encodeDoubted(doubted: ReadonlyMap<string, number>): Uint8Array {
  return encode([1, 'doubted', [...doubted].map(([id, until]) => [fromHex(id), until])])
}

/** Throws `malformed` or `newer-version`. */
export function decodeDoubted(bytes: Uint8Array): ReadonlyMap<string, number> {
  const [items] = decodeTyped(bytes, { type: 'doubted', fields: 1, maxBytes: MAX_DOUBTED_BYTES })
  return new Map(
    asArray(items, 'doubted', { max: MAX_DOUBTED }).map((item) => {
      const [peer, until] = asArray(item, 'doubted', { length: 2 })
      return [toHex(asBytes(peer, 'PeerId', { max: 64 })), asUint(until, 'until')]
    }),
  )
}

/** The key of a `stored` row: contact handle || u64be counter. */
export function storedKey(handle: Uint8Array, counter: number): Uint8Array {
  return concat(handle, u64be(counter))
}

/** The counter in the key of a `stored` row. */
export function counterIn(key: Uint8Array): number {
  return uintFrom(key.subarray(18))
}
