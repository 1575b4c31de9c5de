import { concat, equalBytes, toHex, u64be, uintFrom, wipe } from '../bytes.ts'
import type { MachineRun } from '../chat/birth.ts'
import { encodeContactRow } from '../chat/contact-row.ts'
import { DEVICES_KEY, encodeDevices, NO_DEVICES } from '../chat/devices.ts'
import { decodeExpiry } from '../chat/expiring.ts'
import { encodeHead, type Head, seenLamport } from '../chat/head.ts'
import { encodeOwnInvite } from '../chat/invites.ts'
import { encodeBox, encodeRoutes, newBox } from '../chat/mail/rows.ts'
import { encodeOutbox, MAX_OUTBOX, outboxKey } from '../chat/outbox.ts'
import { CLOCK_KEY, encodeSettings, rowsOfNewAccount, SEND_KEY, SETTINGS_KEY } from '../chat/own.ts'
import { type Change, type Changes, changeOf, encodeChanges } from '../conversation/changes.ts'
import { NEW_DELIVERY } from '../conversation/delivery.ts'
import { encodeRecord, type MessageRecord } from '../conversation/history.ts'
import { NEW_OUTGOING, nextPayload, type OutgoingState } from '../conversation/outgoing.ts'
import { decodePayload, KINDS, type Payload } from '../conversation/payload.ts'
import type { Primitives, Random } from '../crypto/primitives.ts'
import { createDevice, type Self } from '../identity/self.ts'
import type { Row } from '../rows.ts'
import { malformed } from '../wire.ts'
import type { AccountItem, BackupItem, ContactItem, MessageItem } from './items.ts'

/** What is known of a backup that was read to its end. */
export interface Restored {
  /** AK_0, 32 bytes. */
  readonly account: Uint8Array
  /** ms. */
  readonly takenAt: number
  readonly contacts: number
  readonly messages: number
  /** What the host had put in. */
  readonly settings: string | null
}

/** Turns a backup into the rows of a new device of its account, item by item. */
export interface Restoring {
  /** Rows to write. Throws `malformed` for an item that may not stand here. */
  take(item: BackupItem): readonly Row[]
  /** Throws `malformed` unless the last item was `end` and its counts hold. */
  end(): Restored
}

/** Somebody whose items are being taken. */
interface Current {
  readonly handle: Uint8Array
  readonly head: Head
  outgoing: OutgoingState
  nextOrder: number
  queued: number
  lastOrder: number
}

/** Items in the order in which they may come. */
const STAGES = ['account', 'invite', 'mailbox', 'contact', 'expiry', 'end'] as const

/**
 * A new device: own keys, no session, counters from 1. What waited for delivery waits again, under new numbers and the old
 * ids, and each says by an empty hash that it may be known already. `now`, ms, by the own clock; `run` where the machine says it.
 */
