import { toHex } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { BYTES_PER_TOKEN, createBuckets } from './buckets.ts'
import {
  answer,
  count,
  type KeeperEffect,
  type KeeperOptions,
  type Keeping,
  NEW_OWNERS,
  refuse,
  save,
} from './keeping.ts'
import { type Kept, removeQueue } from './kept.ts'
import { publishLeft } from './left-slots.ts'
import { decodeRequest, MAILBOX_NONCE_BYTES, type MailboxRequest } from './messages.ts'
import { login, serveOwner } from './owning.ts'
import { endTurn, put } from './putting.ts'
import { createStream, type Stream, type StreamId } from './stream.ts'
import { letGo } from './telling.ts'

export type KeeperEvent =
  /** `contact`: the peer is the device of an accepted contact of the operator. */
  | { readonly kind: 'opened'; readonly stream: StreamId; readonly peer: Uint8Array; readonly contact: boolean }
  | { readonly kind: 'message'; readonly stream: StreamId; readonly bytes: Uint8Array }
  | { readonly kind: 'closed'; readonly stream: StreamId }
  | { readonly kind: 'loaded'; readonly token: number; readonly values: readonly (Uint8Array | null)[] }
  /** What was taken is about to be written: after as many messages as the host likes, and before anything of them is sent. */
  | { readonly kind: 'turn' }
  /** Now and then: what is over goes. */
  | { readonly kind: 'sweep' }

/** Requests that cannot be read before a stream is closed. */
const MAX_MALFORMED = 4
/** A stream on which nothing was said for so long and nobody watches is closed, ms: they hold places. */
const IDLE_MS: number = 5 * 60_000
/** An owner who was not there for so long is forgotten, with its queues, ms. */
const OWNER_MS: number = 60 * 86_400_000

/**
 * A mailbox: keeps sealed blobs in queues until whoever owns a queue fetched them. It learns sizes and times, and which
 * PeerId writes into which queue; nothing that it is given opens under a key it has.
 */
export interface Keeper {
  /** Handles one event at `now` (ms). What peers say never throws. */
  handle(event: KeeperEvent, now: number): KeeperEffect[]
  readonly usage: { readonly owners: number; readonly blobs: number; readonly bytes: number }
}

export function createKeeper(options: KeeperOptions, kept: Kept): Keeper {
  const keeping: Keeping = {
    ...options,
    kept,
    streams: new Map(),
    buckets: createBuckets(options.limits.rate),
    newOwners: createBuckets(NEW_OWNERS),
    taken: [],
    owing: new Set(),
    loads: new Map(),
    nextLoad: 1,
    publishedAt: 0,
    now: 0,
    effects: [],
  }
  return {
    handle(event, now) {
      keeping.now = now
      dispatch(keeping, event)
      const { effects } = keeping
      keeping.effects = []
      return effects
    },
    get usage() {
      return { owners: kept.owners.size, blobs: kept.items.size, bytes: kept.bytes }
    },
  }
}

function dispatch(keeping: Keeping, event: KeeperEvent): void {
  const { streams, loads } = keeping
  switch (event.kind) {
    case 'opened': {
      const nonce = keeping.random.bytes(MAILBOX_NONCE_BYTES)
      const stream = createStream(event.stream, event.peer, event.contact, nonce)
      stream.heardAt = keeping.now
      streams.set(event.stream, stream)
      answer(keeping, stream, { kind: 'welcome', nonce, key: keeping.key.publicKey })
      return
    }
    case 'message': {
      const stream = streams.get(event.stream)
      if (stream !== undefined) onMessage(keeping, stream, event.bytes)
      return
    }
    case 'closed': {
      const stream = streams.get(event.stream)
      if (stream !== undefined) keeping.owing.delete(stream)
      streams.delete(event.stream)
      return
    }
    case 'loaded': {
      const then = loads.get(event.token)
      loads.delete(event.token)
      then?.(event.values)
      return
    }
    case 'turn':
      endTurn(keeping)
      return
    case 'sweep':
      sweep(keeping)
  }
}

function onMessage(keeping: Keeping, stream: Stream, bytes: Uint8Array): void {
  stream.heardAt = keeping.now
  const cost = 1 + Math.floor(bytes.length / BYTES_PER_TOKEN)
  if (!keeping.buckets.take(toHex(stream.peer), cost, keeping.now)) {
    // what was asked is not even read: whoever is in a hurry waits and asks again
    refuse(keeping, stream, 0, 'busy')
    keeping.effects.push({ kind: 'close', stream: stream.id })
    return
  }
  let request: MailboxRequest
  try {
    request = decodeRequest(bytes)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    count(keeping, error.code)
    if (++stream.malformed >= MAX_MALFORMED) keeping.effects.push({ kind: 'close', stream: stream.id })
    return
  }
  if (request.kind === 'put') put(keeping, stream, request)
  else if (request.kind === 'login') login(keeping, stream, request)
  else if (stream.owner === null) refuse(keeping, stream, request.n, 'not-allowed')
  else serveOwner(keeping, stream, stream.owner, request)
}

function sweep(keeping: Keeping): void {
  publishLeft(keeping)
  closeIdle(keeping)
  const { kept, now } = keeping
  for (const item of [...kept.items.values()]) if (item.until <= now) letGo(keeping, item)
  const present = new Set([...keeping.streams.values()].map(({ owner }) => owner))
  for (const [name, owner] of [...kept.owners]) {
    if (present.has(owner) || now - owner.seen < OWNER_MS) continue
    for (const queue of [...owner.queues]) save(keeping, ...removeQueue(kept, queue))
    for (const { key } of owner.leftSlots.values()) save(keeping, { range: 'left-slot', key, value: null })
    kept.owners.delete(name)
    save(keeping, { range: 'owner', key: owner.key, value: null })
  }
}

function closeIdle(keeping: Keeping): void {
  for (const { id, watching, heardAt } of keeping.streams.values()) {
    if (watching || keeping.now - heardAt < IDLE_MS) continue
    count(keeping, 'a stream on which nothing is said')
    keeping.effects.push({ kind: 'close', stream: id })
  }
}
