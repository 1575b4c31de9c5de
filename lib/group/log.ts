import { compareBytes } from '../bytes.ts'
import type { AccountDevice, AccountRecord } from '../identity/account-record.ts'
import { type ChainPlace, type Clock, covers } from './clock.ts'
import type { Operation, OperationId } from './operation.ts'

/** An operation whose whole past is here, with what follows from that past. */
export interface Entry extends ChainPlace {
  readonly id: OperationId
  /** Where in the log. */
  readonly position: number
  readonly operation: Operation
  /** AK_0 of the author in hexadecimal. */
  readonly account: string
  /** AK_0 of whom it adds or makes the owner, in hexadecimal; empty in the others. */
  readonly subject: string
  /** The author's device, by the keys that its first operation named. */
  readonly device: AccountDevice
  /** The newest account record of the author in the past, the operation itself included. */
  readonly record: AccountRecord
  /** The own previous operation. */
  readonly previous: Entry | null
  /** The past, the operation itself included. */
  readonly clock: Clock
}

/**
 * Operations in an order in which each stands behind those that it follows. It grows at its end and nowhere else, so that
 * one log serves every graph that it was.
 */
export interface Log {
  readonly entries: Entry[]
  readonly byId: Map<OperationId, Entry>
  /** How many operations each chain has. */
  readonly chains: number[]
  /** By AK_0 in hexadecimal. */
  readonly accounts: Map<string, AccountLog>
}

/** What of a log concerns one account. */
export interface AccountLog {
  /** How many operations it wrote, and in how many chains. */
  written: number
  chains: number
  /** Its operations with an account record, the newest record first. */
  readonly records: Entry[]
  /** What brings it into the group: its own create, and adds that name it. */
  readonly named: Entry[]
}

/** A log with these operations, each behind those that it follows. */
export function logOf(entries: readonly Entry[]): Log {
  const log: Log = { entries: [], byId: new Map(), chains: [], accounts: new Map() }
  for (const entry of entries) append(log, entry)
  return log
}

/** Puts an operation at the end. */
export function append(log: Log, entry: Entry): void {
  const { content } = entry.operation
  log.entries.push(entry)
  log.byId.set(entry.id, entry)
  log.chains[entry.chain] = entry.index + 1
  const author = accountLog(log, entry.account)
  author.written++
  if (entry.index === 0) author.chains++
  if (content.kind === 'create' || content.kind === 'card') {
    const behind = author.records.findIndex((other) => compareRecords(entry.record, other.record) <= 0)
    author.records.splice(behind < 0 ? author.records.length : behind, 0, entry)
  }
  if (content.kind === 'create') author.named.push(entry)
  if (content.kind === 'add') accountLog(log, entry.subject).named.push(entry)
}

/** Whether `earlier` is in the past of `later`. No operation is in its own. */
export function isBefore(earlier: Entry, later: Entry): boolean {
  return earlier !== later && covers(later.clock, earlier)
}

/** Those that no other one of them is before, of entries in the order of the log. */
export function firstOf(entries: readonly Entry[]): readonly Entry[] {
  const firsts: Entry[] = []
  for (const entry of entries) if (!firsts.some((other) => isBefore(other, entry))) firsts.push(entry)
  return firsts
}

/** Negative when `a` is the newer: by seq, and of two with one seq the lower bytes. */
export function compareRecords(a: AccountRecord, b: AccountRecord): number {
  return b.seq - a.seq || compareBytes(a.bytes, b.bytes)
}

function accountLog(log: Log, account: string): AccountLog {
  const known = log.accounts.get(account)
  if (known !== undefined) return known
  const made: AccountLog = { written: 0, chains: 0, records: [], named: [] }
  log.accounts.set(account, made)
  return made
}
