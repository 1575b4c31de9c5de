import { encodeItem, MAX_ROWS, type BackupItem, type ContactItem } from '../../lib/backup/items.ts'
import { orderIn } from '../../lib/backup/restoring.ts'
import { accountItem, contactItem, messageItem } from '../../lib/backup/taking.ts'
import { concat, u64be, uintFrom, wipe, toHex } from '../../lib/bytes.ts'
import { decodeSent } from '../../lib/chat/sent.ts'
import { decodeOwnInvite } from '../../lib/chat/invites.ts'
import { decodeBox } from '../../lib/chat/mail/rows.ts'
import { type Changes, decodeChanges } from '../../lib/conversation/changes.ts'
import { decodeRecord } from '../../lib/conversation/history.ts'
import { decodePayload } from '../../lib/conversation/payload.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { sealingStream } from '../../lib/crypto/stream.ts'
import { ProtocolError } from '../../lib/errors.ts'
import type { Entry, Store } from '../store/store.ts'
import { frameItem } from './format.ts'

/** What seals one backup; see `createBackupSeal`. */
export interface BackupSeal {
  /** With what the file begins: the key, sealed with a passphrase. */
  readonly head: Uint8Array
  /** 32 bytes that seal this backup and nothing else. */
  readonly key: Uint8Array
}

/** How far a backup is, or what came out of one. */
export interface BackupCounts {
  readonly contacts: number
  readonly messages: number
}

export interface TakeOptions {
  readonly primitives: Primitives
  readonly seal: BackupSeal
  /** ms. */
  readonly now: number
  readonly settings?: string | null
  onProgress?(counts: BackupCounts): void
}

/** Rows read at a time. */
const BATCH = 256

/** What is given out at a time, about, bytes. */
const PORTION_BYTES = 262_144

/**
 * The bytes of a backup of what is in the store, in portions. While it is read the account may be in use: of each conversation
 * it holds what was there when its turn came. Rejects with what the store throws.
 */
export async function* takeBackup(store: Store, options: TakeOptions): AsyncGenerator<Uint8Array, void> {
  const { primitives, seal } = options
  const stream = sealingStream(primitives, seal.key, seal.head)
  let portion: Uint8Array[] = [seal.head]
  let bytes = 0
  for await (const item of itemsOf(store, options)) {
    const encoded = encodeItem(item)
    const sealed = stream.push(frameItem(encoded))
    wipe(encoded)
    portion.push(sealed)
    bytes += sealed.length
    if (bytes < PORTION_BYTES) continue
    yield concat(...portion)
    portion = []
    bytes = 0
  }
  yield concat(...portion, stream.end())
}

async function* itemsOf(
  store: Store,
  { primitives, now, settings = null, onProgress }: TakeOptions,
): AsyncGenerator<BackupItem, void> {
  const account = accountItem(primitives, await store.list('self'), { takenAt: now, settings })
  yield account
  wipe(account.accountSeed)
  for (const { value } of await store.list('invite')) yield { kind: 'invite', invite: decodeOwnInvite(value) }
  for (const { key, value } of await store.list('mailbox')) {
    yield { kind: 'mailbox', ...decodeBox(primitives, key, value).target }
  }
  let contacts = 0
  let messages = 0
  for (const handle of await store.keys('contact')) {
    const contact = await readContact(store, handle)
    if (contact === null) continue
    contacts++
    yield contact
    for await (const item of conversationOf(store, contact, { did: account.did, now })) {
      yield item
      if (item.kind !== 'message') continue
      messages++
      if (messages % BATCH === 0) onProgress?.({ contacts, messages })
    }
  }
  for await (const rows of inBatches((after) => store.list('expiry', { limit: MAX_ROWS, ...after }))) {
    yield { kind: 'expiry', rows: rows.map(({ key, value }) => [key, value]) }
  }
  yield { kind: 'end', contacts, messages }
  onProgress?.({ contacts, messages })
}

/** Null for somebody who was forgotten meanwhile. The head before the messages: what it counts as here is on disk by then. */
async function readContact(store: Store, handle: Uint8Array): Promise<ContactItem | null> {
  const row = await store.read('contact', handle)
  const head = await store.read('head', handle)
  if (row === null || head === null) return null
  return contactItem(handle, { row, head, routes: await store.read('routes', handle) })
}

/** What came behind the head is left out: it is not counted there, and comes again to whoever restores this. */
async function* conversationOf(
  store: Store,
  { handle, head }: ContactItem,
  { did, now }: { did: Uint8Array; now: number },
): AsyncGenerator<BackupItem, void> {
  const isChanged = (await store.keys('change', { prefix: handle, limit: 1 })).length > 0

  async function changesOf(id: Uint8Array): Promise<Changes> {
    const row = isChanged ? await store.read('change', concat(handle, id)) : null
    return row === null ? [] : decodeChanges(row)
  }

  for await (const rows of inBatches((after) => store.list('message', { prefix: handle, limit: BATCH, ...after }))) {
    for (const { key, value } of rows) {
      const order = orderIn(key)
      if (order >= head.nextOrder) continue
      const record = decodeRecord(value)
      const counter = record.direction === 'out' ? counterOf(record.payload) : 0
      const row = counter > 0 ? await store.read('sent', concat(handle, u64be(counter))) : null
      const sent = row && decodeSent(row)
      const changes = await changesOf(record.id)
      const kept = { order, record, sent: sent?.order === order ? sent : null, changes }
      const item = messageItem(kept, { head, did, now })
      if (item !== null) yield item
    }
  }
  for (const message of new Map(head.early.map(({ id }) => [toHex(id), id])).values()) {
    const changes = await changesOf(message)
    if (changes.length > 0) yield { kind: 'change', message, changes }
  }
  for await (const rows of inBatches((after) => store.list('place', { prefix: handle, limit: MAX_ROWS, ...after }))) {
    const places = rows
      .map(({ key, value }) => [key.subarray(handle.length), uintFrom(value.subarray(2))] as const)
      .filter(([, order]) => order < head.nextOrder)
    if (places.length > 0) yield { kind: 'places', places }
  }
}

async function* inBatches(
  list: (after: { after?: Uint8Array }) => Promise<readonly Entry[]>,
): AsyncGenerator<readonly Entry[], void> {
  let after: Uint8Array | undefined
  for (;;) {
    const rows = await list(after === undefined ? {} : { after })
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)?.key
  }
}

/** 0 for what cannot be read. */
function counterOf(payload: Uint8Array): number {
  try {
    return decodePayload(payload).counter
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return 0
  }
}
