import { concat, toHex, u64be, uintFrom } from '../bytes.ts'
import { MAX_TIME_MS } from '../conversation/payload.ts'
import { decodeRecord } from '../conversation/history.ts'
import { erase } from './erasing-messages.ts'
import { type Contact, list, load, type Machine, save, setTimer } from './machine.ts'
import { saveClock } from './own.ts'
import { messageKey } from './sealing.ts'

/** Messages erased in one turn. */
const BATCH = 64

/** How far a clock may go back unnoticed, ms. */
const CLOCK_SLACK_MS = 60_000

/** A clock that shows less was never set: 2025-01-01. */
const EARLIEST_MS = 1_735_689_600_000

/** Why a message goes. */
export type Cause = 'expiry' | 'history'

const CAUSES: readonly Cause[] = ['expiry', 'history']

/** When a message goes: the row of the range `expiry`. */
export interface ExpiryRow {
  readonly at: number
  /** Contact handle, 16 bytes. */
  readonly handle: Uint8Array
  readonly order: number
  /** How long it was to stay, ms: `at` less this is when that began. */
  readonly duration: number
  readonly cause: Cause
}

export function encodeExpiry(row: ExpiryRow): { key: Uint8Array; value: Uint8Array } {
  return {
    key: concat(u64be(row.at), row.handle, u64be(row.order)),
    value: concat(Uint8Array.of(CAUSES.indexOf(row.cause)), u64be(row.duration)),
  }
}

/** Null for a row that no version wrote. */
export function decodeExpiry(key: Uint8Array, value: Uint8Array): ExpiryRow | null {
  const cause = CAUSES[value[0] ?? CAUSES.length]
  if (key.length !== 32 || value.length !== 9 || cause === undefined) return null
  return {
    at: uintFrom(key.subarray(2, 8)),
    handle: key.slice(8, 24),
    order: uintFrom(key.subarray(26)),
    duration: uintFrom(value.subarray(3)),
    cause,
  }
}

/** From now on the message at that place has so long to stay. */
export function eraseAfter(machine: Machine, contact: Contact, order: number, durationMs: number, cause: Cause): void {
  const duration = Math.min(durationMs, MAX_TIME_MS - machine.now)
  const at = machine.now + duration
  save(machine, { range: 'expiry', ...encodeExpiry({ at, handle: contact.handle, order, duration, cause }) })
  plan(machine, at)
}

function plan(machine: Machine, at: number): void {
  if (machine.expiryAt !== null && machine.expiryAt <= at) return
  machine.expiryAt = at
  setTimer(machine, 'expiry', at)
}

/** After a start: what is due while nothing ran, and when the next is. */
export function startExpiring(machine: Machine): void {
  watchClock(machine)
  eraseDue(machine, machine.now)
}

/** Its timer fired, so its time has come, whatever the clock shows. */
export function onExpiryTimer(machine: Machine): void {
  eraseDue(machine, Math.max(machine.now, machine.expiryAt ?? 0))
}

/** What is due by the clock, which may have been set forward. */
export function checkExpiry(machine: Machine): void {
  if (machine.expiryAt !== null && machine.expiryAt <= machine.now) eraseDue(machine, machine.now)
}

/** Erases what is due until then, some at a time, and plans the next. */
function eraseDue(machine: Machine, until: number): void {
  if (machine.expiring) return
  machine.expiring = true
  if (machine.expiryAt !== null) setTimer(machine, 'expiry', null)
  machine.expiryAt = null
  list(machine, 'expiry', { after: null, limit: BATCH }, (rows) => {
    const due: ExpiryRow[] = []
    for (const { key, value } of rows) {
      const row = decodeExpiry(key, value)
      if (row === null) save(machine, { range: 'expiry', key, value: null })
      else if (row.at <= until) due.push(row)
      else plan(machine, row.at)
    }
    if (due.length > 0) {
      eraseThese(machine, due, () => {
        machine.expiring = false
        eraseDue(machine, until)
      })
      return
    }
    machine.expiring = false
  })
}

function eraseThese(machine: Machine, rows: readonly ExpiryRow[], then: () => void): void {
  const keys = rows.map(({ handle, order }) => messageKey({ handle }, order))
  load(machine, 'message', keys, (values) => {
    for (const [i, row] of rows.entries()) {
      save(machine, { range: 'expiry', key: encodeExpiry(row).key, value: null })
      const contact = machine.contacts.get(toHex(row.handle))
      const value = values[i]
      if (contact === undefined || !value) continue
      // What was to be forgotten stays when everything is kept by now.
      if (row.cause === 'history' && (machine.options.historyMs ?? null) === null) continue
      erase(machine, contact, row.order, decodeRecord(value), row.cause)
    }
    then()
  })
}

/**
 * A clock that was ahead and was set back would keep what was written meanwhile for as long as it had been ahead: it gets its
 * whole time again from now on. Called hourly and after a start.
 */
export function watchClock(machine: Machine): void {
  const { own, now } = machine
  if (now < EARLIEST_MS) return
  const seen = own.clock ?? now
  if (own.clock !== null && Math.abs(now - seen) < CLOCK_SLACK_MS) return
  own.clock = now
  saveClock(machine)
  if (now < seen) startAgain(machine, null)
}

function startAgain(machine: Machine, after: Uint8Array | null): void {
  list(machine, 'expiry', { after, limit: BATCH }, (rows) => {
    for (const { key, value } of rows) {
      const row = decodeExpiry(key, value)
      if (row === null || row.at - row.duration <= machine.now) continue
      const at = machine.now + row.duration
      save(machine, { range: 'expiry', key, value: null }, { range: 'expiry', ...encodeExpiry({ ...row, at }) })
      plan(machine, at)
    }
    const last = rows.at(-1)
    if (rows.length === BATCH && last !== undefined) startAgain(machine, last.key)
  })
}
