import { writeFileSync } from 'node:fs'
import { base64urlnopad, bech32m } from '@scure/base'
import { toHex, u64be } from '../../lib/bytes.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { accountId, deriveAccountKey, encodeAccount } from '../../lib/identity/account.ts'
import { signAccountRecord } from '../../lib/identity/account-record.ts'
import { signDeviceRecord } from '../../lib/identity/device-record.ts'
import { encodeInvite, type Invite } from '../../lib/identity/invite.ts'
import { createPrekey } from '../../lib/identity/prekeys.ts'
import { formatSafetyNumber, safetyNumber } from '../../lib/identity/safety-number.ts'
import { sealSlot } from '../../lib/identity/slot.ts'
import { parseSlotValue } from '../../lib/identity/slot-value.ts'
import { dayOf } from '../../lib/identity/time.ts'
import { wordsFromSeed } from '../../lib/identity/words.ts'
import { encode, type WireValue } from '../../lib/wire.ts'
import { native } from '../../node/crypto.ts'
import { deviceRecordOf, NOW, selfOf } from '../support/identity.ts'
import { seededRandom } from '../support/random.ts'

/** What `record.json` holds: from a seed to the signed records. Bytes are hexadecimal, times unix seconds. */
export function recordVectors(primitives: Primitives): object {
  const random = seededRandom('record vectors')
  const accounts = [0, 1].map(() => {
    const seed = random.bytes(32)
    const account = deriveAccountKey(primitives, seed, 0).publicKey
    const keys = [0, 1, 2, 2 ** 32 - 1].map((epoch) => {
      const key = deriveAccountKey(primitives, seed, epoch)
      return { epoch, privateKey: toHex(key.exportSeed()), publicKey: toHex(key.publicKey) }
    })
    return {
      seed: toHex(seed),
      words: wordsFromSeed(seed),
      keys,
      aid: toHex(accountId(primitives, account)),
      text: encodeAccount(account),
    }
  })
  return {
    about:
      'AK_e is the Ed25519 key of HKDF("", seed, "sotto/1 account" || u32be e, 32); aid is SHA-256("sotto/1 aid" || AK_0); text is bech32m with prefix sotto. A record is its CBOR body and 64 bytes of signature over "sotto/1 sig " || type || 00 || body.',
    accounts,
    accountRecords: [0, 1, 4].map((count) => accountRecordVector(primitives, random.bytes(32), count)),
    deviceRecords: [false, true].map((full) => deviceRecordVector(primitives, full)),
  }
}

function accountRecordVector(primitives: Primitives, seed: Uint8Array, count: number): object {
  const random = seededRandom(`account record ${count}`)
  const epoch = count === 4 ? 1 : 0
  const [account, key, next] = [0, epoch, epoch + 1].map((e) => deriveAccountKey(primitives, seed, e))
  if (account === undefined || key === undefined || next === undefined) throw new Error('three keys were derived')
  const devices = Array.from({ length: count }, (_, i) => ({
    did: random.bytes(16),
    dsk: primitives.signing.generate(random).publicKey,
    ik: primitives.dh.generate(random).publicKey,
    added: 1_772_000_000 + i,
  }))
  const content = { account: account.publicKey, epoch, seq: 1_772_359_200 + count, next: next.publicKey, devices }
  const record = signAccountRecord(primitives, key, content, NOW)
  return {
    account: toHex(record.account),
    key: toHex(record.key),
    keyPrivate: toHex(key.exportSeed()),
    epoch,
    seq: record.seq,
    next: toHex(record.next),
    devices: devices.map(({ did, dsk, ik, added }) => ({ did: toHex(did), dsk: toHex(dsk), ik: toHex(ik), added })),
    issued: record.issued,
    expires: record.expires,
    bytes: toHex(record.bytes),
  }
}

function deviceRecordVector(primitives: Primitives, full: boolean): object {
  const random = seededRandom(`device record ${full}`)
  const self = selfOf(primitives, 'record vectors')
  const prekey = createPrekey(primitives, random, NOW)
  const place = {
    peer: random.bytes(38),
    addresses: [Uint8Array.of(4, 192, 0, 2, 1, 6, 0x0f, 0xa1), Uint8Array.of(4, 198, 51, 100, 7, 6, 0x0f, 0xa1)],
  }
  const content = {
    aid: accountId(primitives, self.accountRecord.account),
    did: self.did,
    seq: 1_772_359_200,
    minAccountSeq: self.accountRecord.seq,
    prekey: prekey.bytes,
    knockRoute: full ? random.bytes(100) : null,
    place: full ? place : null,
    capabilities: full ? [1, 2, 300] : [],
  }
  const record = signDeviceRecord(primitives, self.deviceKey, content, NOW)
  return {
    accountRecord: toHex(self.accountRecord.bytes),
    dskPrivate: toHex(self.deviceKey.exportSeed()),
    aid: toHex(content.aid),
    did: toHex(content.did),
    seq: content.seq,
    minAccountSeq: content.minAccountSeq,
    prekey: {
      id: toHex(prekey.id),
      dhPrivate: toHex(prekey.dh.exportPrivate()),
      dhPublic: toHex(prekey.dh.publicKey),
      kemSeed: toHex(prekey.kem.exportSeed()),
      kemPublic: toHex(prekey.kem.encapsulationKey),
      issued: prekey.issued,
      expires: prekey.expires,
      bytes: toHex(prekey.bytes),
    },
    knockRoute: content.knockRoute && toHex(content.knockRoute),
    place: content.place && { peer: toHex(place.peer), addresses: place.addresses.map(toHex) },
    capabilities: content.capabilities,
    issued: record.issued,
    bytes: toHex(record.bytes),
  }
}