export function createRestoring(
  primitives: Primitives,
  random: Random,
  now: number,
  run: MachineRun | null = null,
): Restoring {
  let account: AccountItem | null = null
  let self: Self | null = null
  let current: Current | null = null
  let stage = -1
  const handles = new Set<string>()
  let messages = 0
  let over: Extract<BackupItem, { kind: 'end' }> | null = null

  function takeAccount(item: AccountItem): Row[] {
    const accountKey = primitives.signing.fromSeed(item.accountSeed)
    wipe(item.accountSeed)
    if (item.epoch === 0 && !equalBytes(accountKey.publicKey, item.account)) {
      throw malformed('backup: the key is not the one of the account')
    }
    account = item
    self = createDevice(primitives, random, { accountKey, ...item }, now, item.seq)
    return [
      ...rowsOfNewAccount(primitives, random, self, item.name, now, true, run),
      { range: 'self', key: SETTINGS_KEY, value: encodeSettings(item.name, item.contactSecret) },
      {
        range: 'self',
        key: DEVICES_KEY,
        value: encodeDevices({ ...NO_DEVICES, former: [{ did: item.did, added: null }] }),
      },
      ...(item.sendKey ? [{ range: 'self', key: SEND_KEY, value: item.sendKey } as const] : []),
      ...(item.clock === null ? [] : [{ range: 'self', key: CLOCK_KEY, value: u64be(item.clock) } as const]),
    ]
  }

  function begin({ handle, row, head, routes }: ContactItem): Row[] {
    const name = toHex(handle)
    if (handles.has(name)) throw malformed('backup: a contact twice')
    handles.add(name)
    current = {
      handle,
      head,
      // Own messages go on sorting behind what was written before.
      outgoing: { ...NEW_OUTGOING, lamport: head.outgoing.lamport },
      nextOrder: head.nextOrder,
      queued: 0,
      lastOrder: 0,
    }
    return [
      { range: 'contact', key: handle, value: encodeContactRow(row) },
      ...(routes.length > 0 ? [{ range: 'routes', key: handle, value: encodeRoutes(routes) } as const] : []),
    ]
  }

  /** Where the conversation of the last contact stands, once everything of it was taken. */
  function finish(): Row[] {
    if (current === null) return []
    const { handle, head, outgoing, nextOrder } = current
    current = null
    const value = encodeHead({ ...head, outgoing, delivery: NEW_DELIVERY, nextOrder })
    return [{ range: 'head', key: handle, value }]
  }

  function takeMessage(item: MessageItem): Row[] {
    const into = expectContact()
    const { order, record } = item
    if (order <= into.lastOrder || order >= into.head.nextOrder) throw malformed('backup: a message out of its order')
    into.lastOrder = order
    if (record.expiresAt !== null && record.expiresAt <= now) return []
    messages++
    const rows: Row[] = []
    let kept = record
    if (item.waits) {
      if (record.direction !== 'out') throw malformed('backup: a message of somebody else waits')
      const again = queue(into, decodePayload(record.payload), { order, target: null })
      rows.push(...again.rows)
      kept =
        again.payload === null ? { ...record, failed: FULL } : { ...record, author: ownDid(), payload: again.payload }
    }
    rows.push({ range: 'message', key: placeKey(into, order), value: encodeRecord(kept) })
    return [...rows, ...takeChanges(into, record.id, item.changes, item.waiting)]
  }

  function takeChanges(into: Current, message: Uint8Array, changes: Changes, waiting: readonly number[]): Row[] {
    if (changes.length === 0) return []
    const rows: Row[] = []
    const kept = changes.map((change): Change => {
      if (change.direction === 'in' || !waiting.includes(change.payload.counter)) return change
      const order = into.nextOrder++
      const again = queue(into, change.payload, { order, target: message })
      if (again.payload === null) return change
      const bytes = again.payload
      const author = ownDid()
      const record: MessageRecord = { ...OWN, id: change.payload.id, author, payload: bytes, receivedAt: change.at }
      rows.push(...again.rows, { range: 'message', key: placeKey(into, order), value: encodeRecord(record) })
      const { direction, at } = change
      return changeOf(decodePayload(bytes), { direction, author, at, bytes }) ?? change
    })
    return [...rows, { range: 'change', key: concat(into.handle, message), value: encodeChanges(kept) }]
  }

  /** The next number for what waits; without a payload where no more may wait. */
  function queue(
    into: Current,
    { kind, id, content, conversation, sentAt, expiresAfter }: Payload,
    { order, target }: { order: number; target: Uint8Array | null },
  ): { rows: Row[]; payload: Uint8Array | null } {
    if (into.queued >= MAX_OUTBOX) return { rows: [], payload: null }
    into.queued++
    const input = { kind, id, content, conversation, sentAt, expiresAfter, seenLamport: seenLamport(into.head) }
    const { state, payload, bytes } = nextPayload(primitives, { ...into.outgoing, previousHash: NO_HASH }, input)
    into.outgoing = state
    const { counter } = payload
    const key = outboxKey(into.handle, counter)
    const isVoid = kind === KINDS.void
    const entry = {
      counter,
      order,
      id,
      target,
      isVoid,
      sealed: null,
      payload: null,
      saved: true,
      left: false,
      leftAt: 0,
    }
    return {
      rows: [{ range: 'outbox', key, value: encodeOutbox(entry, null) }],
      payload: bytes,
    }
  }

  function expectContact(): Current {
    if (current === null) throw malformed('backup: something of a contact without one')
    return current
  }

  function ownDid(): Uint8Array {
    if (self === null) throw malformed('backup: it begins without an account')
    return self.did
  }

  /** Items stand in their order; those that belong to a contact behind one. */
  function advance(kind: BackupItem['kind']): void {
    if (over !== null) throw malformed('backup: something follows its end')
    const next = STAGES.indexOf(kind as (typeof STAGES)[number])
    if (next === -1) {
      if (STAGES[stage] !== 'contact') throw malformed('backup: something of a contact without one')
      return
    }
    const isOnce = kind === 'account' || kind === 'end'
    if (next < stage || (next === stage && isOnce) || (stage === -1 && kind !== 'account')) {
      throw malformed('backup: an item out of its order')
    }
    stage = next
  }

  return {
    take(item) {
      advance(item.kind)
      switch (item.kind) {
        case 'account':
          return takeAccount(item)
        case 'invite':
          return [
            {
              range: 'invite',
              key: primitives.sha256(item.invite.secret).slice(0, 16),
              value: encodeOwnInvite(item.invite),
            },
          ]
        case 'mailbox': {
          const { peer, addresses } = item
          const box = newBox(primitives, random.bytes(16), random.bytes(32), { peer, addresses })
          return [{ range: 'mailbox', key: box.handle, value: encodeBox(box) }]
        }
        case 'contact':
          return [...finish(), ...begin(item)]
        case 'message':
          return takeMessage(item)
        case 'change':
          return takeChanges(expectContact(), item.message, item.changes, [])
        case 'places': {
          const { handle, head } = expectContact()
          return item.places.map(([id, order]) => {
            if (order >= head.nextOrder) throw malformed('backup: a place out of its order')
            return { range: 'place', key: concat(handle, id), value: u64be(order) }
          })
        }
        case 'expiry':
          return [
            ...finish(),
            ...item.rows.flatMap(([key, value]) => {
              const row = decodeExpiry(key, value)
              if (row === null) throw malformed('backup: a time that is none')
              return handles.has(toHex(row.handle)) ? [{ range: 'expiry', key, value } as const] : []
            }),
          ]
        case 'end':
          over = item
          return finish()
      }
    },
    end() {
      if (over === null || account === null) throw malformed('backup: it ends early')
      if (over.contacts !== handles.size || over.messages < messages) throw malformed('backup: something is missing')
      const { takenAt, settings } = account
      return { account: account.account, takenAt, settings, contacts: handles.size, messages }
    },
  }
}

const NO_HASH = new Uint8Array(0)

const FULL = { state: 'failed', reason: 'too much waited when the backup was restored' } as const

const OWN: Omit<MessageRecord, 'id' | 'payload' | 'author' | 'receivedAt'> = {
  direction: 'out',
  missingBefore: 0,
  chainBroken: false,
  weak: false,
  deliveredAt: null,
  readAt: null,
  failed: null,
  expiresAt: null,
  deleted: false,
}

function placeKey({ handle }: Current, order: number): Uint8Array {
  return concat(handle, u64be(order))
}

/** The place in the key of a row of `message`. */
export function orderIn(key: Uint8Array): number {
  return uintFrom(key.subarray(18))
}
