import { base64urlnopad, bech32m } from '@scure/base'
import { concat, fromHex, lv, u32be, utf8 } from '../../../lib/bytes.ts'
import { blindingFactor, blindingOf } from '../../../lib/crypto/blinding.ts'
import { unpad } from '../../../lib/crypto/padding.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { sign, signedMessage } from '../../../lib/crypto/signed.ts'
import { decodeAccount, encodeAccount } from '../../../lib/identity/account.ts'
import {
  type AccountRecord,
  parseAccountRecord,
  signAccountRecord,
  verifyAccountRecord,
} from '../../../lib/identity/account-record.ts'
import { type DeviceRecord, verifyDeviceRecord } from '../../../lib/identity/device-record.ts'
import { decodeLink, encodeInvite, type Invite } from '../../../lib/identity/invite.ts'
import {
  decodeAccountPin,
  decodeDevicePin,
  encodeAccountPin,
  encodeDevicePin,
  pinAccountRecord,
  pinDeviceRecord,
} from '../../../lib/identity/pins.ts'
import { createPrekey, decodePrekeyPair, encodePrekeyPair, parsePrekey } from '../../../lib/identity/prekeys.ts'
import { decodeSelf, encodeSelf } from '../../../lib/identity/self.ts'
import { openSlot, sealSlot } from '../../../lib/identity/slot.ts'
import {
  checkSlotValue,
  compareSlotValues,
  parseSlotValue,
  slotKeyOf,
  verifySlotValue,
} from '../../../lib/identity/slot-value.ts'
import { dayOf } from '../../../lib/identity/time.ts'
import { seedFromWords, wordsFromSeed } from '../../../lib/identity/words.ts'
import { encode } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { deviceRecordOf, NOW, selfOf } from '../../support/identity.ts'
import { seededRandom } from '../../support/random.ts'
import { quickened, remembering } from '../quick-primitives.ts'
import type { Outcome, Target } from '../target.ts'
import { frozen, textsNamed } from './vectors.ts'

