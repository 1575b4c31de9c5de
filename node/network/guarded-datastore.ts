import { Record as Libp2pRecord } from '@libp2p/kad-dht'
import { fromUtf8 } from '../../lib/bytes.ts'
import { ProtocolError } from '../../lib/errors.ts'
import { type Datastore, datastoreOf, type Rows } from './memory-rows.ts'
import { plainBytes } from './plain-bytes.ts'
import type { SlotStore } from './slot-store.ts'

/** Where kad-dht keeps the values of others. */
const RECORDS = '/dht/record/'
const PEERS = '/peers/'
const PROVIDERS = '/dht/provider/'

/** Peers remembered: every one that a stranger mentions is. The longest unmentioned goes first. */
export const MAX_PEER_ROWS = 2_000
/** Provider entries: anybody may add them and kad-dht never drops one. */
export const MAX_PROVIDER_ROWS = 2_000
export const PROVIDER_LIFETIME_MS: number = 48 * 60 * 60 * 1000
/** Everything else that libp2p wants to remember. */
const MAX_OTHER_ROWS = 256

export interface GuardedDatastoreOptions {
  readonly slots: SlotStore
  /** The own peer's row, which must stay. */
  readonly selfRow: string
  dropped(reason: string): void
  now(): number
}

/**
 * The rows that libp2p gets: in memory, bounded, and with a guard before the DHT's records. kad-dht stores whatever
 * passes the validator of its key, even over a newer value, without any quota, and never removes it; here every value under
 * `/dht/record` goes through the slot store, which refuses by throwing, so that the sender learns that it was not taken.
 */
export function createGuardedRows<Name>(options: GuardedDatastoreOptions): Rows<Name> {
  const { slots, selfRow, now } = options
  const rows = new Map<string, { key: Name; value: Uint8Array; at: number }>()
  /** Where in the datastore a slot's value lies: kad-dht names rows by the base32 of the key. */
  const keyOfRow = new Map<string, string>()
  const counts = { [PEERS]: 0, [PROVIDERS]: 0, other: 0 }

  function putRecord(row: string, raw: Uint8Array): void {
    try {
      const { key, value } = Libp2pRecord.deserialize(raw)
      const text = keyText(key)
      slots.put(text, plainBytes(value), plainBytes(raw))
      keyOfRow.set(row, text)
    } catch (cause) {
      options.dropped(cause instanceof ProtocolError ? `slot-${cause.code}` : 'slot-malformed')
      throw cause
    }
    if (keyOfRow.size > 2 * slots.size + 64) {
      for (const [row, key] of keyOfRow) if (slots.get(key) === undefined) keyOfRow.delete(row)
    }
  }

  function kindOf(key: string): keyof typeof counts {
    return key.startsWith(PEERS) ? PEERS : key.startsWith(PROVIDERS) ? PROVIDERS : 'other'
  }

  function remove(key: string): void {
    if (rows.delete(key)) counts[kindOf(key)]--
  }

  function makeRoom(kind: keyof typeof counts): void {
    if (kind === PEERS) {
      if (counts[kind] < MAX_PEER_ROWS) return
      for (const key of rows.keys()) {
        if (!key.startsWith(PEERS) || key === selfRow) continue
        remove(key)
        return
      }
    }
    if (kind === PROVIDERS && counts[kind] >= MAX_PROVIDER_ROWS) {
      for (const [key, { at }] of rows) {
        if (key.startsWith(PROVIDERS) && now() - at > PROVIDER_LIFETIME_MS) remove(key)
      }
    }
    if (counts[kind] >= (kind === PROVIDERS ? MAX_PROVIDER_ROWS : MAX_OTHER_ROWS)) {
      options.dropped('datastore-full')
      throw new ProtocolError('limit', 'no room for more rows of this kind')
    }
  }

  return {
    get(key) {
      if (!key.startsWith(RECORDS)) return rows.get(key)?.value
      const slot = keyOfRow.get(key)
      return slot === undefined ? undefined : slots.get(slot)?.record
    },
    put(key, value, name) {
      if (key.startsWith(RECORDS)) return putRecord(key, value)
      if (rows.has(key)) remove(key)
      else makeRoom(kindOf(key))
      rows.set(key, { key: name, value, at: now() })
      counts[kindOf(key)]++
    },
    delete(key) {
      const slot = keyOfRow.get(key)
      keyOfRow.delete(key)
      if (slot !== undefined) slots.delete(slot)
      remove(key)
    },
    list: (prefix) => [...rows].filter(([key]) => key.startsWith(prefix)).map(([, row]) => row),
  }
}

/** The guarded rows as the datastore that libp2p takes. */
export function createGuardedDatastore(options: GuardedDatastoreOptions): Datastore {
  return datastoreOf(createGuardedRows(options))
}

/** `/sotto/<hex>` and nothing else; kad-dht would take `/pk/…` as well, from anybody and without end. */
export function keyText(key: Uint8Array): string {
  if (key.length > MAX_KEY_BYTES) throw new ProtocolError('malformed', 'slot: the key is too long')
  let text: string
  try {
    text = fromUtf8(key)
  } catch (cause) {
    throw new ProtocolError('malformed', 'slot: the key is no text', { cause })
  }
  if (!/^\/sotto\/[0-9a-f]{64}$/.test(text))
    throw new ProtocolError('malformed', 'slot: expected /sotto/ and 64 hex digits')
  return text
}

const MAX_KEY_BYTES = 128
