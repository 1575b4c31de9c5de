import { compareBytes, equalBytes, toHex } from '../bytes.ts'
import { verifyAccountRecord } from '../identity/account-record.ts'
import { verifyDeviceRecord } from '../identity/device-record.ts'
import { encodeSelf, renewAccountRecord } from '../identity/self.ts'
import { openSlot } from '../identity/slot.ts'
import { unixSeconds } from '../identity/time.ts'
import { type MachineRun, saveBirth } from './birth.ts'
import { isRevoked, noticeRecord, rememberFormer, restoreDevice } from './devices.ts'
import { count, guarded, type Machine, save } from './machine.ts'
import { hashOfSecret, slotName } from './own-slots.ts'
import { SELF_KEY } from './own.ts'

/** The network holds a newer value of this account: numbers go on from there, else nobody would take one for hours. */
export function learnOwnSlot(
  machine: Machine,
  where: { readonly secret: Uint8Array; readonly day: number },
  key: string,
  value: Uint8Array,
): void {
  guarded(machine, 'own slot', () => learnFrom(machine, where, key, value))
}

function learnFrom(
  machine: Machine,
  { secret, day }: { readonly secret: Uint8Array; readonly day: number },
  key: string,
  value: Uint8Array,
): void {
  const { publications, self } = machine.own
  const account = self.accountKey.publicKey
  const opened = openSlot(machine.primitives, { account, secret, day, value, key })
  const slot = slotName(machine, secret, day)
  const record = verifyAccountRecord(machine.primitives, opened.accountRecord)
  if (machine.own.recovering === null || isMadeAfter(machine, record.seq)) noticeRecord(machine, record)
  else {
    rememberFormer(machine, record.devices)
    if (record.seq >= self.accountRecord.seq && !equalBytes(record.bytes, self.accountRecord.bytes)) {
      count(machine, 'own account record: newer in the network')
      signAbove(machine, record.seq)
    }
  }
  const known = publications.revs.get(slot)
  if (known !== undefined && compareBytes(opened.rev, known.rev) <= 0) return
  count(machine, 'own slot: newer in the network')
  const secretHash = hashOfSecret(machine, secret)
  publications.revs.set(slot, { secretHash, day, rev: opened.rev })
  const name = toHex(secretHash)
  if (isRevoked(machine)) return
  const { seq } = verifyDeviceRecord(machine.primitives, opened.deviceRecord, self.accountRecord)
  publications.seqs.set(name, Math.max(seq, publications.seqs.get(name) ?? 0))
}

/**
 * Whether a list was signed after this device was made, which was not started at once: it is of another one that took the account
 * over meanwhile. A number that the own clock has not reached says that one of the two clocks is wrong.
 */
function isMadeAfter({ own, now }: Machine, seq: number): boolean {
  return own.birth !== null && seq > unixSeconds(own.birth.at) && seq <= unixSeconds(now)
}

/**
 * Signs the own list of devices anew, just above this number and all of its own: not by the time, for whoever took the account over
 * since this device was made has to stay above it.
 */
export function signAbove(machine: Machine, seq: number): void {
  const { self } = machine.own
  const above = Math.max(seq, self.accountRecord.seq) + 1
  machine.own.self = renewAccountRecord(machine.primitives, self, machine.now, above)
  save(machine, { range: 'self', key: SELF_KEY, value: encodeSelf(machine.own.self) })
}

/** A clock that is corrected by less than this was right, ms. */
const SLACK_MS = 2_000

/**
 * The machine says when it started. Where that is later than it said before, the clock was behind and was set: then the device
 * was made later than its list says, and the list gets the number that it would have had. It is below that of everything that
 * was made after it. True when the list was signed anew.
 */
export function onRun(machine: Machine, run: MachineRun): boolean {
  const { birth } = machine.own
  if (birth === null) return false
  const known = birth.run !== null && equalBytes(birth.run.id, run.id) ? birth.run : null
  const by = known === null ? 0 : run.began - known.began
  if (known !== null && Math.abs(by) < SLACK_MS) return false
  const at = Math.max(0, birth.at + by)
  saveBirth(machine, { at, run })
  const seq = unixSeconds(at)
  if (by <= 0 || seq <= machine.own.self.accountRecord.seq) return false
  count(machine, 'own device: made while the clock was behind')
  machine.own.self = renewAccountRecord(machine.primitives, machine.own.self, machine.now, seq)
  save(machine, { range: 'self', key: SELF_KEY, value: encodeSelf(machine.own.self) })
  restoreDevice(machine)
  return true
}
