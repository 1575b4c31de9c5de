import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../lib/bytes.ts'
import { parseAccountRecord, verifyAccountRecord } from '../../lib/identity/account-record.ts'
import { verifyDeviceRecord } from '../../lib/identity/device-record.ts'
import { decodeLink } from '../../lib/identity/invite.ts'
import { openSlot } from '../../lib/identity/slot.ts'
import { checkSlotValue } from '../../lib/identity/slot-value.ts'
import { seedFromWords } from '../../lib/identity/words.ts'
import { primitivesUnderTest } from '../support/random.ts'
import { refusal } from '../support/strict-decoder.ts'
import { readOwnVectors } from '../support/vectors.ts'
import { inviteVectors, recordVectors, safetyNumberVectors, slotVectors } from './generate-identity.ts'

interface Records {
  readonly accounts: readonly { readonly seed: string; readonly words: string }[]
  readonly accountRecords: readonly {
    readonly bytes: string
    readonly seq: number
    readonly devices: readonly unknown[]
  }[]
  readonly deviceRecords: readonly { readonly accountRecord: string; readonly bytes: string; readonly seq: number }[]
}

interface Slots {
  readonly account: string
  readonly accountRecord: string
  readonly deviceRecord: string
  readonly now: number
  readonly cases: readonly {
    readonly secret: string
    readonly day: number
    readonly rev: string
    readonly key: string
    readonly value: string
  }[]
}

interface Invites {
  readonly valid: readonly {
    readonly link: string
    readonly account: string
    readonly secret: string | null
    readonly expires: number | null
    readonly addresses: readonly string[]
  }[]
  readonly refused: readonly { readonly why: string; readonly link: string }[]
}

describe.each(primitivesUnderTest)('frozen vectors of identities ($name)', (primitives) => {
  it.each([
    ['record.json', recordVectors],
    ['slot.json', slotVectors],
    ['safety-number.json', safetyNumberVectors],
    ['invite.json', inviteVectors],
  ] as const)('%s is what this program computes', (file, vectors) => {
    expect(vectors(primitives)).toEqual(readOwnVectors(file))
  })

  it('the records verify', () => {
    const { accounts, accountRecords, deviceRecords } = readOwnVectors('record.json') as Records
    for (const { seed, words } of accounts) expect(toHex(seedFromWords(words))).toBe(seed)
    for (const { bytes, seq, devices } of accountRecords) {
      const record = verifyAccountRecord(primitives, fromHex(bytes))
      expect([record.seq, record.devices.length]).toEqual([seq, devices.length])
    }
    for (const { accountRecord, bytes, seq } of deviceRecords) {
      const account = parseAccountRecord(fromHex(accountRecord))
      expect(verifyDeviceRecord(primitives, fromHex(bytes), account).seq).toBe(seq)
    }
  })

  it('the slots are accepted and open', () => {
    const { account, accountRecord, deviceRecord, now, cases } = readOwnVectors('slot.json') as Slots
    for (const { secret, day, rev, key, value } of cases) {
      expect(checkSlotValue(primitives, key, fromHex(value), now * 1000)).toEqual({ rev: fromHex(rev), day })
      const where = { account: fromHex(account), secret: fromHex(secret), day, value: fromHex(value) }
      const opened = openSlot(primitives, where)
      expect([toHex(opened.accountRecord), toHex(opened.deviceRecord)]).toEqual([accountRecord, deviceRecord])
    }
  })
})

describe('frozen links', () => {
  const { valid, refused } = readOwnVectors('invite.json') as Invites

  it.each(valid)('reads $link', ({ link, account, secret, expires, addresses }) => {
    expect(decodeLink(link)).toEqual({
      account: fromHex(account),
      secret: secret === null ? null : fromHex(secret),
      expires,
      addresses: addresses.map(fromHex),
    })
  })

  it.each(refused)('refuses $why', ({ link }) => {
    expect(refusal(() => decodeLink(link))).toBe('malformed')
  })
})
