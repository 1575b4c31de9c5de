import { toHex, u64be, utf8 } from '../bytes.ts'
import type { Content } from '../conversation/contents.ts'
import type { Primitives, Random } from '../crypto/primitives.ts'
import { accountId } from '../identity/account.ts'
import { createPrekey, encodePrekeyPair, isPrekeyDue, isPrekeyErasable, type PrekeyPair } from '../identity/prekeys.ts'
import { encodeSelf, renewAccountRecord, type Self } from '../identity/self.ts'
import type { OwnKeys, OwnPrekey } from '../session/handshake.ts'
import type { Row } from '../rows.ts'
import { asBytes, asNullable, asText, decodeTyped, encode } from '../wire.ts'
import { type Birth, birthRow, forgetBirth, isListDue, type MachineRun } from './birth.ts'
import { MAX_NAME_BYTES } from './contact-row.ts'
import { type Devices, isRevoked } from './devices.ts'
import { expireInvites, type OwnInvite } from './invites.ts'
import { type Machine, save, setTimer } from './machine.ts'
import type { Publications } from './publications.ts'
import type { Recovering } from './recovering.ts'

/** The account and device that this machine speaks for. */
export interface Own {
  self: Self
  /** What this account calls itself towards others. */
  readonly name: string | null
  /** The slot secret that contacts are told. */
  contactSecret: Uint8Array
  readonly did: Uint8Array
  /** Invites by hash of their secret. */
  readonly invites: Map<string, OwnInvite>
  readonly publications: Publications
  devices: Devices
  /** While it was made again from its words and nobody took its record yet; else null. */
  recovering: Recovering | null
  /** When the device was made, if the account was there before and that was not long ago; else null. */
  birth: Birth | null
  /** With which ids of messages are made of keys of `send`, 32 bytes; null until it is needed. */
  sendKey: Uint8Array | null
  /** What the clock showed when it was last looked at, ms; null for never. */
  clock: number | null
}

/** Keys of the rows of the range `self`. */
export const SELF_KEY: Uint8Array = utf8('self')
export const SETTINGS_KEY: Uint8Array = utf8('settings')
export const PUBLICATIONS_KEY: Uint8Array = utf8('publications')
export const SEND_KEY: Uint8Array = utf8('send-key')
export const CLOCK_KEY: Uint8Array = utf8('clock')

/** There, and empty, as long as the account is `recovering`. */
export const RECOVERING_KEY: Uint8Array = utf8('recovering')
/** The row of mailboxes whose receipts do not count. */
export const DOUBTED_KEY: Uint8Array = utf8('doubted')

/** How often prekeys and records are looked after, ms. */
const UPKEEP_MS = 3_600_000

/**
 * The rows of a new account, in the order in which they belong together: one batch. `recovered`: it was there before, and `run` is
 * that of the machine, where it says.
 */
export function rowsOfNewAccount(
  primitives: Primitives,
  random: Random,
  self: Self,
  name: string | null,
  now: number,
  recovered: boolean = false,
  run: MachineRun | null = null,
): readonly Row[] {
  const prekey = createPrekey(primitives, random, now)
  return [
    { range: 'self', key: SELF_KEY, value: encodeSelf(self) },
    { range: 'self', key: SETTINGS_KEY, value: encodeSettings(name, random.bytes(32)) },
    { range: 'prekey', key: prekey.id, value: encodePrekeyPair(prekey) },
    ...(recovered
      ? [{ range: 'self', key: RECOVERING_KEY, value: new Uint8Array() } as const, birthRow(now, run)]
      : []),
  ]
}

/** The row of the settings. */
export function encodeSettings(name: string | null, contactSecret: Uint8Array): Uint8Array {
  return encode([1, 'settings', name, contactSecret])
}

/** Reads the settings row. Throws `malformed` or `newer-version`. */
export function decodeSettings(bytes: Uint8Array): { name: string | null; contactSecret: Uint8Array } {
  const fields = decodeTyped(bytes, { type: 'settings', fields: 2, maxBytes: 1024 })
  return {
    name: asNullable(fields[0], (value) => asText(value, 'name', MAX_NAME_BYTES)),
    contactSecret: asBytes(fields[1], 'contact secret', { length: 32 }),
  }
}

