import { base64urlnopad } from '@scure/base'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../lib/bytes.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import { encodeAccount } from '../../../lib/identity/account.ts'
import { decodeLink, encodeInvite, type Invite, MAX_LINK_LENGTH } from '../../../lib/identity/invite.ts'
import { encode, type WireValue } from '../../../lib/wire.ts'
import { seededRandom } from '../../support/random.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

const random = seededRandom('invite')
const account = portable.signing.generate(random).publicKey
const secret = random.bytes(32)
const full: Invite = {
  account,
  secret,
  expires: 1_800_000_000,
  addresses: Array.from({ length: 4 }, () => random.bytes(60)),
}
const bare: Invite = { account, secret: null, expires: null, addresses: [] }
const uri = (value: WireValue) => `sotto:${base64urlnopad.encode(encode(value))}`

describe('an invite', () => {
  test('reads back as it was made, full or empty, in a link of at most 512 characters', () => {
    for (const invite of [full, bare, { ...bare, secret }, { ...bare, expires: 0 }]) {
      const link = encodeInvite(invite)
      expect(link).toMatch(/^sotto:[\w-]+$/)
      expect(link.length).toBeLessThanOrEqual(MAX_LINK_LENGTH)
      expect(decodeLink(link)).toEqual(invite)
    }
  })

  test('survives space around it and a scheme in capitals, as people and programs copy it', () => {
    const link = encodeInvite(full)
    expect(decodeLink(` \n${link}\r\n`)).toEqual(full)
    expect(decodeLink(`SOTTO:${link.slice(6)}`)).toEqual(full)
  })

  test('may be a bare account, which says no more', () => {
    expect(decodeLink(` ${encodeAccount(account)}\n`)).toEqual(bare)
    expect(decodeLink(encodeAccount(account).toUpperCase())).toEqual(bare)
  })

  test('is decoded strictly', () => {
    expectStrictDecoder<Invite>({
      value: { ...full, addresses: full.addresses.slice(0, 1) },
      encode: (invite) => base64urlnopad.decode(encodeInvite(invite).slice(6)),
      decode: (bytes) => decodeLink(`sotto:${base64urlnopad.encode(bytes)}`),
      maxBytes: 379,
    })
  })

  test.each<[string, string]>([
    ['nothing', ''],
    ['the scheme alone', 'sotto:'],
    ['another scheme', `https:${encodeInvite(bare).slice(6)}`],
    ['a text', 'hello'],
    ['padding', `${encodeInvite({ ...bare, expires: 1 })}=`],
    ['the other base64', 'sotto:++//'],
    ['space inside', `${encodeInvite(bare).slice(0, 40)} ${encodeInvite(bare).slice(40)}`],
    ['an account with a typing error', encodeAccount(account).replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'))],
    ['an endless text', ' '.repeat(1_000_000)],
    ['513 characters', `sotto:${'A'.repeat(507)}`],
    ['five addresses', uri([1, 'invite', account, null, null, [0, 1, 2, 3, 4].map((n) => Uint8Array.of(n))])],
    ['an address of 129 bytes', uri([1, 'invite', account, null, null, [new Uint8Array(129)]])],
    ['an address that is a text', uri([1, 'invite', account, null, null, ['/ip4/127.0.0.1']])],
    ['a secret of 31 bytes', uri([1, 'invite', account, secret.subarray(1), null, []])],
    ['a field too many', uri([1, 'invite', account, null, null, [], 0])],
    ['a field too few', uri([1, 'invite', account, null, null])],
    ['another type', uri([1, 'account', account, null, null, []])],
    ['a key of small order', uri([1, 'invite', new Uint8Array(32), null, null, []])],
    ['a key that is no point', uri([1, 'invite', fromHex(`02${'00'.repeat(31)}`), null, null, []])],
  ])('is refused: %s', (_, link) => {
    expect(refusal(() => decodeLink(link))).toBe('malformed')
  })

  test('has one text only: the bits that base64 leaves over must be zero', () => {
    for (const invite of [bare, { ...bare, expires: 1 }, { ...bare, expires: 100 }, { ...bare, expires: 1000 }]) {
      const link = encodeInvite(invite)
      const alphabet = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      const same = alphabet.filter((last) => {
        const run = () => decodeLink(link.slice(0, -1) + last)
        return (
          refusal(run) === 'accepted' && toHex(encode(Object.values(run()))) === toHex(encode(Object.values(invite)))
        )
      })
      expect(same).toEqual([link.at(-1)])
    }
  })

  test('of a newer version says so', () => {
    expect(refusal(() => decodeLink(uri([2, 'invite', 'whatever'])))).toBe('newer-version')
  })

  test('is not made when it would not be read', () => {
    const addresses = Array.from({ length: 5 }, () => Uint8Array.of(1))
    expect(refusal(() => encodeInvite({ ...bare, addresses }))).toBe('limit')
    expect(refusal(() => encodeInvite({ ...full, addresses: full.addresses.map(() => random.bytes(100)) }))).toBe(
      'limit',
    )
  })

  test('tells nobody its secret when it is refused', () => {
    const link = `${encodeInvite(full).slice(0, -2)}*`
    expect(() => decodeLink(link)).toThrow(/^invite: a character is wrong or missing$/)
  })
})
