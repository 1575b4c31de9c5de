import { utf8 } from '../bytes.ts'
import { isAccountRecordDue } from '../identity/self.ts'
import { MAX_AHEAD_SECONDS, unixSeconds } from '../identity/time.ts'
import type { Row } from '../rows.ts'
import { asArray, asBytes, asNullable, asUint, decodeTyped, encode, type WireValue } from '../wire.ts'
import { type Machine, save } from './machine.ts'

// A device that is made where the account was before (a restore, a recovery) signs its list by the clock of a machine that may be
// wrong. Under a number below one that contacts have seen they would ignore it, and it would take what it replaced for newer.

/** From one start of a machine to the next: its clock may be set meanwhile, but what passes of time is known. */
export interface MachineRun {
  /** 16 bytes, another for each start. */
  readonly id: Uint8Array
  /** When it started, by the clock as it is set now, ms. */
  readonly began: number
}

/** When this device was made; as long as that may have been by a wrong clock. */
export interface Birth {
  /** By the clock as it is set now, as far as that is known, ms. */
  readonly at: number
  /** The machine in which the clock was last looked at; null where it does not say. */
  readonly run: MachineRun | null
}

/** The key of the row of the range `self`. */
export const BIRTH_KEY: Uint8Array = utf8('birth')

const MAX_ROW_BYTES = 64
const RUN_ID_BYTES = 16

/** `[1, "birth", at ms, [id, began ms] or null]`. */
export function encodeBirth({ at, run }: Birth): Uint8Array {
  return encode([1, 'birth', at, run && [run.id, run.began]])
}

/** Reads the row. Throws `malformed` or `newer-version`. */
export function decodeBirth(bytes: Uint8Array): Birth {
  const fields = decodeTyped(bytes, { type: 'birth', fields: 2, maxBytes: MAX_ROW_BYTES })
  return { at: asUint(fields[0], 'at'), run: asNullable(fields[1], asRun) }
}

function asRun(value: WireValue): MachineRun {
  const [id, began] = asArray(value, 'run', { length: 2 })
  return { id: asBytes(id, 'run', { length: RUN_ID_BYTES }), began: asUint(began, 'began') }
}

/** The row of a device that is made now, ms. */
export function birthRow(now: number, run: MachineRun | null): Row {
  return { range: 'self', key: BIRTH_KEY, value: encodeBirth({ at: now, run }) }
}

/**
 * Whether the own list of devices is to be signed anew: after a third of its time, and once when the device is so old that every
 * number that anybody believed before it was made is over, for it may have been made below one of them.
 */
export function isListDue({ own, now }: Machine): boolean {
  return isAccountRecordDue(own.self.accountRecord, now) || isGrown(own.birth, now)
}

/** The list was signed anew: when the device was made says nothing any more, once it is grown. */
export function forgetBirth(machine: Machine): void {
  if (isGrown(machine.own.birth, machine.now)) saveBirth(machine, null)
}

function isGrown(birth: Birth | null, now: number): boolean {
  return birth !== null && unixSeconds(now) - unixSeconds(birth.at) > MAX_AHEAD_SECONDS
}

export function saveBirth(machine: Machine, birth: Birth | null): void {
  machine.own.birth = birth
  save(machine, { range: 'self', key: BIRTH_KEY, value: birth && encodeBirth(birth) })
}