/** What the own side of a handshake needs. */
export function handshakeKeys(machine: Machine): OwnKeys & { accountRecord: Uint8Array } {
  const { self } = machine.own
  return {
    aid: accountId(machine.primitives, self.accountRecord.account),
    did: self.did,
    ik: self.identityKey,
    accountRecord: self.accountRecord.bytes,
  }
}

/** The own prekey of that id, if it is still held. */
export function ownPrekey(machine: Machine, id: Uint8Array): OwnPrekey | null {
  const pair = machine.prekeys.get(toHex(id))
  return pair === undefined ? null : { bytes: pair.bytes, dh: pair.dh, kem: pair.kem }
}

/** The newest own prekey; there always is one. */
export function newestPrekey(machine: Machine): PrekeyPair | null {
  let newest: PrekeyPair | null = null
  for (const pair of machine.prekeys.values()) {
    if (newest === null || pair.issued > newest.issued) newest = pair
  }
  return newest
}

/** What a request says about who sends it. */
export function requestContent(machine: Machine, inviteSecret: Uint8Array | null): Content {
  return {
    kind: 'request',
    claimedName: machine.own.name,
    invite: inviteSecret === null ? null : machine.primitives.sha256(inviteSecret).slice(0, 16),
  }
}

/** From now on contacts are told another secret: who was blocked can no longer follow the addresses. */
export function replaceContactSecret(machine: Machine): void {
  machine.own.contactSecret = machine.random.bytes(32)
  save(machine, {
    range: 'self',
    key: SETTINGS_KEY,
    value: encodeSettings(machine.own.name, machine.own.contactSecret),
  })
}

/** With which ids of messages are made of keys of `send`. */
export function sendKey(machine: Machine): Uint8Array {
  const { own } = machine
  if (own.sendKey === null) {
    own.sendKey = machine.random.bytes(32)
    save(machine, { range: 'self', key: SEND_KEY, value: own.sendKey })
  }
  return own.sendKey
}

/** Writes down what the clock showed when it was last looked at. */
export function saveClock(machine: Machine): void {
  if (machine.own.clock !== null) save(machine, { range: 'self', key: CLOCK_KEY, value: u64be(machine.own.clock) })
}

/**
 * Daily prekeys, monthly records, expired invites; true when something that is published changed. `drained`: nothing waits at
 * a mailbox any more that was sealed to an old prekey.
 */
export function upkeep(machine: Machine, drained: boolean): boolean {
  let changed = false
  if (isPrekeyDue(newestPrekey(machine), machine.now)) {
    const pair = createPrekey(machine.primitives, machine.random, machine.now)
    machine.prekeys.set(toHex(pair.id), pair)
    save(machine, { range: 'prekey', key: pair.id, value: encodePrekeyPair(pair) })
    changed = true
  }
  for (const [id, pair] of machine.prekeys) {
    if (!isPrekeyErasable(pair, machine.now, drained)) continue
    machine.prekeys.delete(id)
    save(machine, { range: 'prekey', key: pair.id, value: null })
  }
  if (renewWhenDue(machine)) changed = true
  if (expireInvites(machine)) changed = true
  setTimer(machine, 'upkeep', machine.now + UPKEEP_MS)
  return changed
}

/**
 * A third of its time after it was signed the own list of devices is signed anew, true then; but not before the network took the
 * old one in this life: until then it is not known whether a newer one revoked this device, which would win by the new number.
 */
function renewWhenDue(machine: Machine): boolean {
  const { own, primitives, now } = machine
  if (own.publications.last === null || isRevoked(machine) || !isListDue(machine)) return false
  own.self = renewAccountRecord(primitives, own.self, now)
  forgetBirth(machine)
  save(machine, { range: 'self', key: SELF_KEY, value: encodeSelf(own.self) })
  return true
}
