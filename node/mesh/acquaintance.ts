import { type ContactRow, encodeContactRow, newContactRow } from '../../lib/chat/contact-row.ts'
import { encodeHead, NEW_HEAD } from '../../lib/chat/head.ts'
import { decodeSettings, rowsOfNewAccount, SETTINGS_KEY } from '../../lib/chat/own.ts'
import { equalBytes, wipe } from '../../lib/bytes.ts'
import type { Primitives, Random } from '../../lib/crypto/primitives.ts'
import { encodeAccountPin, pinAccountRecord } from '../../lib/identity/pins.ts'
import { decodePrekeyPair } from '../../lib/identity/prekeys.ts'
import { createSelf, type Self } from '../../lib/identity/self.ts'
import { createRecoverySeed } from '../../lib/identity/words.ts'
import type { Row } from '../../lib/rows.ts'
import { native } from '../crypto.ts'

/** A new account and what others have to know to be its contacts. */
export interface Newcomer {
  readonly name: string
  readonly self: Self
  readonly rows: readonly Row[]
  /** 32 bytes, the seed of the PeerId. */
  readonly peerSeed: Uint8Array
  /** Those that its keys belong to. */
  readonly primitives: Primitives
}

/** Makes an account that calls itself by its name. */
export function createNewcomer(name: string, random: Random, now: number, primitives: Primitives = native): Newcomer {
  const seed = createRecoverySeed(random)
  const self = createSelf(primitives, random, seed, now)
  wipe(seed)
  const rows = rowsOfNewAccount(primitives, random, self, name, now)
  return { name, self, rows, peerSeed: random.bytes(32), primitives }
}

/**
 * The rows by which somebody has accepted another and was told where to find them, as after a request that was answered.
 * There is no session yet: whoever has a `place` dials and starts it.
 */
export function rowsOfContact(
  { name, self, rows, primitives }: Newcomer,
  options: { readonly place: ContactRow['place']; readonly random: Random; readonly now: number },
): readonly Row[] {
  const { account, devices } = self.accountRecord
  const [device] = devices
  const settings = rows.find(({ range, key }) => range === 'self' && equalBytes(key, SETTINGS_KEY))?.value
  const prekey = rows.find(({ range }) => range === 'prekey')?.value
  if (device === undefined || !settings || !prekey) throw new TypeError('expected the rows of a new account')
  const { pin } = pinAccountRecord(primitives, null, self.accountRecord, { account, now: options.now })
  const row: ContactRow = {
    ...newContactRow(account, name, 'accepted', options.now),
    claimedName: name,
    contactSecret: decodeSettings(settings).contactSecret,
    accountPin: encodeAccountPin(pin),
    device: { did: device.did, dsk: device.dsk, ik: device.ik },
    prekey: decodePrekeyPair(primitives, prekey).bytes,
    place: options.place,
  }
  const handle = options.random.bytes(16)
  return [
    { range: 'contact', key: handle, value: encodeContactRow(row) },
    { range: 'head', key: handle, value: encodeHead(NEW_HEAD) },
  ]
}