const random = seededRandom('fuzz identity')
const ada = selfOf(native, 'ada')
const bob = selfOf(native, 'bob')
const { accountRecord } = ada
const device = deviceRecordOf(native, ada)
const bare = deviceRecordOf(native, ada, { place: null, capabilities: [], knockRoute: random.bytes(20) })
const prekey = createPrekey(native, random, NOW)
const account = accountRecord.account
const twoDevices = signAccountRecord(
  native,
  ada.accountKey,
  {
    ...accountRecord,
    devices: [
      ...accountRecord.devices,
      { did: random.bytes(16), dsk: random.bytes(32), ik: random.bytes(32), added: 1 },
    ],
  },
  NOW,
)
const bodyOf = ({ bytes }: { readonly bytes: Uint8Array }): Uint8Array => bytes.slice(0, -64)
const lenient = (input: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(input)

function recordAgain(record: AccountRecord): Uint8Array {
  const { key, epoch, seq, next, issued, expires, bytes } = record
  const devices = record.devices.map(({ did, dsk, ik, added }) => [did, dsk, ik, added])
  const body = encode([1, 'account', record.account, key, epoch, seq, next, devices, issued, expires])
  return concat(body, bytes.subarray(-64))
}

function deviceAgain(record: DeviceRecord): Uint8Array {
  const { aid, did, seq, minAccountSeq, prekey: p, knockRoute, place, capabilities, issued, bytes } = record
  const where = place && [place.peer, place.addresses]
  const body = encode([1, 'device', aid, did, seq, minAccountSeq, p.bytes, knockRoute, where, capabilities, issued])
  return concat(body, bytes.subarray(-64))
}

const signingKeys = [ada.accountKey, ada.deviceKey].map((key) => ({ key, seed: key.exportSeed() }))
const dhPairs = [ada.identityKey, prekey.dh].map((key) => ({ key, secret: key.exportPrivate() }))
const kemSeed = prekey.kem.exportSeed()

/** Signing keys cost nothing and have the publics that the seeds' records name; so rows are read at their full depth. */
const cheap: Primitives = {
  ...native,
  signing: {
    ...native.signing,
    fromSeed: (seed) => {
      const known = signingKeys.find((key) => Buffer.compare(key.seed, seed) === 0)
      return known?.key ?? { ...ada.deviceKey, publicKey: new Uint8Array(32), exportSeed: () => seed }
    },
  },
  dh: {
    ...native.dh,
    fromPrivate: (bytes) => {
      const known = dhPairs.find(({ secret }) => Buffer.compare(secret, bytes) === 0)
      return known?.key ?? { ...ada.identityKey, publicKey: new Uint8Array(32), exportPrivate: () => bytes }
    },
  },
  kem: {
    ...native.kem,
    fromSeed: (seed) => {
      if (Buffer.compare(kemSeed, seed) === 0) return prekey.kem
      return { ...prekey.kem, encapsulationKey: new Uint8Array(1184), exportSeed: () => seed }
    },
  },
}

const known = remembering(native)
const quick = quickened(native)
/** The input with the signature of its owner, read and pinned. */
const accountSignedAnew =
  (primitives: Primitives) =>
  (input: Uint8Array): Outcome => {
    const bytes = concat(input, sign(primitives, ada.accountKey, 'account', input))
    const record = verifyAccountRecord(primitives, bytes)
    const pin = { record: accountRecord, hash: native.sha256(accountRecord.bytes), equivocated: false }
    pinAccountRecord(native, pin, record, { account, now: NOW })
    return recordAgain(record).subarray(0, -64)
  }

const deviceSignedAnew =
  (primitives: Primitives) =>
  (input: Uint8Array): Outcome => {
    const bytes = concat(input, sign(primitives, ada.deviceKey, 'device', input))
    const record = verifyDeviceRecord(primitives, bytes, accountRecord)
    pinDeviceRecord(native, { did: device.did, seq: device.seq, hash: secret, equivocated: false }, record, NOW)
    return deviceAgain(record).subarray(0, -64)
  }

const secret = random.bytes(32)
const day = dayOf(NOW)
const sealedSlot = sealSlot(native, random, {
  accountKey: ada.accountKey,
  secret,
  day,
  now: NOW,
  lastRev: null,
  accountRecord: accountRecord.bytes,
  deviceRecord: device.bytes,
})
const REV = Uint8Array.of(0, 0, 0, 1, 2, 3, 4, 5)

/** A slot as its owner makes it, whatever is in it. */
function slotOwner(primitives: Primitives) {
  const blinding = blindingOf(primitives)
  const factor = blindingFactor(primitives, account, secret, day)
  const blinded = blinding.blindPrivateKey(primitives, ada.accountKey, factor)
  const where = { account, secret, day, key: slotKeyOf(blinded.publicKey) }
  const recordKey = primitives.hkdf(secret, account, concat(utf8('sotto/1 record'), u32be(day)), 32)

  function openSigned(body: Uint8Array): Outcome {
    const signature = blinding.signBlinded(primitives, blinded, signedMessage('dht', body))
    openSlot(primitives, { ...where, value: concat(body, signature) })
    return 'accepted'
  }

  /** The plaintext, padded to where it has to be, sealed and signed. */
  function openRecords(records: Uint8Array): Outcome {
    const plaintext = new Uint8Array(4096 - 16)
    plaintext.set(records.subarray(0, plaintext.length))
    const nonce = new Uint8Array(24)
    const data = concat(blinded.publicKey, u32be(day), REV)
    const ct = primitives.xchacha.seal(recordKey, nonce, data, plaintext)
    return openSigned(encode([1, blinded.publicKey, day, REV, nonce, ct]))
  }

  return { openSigned, openRecords }
}

const realOwner = slotOwner(native)
const quickOwner = slotOwner(quick)
/** What it signs holds what the real one sealed. */
const quickSigner = slotOwner({ ...native, signing: quick.signing, blinding: blindingOf(quick) })

const slotVector = fromHex(textsNamed(frozen('slot.json'), 'value')[0] as string)
const links = [
  ...new Set(textsNamed(frozen('invite.json'), 'link')),
  encodeInvite({ account, secret, expires: 1_800_000_000, addresses: [random.bytes(46), random.bytes(46)] }),
]
const validLinks = links.filter((link) => {
  try {
    return decodeLink(link) !== null
  } catch {
    return false
  }
})

function linkAgain(link: string, invite: Invite): string {
  if (link.trim().slice(0, 6).toLowerCase() === 'sotto:') return encodeInvite(invite)
  return encodeAccount(invite.account)
}

/** Records, slots, links and words. */
export const identityTargets: readonly Target[] = [
  {
    name: 'account-record',
    covers: ['lib/identity/account-record.ts#parseAccountRecord'],
    seeds: [
      accountRecord.bytes,
      twoDevices.bytes,
      ...textsNamed(frozen('slot.json'), 'accountRecord').slice(0, 1).map(fromHex),
    ],
    run: (input) => recordAgain(parseAccountRecord(input)),
  },
  {
    name: 'account-record-signature',
    covers: ['lib/identity/account-record.ts#verifyAccountRecord', 'lib/crypto/signed.ts#verifySignature'],
    seeds: [accountRecord.bytes],
    authenticated: true,
    dear: true,
    run: (input) => recordAgain(verifyAccountRecord(native, input)),
  },
  {
    name: 'account-record-signed-anew',
    covers: ['lib/identity/account-record.ts#verifyAccountRecord'],
    seeds: [bodyOf(accountRecord), bodyOf(twoDevices)],
    dear: true,
    run: accountSignedAnew(native),
    quick: accountSignedAnew(quick),
  },
  {
    // the account beside it is another one's, so that everything but the signature is looked at
    name: 'device-record',
    covers: ['lib/identity/device-record.ts#verifyDeviceRecord'],
    refusesSeeds: 'they are of another account than the one beside',
    seeds: [device.bytes, bare.bytes],
    loose: 'it never gets as far as a value',
    run(input) {
      verifyDeviceRecord(native, input, bob.accountRecord)
      return utf8('taken for another account')
    },
  },
  {
    name: 'device-record-signature',
    covers: ['lib/identity/device-record.ts#verifyDeviceRecord'],
    seeds: [device.bytes],
    authenticated: true,
    dear: true,
    run: (input) => deviceAgain(verifyDeviceRecord(native, input, accountRecord)),
  },
  {
    name: 'device-record-signed-anew',
    covers: ['lib/identity/device-record.ts#verifyDeviceRecord'],
    seeds: [bodyOf(device), bodyOf(bare)],
    dear: true,
    run: deviceSignedAnew(native),
    quick: deviceSignedAnew(quick),
  },
  {
    name: 'prekey',
    covers: ['lib/identity/prekeys.ts#parsePrekey'],
    seeds: [prekey.bytes],
    run(input) {
      const { id, dh, kem, issued, expires } = parsePrekey(input)
      return encode([id, dh, kem, issued, expires])
    },
  },
  {
    name: 'prekey-row',
    covers: ['lib/identity/prekeys.ts#decodePrekeyPair'],
    seeds: [encodePrekeyPair(prekey)],
    run: (input) => encodePrekeyPair(decodePrekeyPair(cheap, input)),
  },
  {
    name: 'prekey-row-keys',
    covers: ['lib/identity/prekeys.ts#decodePrekeyPair'],
    seeds: [encodePrekeyPair(prekey)],
    dear: true,
    loose: 'X25519 privates are clamped',
    run(input) {
      decodePrekeyPair(known, input)
      return 'accepted'
    },
  },
  {
    name: 'account-pin',
    covers: ['lib/identity/pins.ts#decodeAccountPin'],
    seeds: [
      encodeAccountPin({ record: accountRecord, hash: native.sha256(accountRecord.bytes), equivocated: false }),
      encodeAccountPin({ record: twoDevices, hash: native.sha256(twoDevices.bytes), equivocated: true }),
    ],
    run: (input) => encodeAccountPin(decodeAccountPin(input)),
  },
  {
    name: 'device-pin',
    covers: ['lib/identity/pins.ts#decodeDevicePin'],
    seeds: [
      encodeDevicePin({ did: device.did, seq: device.seq, hash: native.sha256(device.bytes), equivocated: true }),
    ],
    run: (input) => encodeDevicePin(decodeDevicePin(input)),
  },
  {
    name: 'self-row',
    covers: ['lib/identity/self.ts#decodeSelf'],
    seeds: [encodeSelf(ada)],
    run: (input) => encodeSelf(decodeSelf(cheap, input)),
  },
  {
    name: 'self-row-keys',
    covers: ['lib/identity/self.ts#decodeSelf'],
    seeds: [encodeSelf(ada)],
    dear: true,
    loose: 'X25519 privates are clamped',
    run(input) {
      decodeSelf(known, input)
      return 'accepted'
    },
  },
  {
    name: 'slot-value',
    covers: ['lib/identity/slot-value.ts#parseSlotValue', 'lib/identity/slot-value.ts#compareSlotValues'],
    seeds: [sealedSlot.value, slotVector],
    run(input) {
      const { blindedKey, day: of, rev, nonce, ct } = parseSlotValue(input)
      compareSlotValues(native, input, sealedSlot.value)
      return concat(encode([1, blindedKey, of, rev, nonce, ct]), input.subarray(-64))
    },
  },
  {
    name: 'slot-value-signature',
    covers: ['lib/identity/slot-value.ts#checkSlotValue', 'lib/identity/slot-value.ts#verifySlotValue'],
    seeds: [sealedSlot.value],
    authenticated: true,
    dear: true,
    run(input) {
      verifySlotValue(native, input)
      checkSlotValue(native, sealedSlot.key, input, NOW)
      return 'accepted'
    },
  },
  {
    name: 'slot-value-signed-anew',
    covers: ['lib/identity/slot.ts#openSlot'],
    seeds: [sealedSlot.value.slice(0, -64)],
    dear: true,
    loose: 'only what was sealed opens',
    run: realOwner.openSigned,
    quick: quickSigner.openSigned,
  },
  {
    name: 'slot-records',
    covers: ['lib/identity/slot.ts#openSlot'],
    seeds: [concat(lv(accountRecord.bytes), lv(device.bytes)), concat(lv(new Uint8Array(0)), lv(new Uint8Array(0)))],
    dear: true,
    loose: 'zeros follow the records',
    run: realOwner.openRecords,
    quick: quickOwner.openRecords,
  },
  {
    name: 'account-text',
    covers: ['lib/identity/account.ts#decodeAccount'],
    seeds: [utf8(encodeAccount(account)), utf8(encodeAccount(bob.accountRecord.account).toUpperCase())],
    text: true,
    loose: 'all upper case is read too',
    run(input) {
      const text = lenient(input)
      return encodeAccount(decodeAccount(text)) === text.toLowerCase() ? 'accepted' : utf8('another text')
    },
  },
  {
    name: 'account-text-key',
    covers: ['lib/identity/account.ts#decodeAccount'],
    seeds: [account, bob.accountRecord.account],
    dear: true,
    run: (input) => decodeAccount(bech32m.encode('sotto', bech32m.toWords(input), false)),
  },
  {
    name: 'link',
    covers: ['lib/identity/invite.ts#decodeLink'],
    seeds: validLinks.map((link) => utf8(link)),
    text: true,
    dear: true,
    loose: 'space around it and the case of the scheme are forgiven',
    run(input) {
      const text = lenient(input)
      const again = linkAgain(text, decodeLink(text))
      const trimmed = text.trim()
      const isAccount = trimmed.slice(0, 6).toLowerCase() === 'sotto1'
      const same = isAccount ? again === trimmed.toLowerCase() : again.slice(6) === trimmed.slice(6)
      return same ? 'accepted' : utf8('another link')
    },
  },
  {
    name: 'invite',
    covers: ['lib/identity/invite.ts#decodeLink'],
    seeds: validLinks
      .filter((link) => link.startsWith('sotto:'))
      .map((link) => base64urlnopad.decode(link.slice('sotto:'.length))),
    dear: true,
    run(input) {
      const invite = decodeLink(`sotto:${base64urlnopad.encode(input)}`)
      return encode([1, 'invite', invite.account, invite.secret, invite.expires, invite.addresses])
    },
  },
  {
    name: 'words',
    covers: ['lib/identity/words.ts#seedFromWords'],
    seeds: [
      utf8(wordsFromSeed(secret)),
      ...textsNamed(frozen('record.json'), 'words')
        .slice(0, 1)
        .map((words) => utf8(words)),
    ],
    text: true,
    dear: true,
    loose: 'case and space are forgiven',
    run(input) {
      const text = lenient(input)
      const again = wordsFromSeed(seedFromWords(text))
      return again === text.toLowerCase().trim().split(/\s+/).join(' ') ? 'accepted' : utf8('other words')
    },
  },
  {
    name: 'padding',
    covers: ['lib/crypto/padding.ts#unpad'],
    seeds: [concat(utf8('text'), Uint8Array.of(0x80, 0, 0, 0))],
    run(input) {
      const plain = unpad(input)
      if (plain === null) return 'refused'
      return concat(plain, Uint8Array.of(0x80), new Uint8Array(input.length - plain.length - 1))
    },
  },
]
