import { equalBytes, toHex } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { verifySignature } from '../crypto/signed.ts'
import {
  type AccountDevice,
  type AccountRecord,
  findDevice,
  MAX_ACCOUNT_RECORD_BYTES,
} from '../identity/account-record.ts'
import { splitSigned } from '../identity/signed-value.ts'
import { type Clock, covers, joined, withPlace } from './clock.ts'
import { MAX_CHAINS_OF_ACCOUNT, MAX_OPERATIONS, MAX_OPERATIONS_OF_ACCOUNT } from './graph.ts'
import { type Entry, type Log } from './log.ts'
import { isSignedBy, type Operation, type OperationId } from './operation.ts'

/** Why an operation is no part of the graph. All but `full` follow from the operation and its past, so all graphs agree. */
export type Refusal =
  /** No canonical encoding of an operation, or beyond a limit of its fields. */
  | 'malformed'
  /** Of a version or kind that this program does not know. */
  | 'newer-version'
  /** Of another group. */
  | 'foreign'
  /** Not one above the highest that it follows. */
  | 'lamport'
  /** Its past does not name the device, or its own previous operation is another device's, or nobody ever added the account. */
  | 'author'
  /** The account record in it is not its author's, older than one in its past, or does not name the device with its keys. */
  | 'record'
  /** It removes or promotes what its past does not hold. */
  | 'target'
  /** A signature does not hold. */
  | 'unauthentic'
  /** More operations than this program keeps. */
  | 'full'

/** The place of an operation whose whole past is in the log, or why it has none. */
export function admit(
  primitives: Primitives,
  log: Log,
  id: OperationId,
  operation: Operation,
  verified: 'verified' | 'unverified',
): Entry | Refusal {
  const account = toHex(operation.account)
  const author = log.accounts.get(account)
  if (log.entries.length >= MAX_OPERATIONS || (author?.written ?? 0) >= MAX_OPERATIONS_OF_ACCOUNT) return 'full'
  const follows = [operation.previous, ...operation.parents].flatMap((each) => log.byId.get(toHex(each)) ?? [])
  const height = follows.reduce((most, each) => Math.max(most, each.operation.lamport + 1), 0)
  if (operation.lamport !== height) return 'lamport'

  const previous = log.byId.get(toHex(operation.previous)) ?? null
  const place = placeBehind(log, previous)
  if (place.index === 0 && (author?.chains ?? 0) >= MAX_CHAINS_OF_ACCOUNT) return 'full'
  const past = joined(follows.map(({ clock }) => clock))
  if (!mayWrite(log, operation, account, previous, past)) return 'author'
  const known = author?.records.find((entry) => covers(past, entry))?.record ?? null
  const identity = identityOf(operation, previous, known)
  if (identity === null) return 'record'
  if (!hasTargets(log, operation, past)) return 'target'
  if (verified === 'unverified' && !isAuthentic(primitives, log, operation, identity)) return 'unauthentic'

  const clock = withPlace(past, place)
  const { content } = operation
  const subject = content.kind === 'add' || content.kind === 'transfer' ? toHex(content.account) : ''
  return { id, position: log.entries.length, operation, account, subject, ...identity, previous, ...place, clock }
}

/** A device goes on from its own operations; the first is a card, or the create operation, and has the keys for the others. */
function mayWrite(log: Log, operation: Operation, account: string, previous: Entry | null, past: Clock): boolean {
  if (previous !== null) return previous.account === account && equalBytes(previous.operation.did, operation.did)
  if (operation.content.kind === 'create') return true
  return operation.content.kind === 'card' && isNamed(log, account, past)
}

function isNamed(log: Log, account: string, past: Clock): boolean {
  return log.accounts.get(account)?.named.some((entry) => covers(past, entry)) ?? false
}

interface Identity {
  readonly device: AccountDevice
  readonly record: AccountRecord
}

/** The account record that counts for the operation, and the device in it; null when they do not go together. */
function identityOf(operation: Operation, previous: Entry | null, known: AccountRecord | null): Identity | null {
  const { content, account, did } = operation
  const own = content.kind === 'create' || content.kind === 'card' ? content.record : null
  // A renewed card mostly brings the record that is known: one object for both.
  const record = own !== null && known !== null && equalBytes(own.bytes, known.bytes) ? known : (own ?? known)
  if (record === null || !equalBytes(record.account, account) || record.epoch !== 0) return null
  if (known !== null && record !== known && record.seq <= known.seq) return null
  const device = findDevice(record, did)
  if (device === null) return null
  if (previous !== null && !hasKeysOf(device, previous.device)) return null
  return { device, record }
}

function hasKeysOf(a: AccountDevice, b: AccountDevice): boolean {
  return equalBytes(a.dsk, b.dsk) && equalBytes(a.ik, b.ik)
}

/** What an operation speaks of stands in its past: nobody is removed, or made owner, in advance. */
function hasTargets(log: Log, { content, account }: Operation, past: Clock): boolean {
  if (content.kind === 'remove') {
    return content.adds.every((id) => {
      const entry = log.byId.get(toHex(id))
      return entry !== undefined && covers(past, entry) && ADDING.has(entry.operation.content.kind)
    })
  }
  if (content.kind === 'transfer') {
    return !equalBytes(content.account, account) && isNamed(log, toHex(content.account), past)
  }
  return true
}

const ADDING: ReadonlySet<string> = new Set(['add', 'transfer'])

function isAuthentic(primitives: Primitives, log: Log, operation: Operation, { device, record }: Identity): boolean {
  const isKnown = log.accounts
    .get(toHex(operation.account))
    ?.records.some((entry) => equalBytes(entry.record.bytes, record.bytes))
  if (isKnown !== true) {
    const { body, signature } = splitSigned(record.bytes, 'account record', MAX_ACCOUNT_RECORD_BYTES)
    if (!verifySignature(primitives, record.key, 'account', body, signature)) return false
  }
  return isSignedBy(primitives, device.dsk, operation)
}

/** At the end of the chain of the own previous operation, or at the beginning of another one. */
function placeBehind(log: Log, previous: Entry | null): { readonly chain: number; readonly index: number } {
  if (previous !== null && log.chains[previous.chain] === previous.index + 1) {
    return { chain: previous.chain, index: previous.index + 1 }
  }
  return { chain: log.chains.length, index: 0 }
}
