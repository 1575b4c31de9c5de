import { equalBytes, wipe } from '../bytes.ts'
import type { DhKeyPair, Primitives, Random, SigningKey } from '../crypto/primitives.ts'
import { asBytes, decodeTyped, encode, malformed } from '../wire.ts'
import { deriveAccountKey } from './account.ts'
import {
  ACCOUNT_RECORD_LIFETIME_SECONDS,
  type AccountRecord,
  DEVICE_ID_BYTES,
  findDevice,
  MAX_ACCOUNT_RECORD_BYTES,
  parseAccountRecord,
  signAccountRecord,
} from './account-record.ts'
import { nextSeq, unixSeconds } from './time.ts'

/**
 * An account and its device on the machine that holds both. Of the recovery seed nothing is here: of the next epoch's
 * account key only the public half (`accountRecord.next`) is known, so whoever steals this cannot pose as what comes after.
 */
export interface Self {
  /** AK_e, which signs the list of devices and the slots. */
  readonly accountKey: SigningKey
  /** 16 bytes. */
  readonly did: Uint8Array
  /** DSK. */
  readonly deviceKey: SigningKey
  /** IK. */
  readonly identityKey: DhKeyPair
  /** The newest own record. Its `account` is AK_0. */
  readonly accountRecord: AccountRecord
}

/**
 * A new device for the account of a seed, its only one: whatever was before is revoked by this record once it is seen.
 * `lastSeq` is the highest seq of an own record that is still known (after a restore), else null. `now` in ms.
 * Wipe the seed afterwards.
 */
export function createSelf(
  primitives: Primitives,
  random: Random,
  seed: Uint8Array,
  now: number,
  lastSeq: number | null = null,
): Self {
  const accountKey = deriveAccountKey(primitives, seed, 0)
  const next = deriveAccountKey(primitives, seed, 1).publicKey
  return createDevice(primitives, random, { accountKey, account: accountKey.publicKey, epoch: 0, next }, now, lastSeq)
}

/** As `createSelf`, where the key of the current epoch is known and the seed is not: from a backup. */
export function createDevice(
  primitives: Primitives,
  random: Random,
  { accountKey, ...names }: Pick<AccountRecord, 'account' | 'epoch' | 'next'> & { readonly accountKey: SigningKey },
  now: number,
  lastSeq: number | null,
): Self {
  const did = random.bytes(DEVICE_ID_BYTES)
  const deviceKey = primitives.signing.generate(random)
  const identityKey = primitives.dh.generate(random)
  const device = { did, dsk: deviceKey.publicKey, ik: identityKey.publicKey, added: unixSeconds(now) }
  const accountRecord = signAccountRecord(
    primitives,
    accountKey,
    { ...names, seq: nextSeq(lastSeq, now), devices: [device] },
    now,
  )
  return { accountKey, did, deviceKey, identityKey, accountRecord }
}

/** Whether the own account record has lived a third of its time, so that contacts who are away for weeks still find a valid one. */
export function isAccountRecordDue(record: AccountRecord, now: number): boolean {
  return unixSeconds(now) - record.issued >= ACCOUNT_RECORD_LIFETIME_SECONDS / 3
}

/** The same account and devices with a record that is valid from `now` (ms) on; its number must be above the last. */
export function renewAccountRecord(
  primitives: Primitives,
  self: Self,
  now: number,
  seq: number = nextSeq(self.accountRecord.seq, now),
): Self {
  const { accountKey, accountRecord } = self
  return { ...self, accountRecord: signAccountRecord(primitives, accountKey, { ...accountRecord, seq }, now) }
}

/** The row for the store: `[1, "self", AK seed, did, DSK seed, IK private, account record]`. Secret. */
export function encodeSelf({ accountKey, did, deviceKey, identityKey, accountRecord }: Self): Uint8Array {
  const secrets = [accountKey.exportSeed(), deviceKey.exportSeed(), identityKey.exportPrivate()] as const
  const row = encode([1, 'self', secrets[0], did, secrets[1], secrets[2], accountRecord.bytes])
  wipe(...secrets)
  return row
}

/** Reads the stored row. Throws `malformed`, also when the keys are not those of the record, or `newer-version`. */
export function decodeSelf(primitives: Primitives, row: Uint8Array): Self {
  const fields = decodeTyped(row, { type: 'self', fields: 5, maxBytes: MAX_ACCOUNT_RECORD_BYTES + 160 })
  const accountKey = primitives.signing.fromSeed(asBytes(fields[0], 'account seed', { length: 32 }))
  const did = asBytes(fields[1], 'did', { length: DEVICE_ID_BYTES })
  const deviceKey = primitives.signing.fromSeed(asBytes(fields[2], 'device seed', { length: 32 }))
  const identityKey = primitives.dh.fromPrivate(asBytes(fields[3], 'identity private', { length: 32 }))
  const accountRecord = parseAccountRecord(asBytes(fields[4], 'account record'))
  const device = findDevice(accountRecord, did)
  const matches =
    device !== null &&
    equalBytes(accountRecord.key, accountKey.publicKey) &&
    equalBytes(device.dsk, deviceKey.publicKey) &&
    equalBytes(device.ik, identityKey.publicKey)
  if (!matches) throw malformed('self: the keys are not those of the account record')
  return { accountKey, did, deviceKey, identityKey, accountRecord }
}