/** What `slot.json` holds: sealed slots with everything that went into them. */
export function slotVectors(primitives: Primitives): object {
  const random = seededRandom('slot vectors')
  const self = selfOf(primitives, 'slot vectors')
  const accountRecord = self.accountRecord.bytes
  const deviceRecord = deviceRecordOf(primitives, self).bytes
  const secret = random.bytes(32)
  const cases = [
    { secret: new Uint8Array(32), day: dayOf(NOW), lastRev: null },
    { secret, day: dayOf(NOW), lastRev: null },
    { secret, day: dayOf(NOW) + 1, lastRev: u64be(2n ** 41n) },
  ].map((one) => {
    const { key, value, rev } = sealSlot(primitives, random, {
      ...one,
      accountKey: self.accountKey,
      now: NOW,
      accountRecord,
      deviceRecord,
    })
    return {
      secret: toHex(one.secret),
      day: one.day,
      lastRev: one.lastRev && toHex(one.lastRev),
      nonce: toHex(parseSlotValue(value).nonce),
      rev: toHex(rev),
      key,
      value: toHex(value),
    }
  })
  return {
    about:
      'value is CBOR [1, AK\', day, rev, nonce, ct] || signature; ct is XChaCha20-Poly1305 under HKDF(secret, AK, "sotto/1 record" || u32be day, 32), ad AK\' || u32be day || rev, of lv(account record) || lv(device record) || zeros, 4096 bytes with its tag. rev is u64be(max(now + u40(HKDF(secret, AK, "sotto/1 rev" || u32be day, 5)), lastRev + 1)).',
    accountPrivate: toHex(self.accountKey.exportSeed()),
    account: toHex(self.accountKey.publicKey),
    accountRecord: toHex(accountRecord),
    deviceRecord: toHex(deviceRecord),
    now: Math.floor(NOW / 1000),
    cases,
  }
}

/** What `safety-number.json` holds. */
export function safetyNumberVectors(primitives: Primitives): object {
  const random = seededRandom('safety number vectors')
  const pairs = Array.from({ length: 6 }, () => {
    const [a, b] = [0, 1].map(() => primitives.signing.generate(random).publicKey) as [Uint8Array, Uint8Array]
    const digits = safetyNumber(primitives, a, b)
    return { a: toHex(a), b: toHex(b), digits, shown: formatSafetyNumber(digits) }
  })
  return {
    about:
      'Per account six groups of five digits: group j is the big-endian number in bytes 5j to 5j+5 of SHA-512("sotto/1 safety" || AK_0) modulo 100000. The lower thirty digits come first.',
    pairs,
  }
}

/** What `invite.json` holds: links that must be read as said, and links that must be refused. */
export function inviteVectors(primitives: Primitives): object {
  const random = seededRandom('invite vectors')
  const account = primitives.signing.generate(random).publicKey
  const secret = random.bytes(32)
  const bare: Invite = { account, secret: null, expires: null, addresses: [] }
  const address = Uint8Array.of(4, 192, 0, 2, 1, 6, 0x0f, 0xa1, 0xa5, 0x03, 2, 0, 0)
  const invites: Invite[] = [
    bare,
    { ...bare, secret },
    {
      account,
      secret,
      expires: 1_800_000_000,
      addresses: [address, random.bytes(60), random.bytes(60), random.bytes(60)],
    },
  ]
  const uri = (value: WireValue): string => `sotto:${base64urlnopad.encode(encode(value))}`
  const five = [1, 2, 3, 4, 5].map((byte) => Uint8Array.of(byte))
  return {
    about:
      'A link is sotto: and the unpadded base64url of CBOR [1, "invite", AK_0, secret, expires, addresses], or an account.',
    valid: [
      ...invites.map((invite) => ({ link: encodeInvite(invite), ...inviteFields(invite) })),
      { link: encodeAccount(account), ...inviteFields(bare) },
      { link: encodeAccount(account).toUpperCase(), ...inviteFields(bare) },
    ],
    refused: [
      { why: 'five addresses', link: uri([1, 'invite', account, null, null, five]) },
      { why: 'a secret of 31 bytes', link: uri([1, 'invite', account, secret.subarray(1), null, []]) },
      { why: 'a field too many', link: uri([1, 'invite', account, null, null, [], null]) },
      { why: 'another type', link: uri([1, 'invitation', account, null, null, []]) },
      { why: 'a version that does not exist', link: uri([0, 'invite', account, null, null, []]) },
      { why: 'a key of small order', link: uri([1, 'invite', new Uint8Array(32), null, null, []]) },
      { why: 'padding', link: `${encodeInvite({ ...bare, expires: 1 })}=` },
      { why: 'an account under another prefix', link: bech32m.encodeFromBytes('sotta', account) },
      { why: 'an account in two cases', link: encodeAccount(account).replace('s', 'S') },
    ],
  }
}

function inviteFields({ account, secret, expires, addresses }: Invite): object {
  return { account: toHex(account), secret: secret && toHex(secret), expires, addresses: addresses.map(toHex) }
}

if (import.meta.main) {
  for (const [file, content] of [
    ['record.json', recordVectors(native)],
    ['slot.json', slotVectors(native)],
    ['safety-number.json', safetyNumberVectors(native)],
    ['invite.json', inviteVectors(native)],
  ] as const) {
    writeFileSync(new URL(file, import.meta.url), `${JSON.stringify(content, null, 2)}\n`)
  }
}
