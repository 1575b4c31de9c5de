import { describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../../lib/bytes.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import { encode, type WireValue } from '../../../lib/wire.ts'
import {
  type Argon2id,
  DEFAULT_COST,
  MAX_COST,
  MAX_PASSPHRASE_BYTES,
  openVault,
  readVault,
  type StretchCost,
  sealVault,
  type VaultSecret,
} from '../../../node/store/vault.ts'
import { seededRandom } from '../../support/random.ts'

const MASTER_KEY = new Uint8Array(32).fill(9)
const PASSPHRASE: VaultSecret = { kind: 'passphrase', passphrase: 'correct horse' }
const KEY_FILE: VaultSecret = { kind: 'key-file', key: new Uint8Array(32).fill(3) }

/** Stands for Argon2id: as injective, and free. */
const stretched: StretchCost[] = []
const argon2id: Argon2id = async (secret, salt, cost) => {
  stretched.push(cost)
  return portable.sha256(secret, salt, utf8(JSON.stringify(cost)))
}
const parts = { primitives: portable, argon2id, random: seededRandom('vault') }

function seal(secret: VaultSecret, cost?: StretchCost): Promise<Uint8Array> {
  return sealVault({ masterKey: MASTER_KEY, secret, ...(cost && { cost }) }, parts)
}

async function open(bytes: Uint8Array, secret: VaultSecret): Promise<Uint8Array> {
  return openVault(readVault(bytes, portable), secret, parts)
}

/** The file that somebody would forge who can write it: any fields, and a checksum that fits. */
function forged(fields: readonly WireValue[]): Uint8Array {
  const body = encode(fields)
  return concat(body, portable.sha256(body))
}

function fieldsWith(cost: readonly number[]): readonly WireValue[] {
  return [1, 'vault', cost, new Uint8Array(16), new Uint8Array(24), new Uint8Array(48)]
}

function codeFor(bytes: Uint8Array): string {
  try {
    readVault(bytes, portable)
    return 'read'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

test('a vault opens with its passphrase and says what that costs', async () => {
  const bytes = await seal(PASSPHRASE)
  expect(readVault(bytes, portable)).toMatchObject({ protection: 'passphrase', cost: DEFAULT_COST })
  expect(DEFAULT_COST).toEqual({ memoryKiB: 64 * 1024, passes: 3, lanes: 1 })
  expect(await open(bytes, PASSPHRASE)).toEqual(MASTER_KEY)
})

test('a vault of a key file opens with that key and stretches nothing', async () => {
  const bytes = await seal(KEY_FILE)
  const before = stretched.length
  expect(readVault(bytes, portable).protection).toBe('key-file')
  expect(await open(bytes, KEY_FILE)).toEqual(MASTER_KEY)
  expect(stretched).toHaveLength(before)
  await expect(open(bytes, { kind: 'key-file', key: new Uint8Array(32) })).rejects.toMatchObject({ code: 'damaged' })
})

test('another passphrase is a wrong passphrase, not damage', async () => {
  const bytes = await seal(PASSPHRASE)
  await expect(open(bytes, { kind: 'passphrase', passphrase: 'correct horsf' })).rejects.toMatchObject({
    code: 'wrong-passphrase',
  })
})

test('the same letters in another Unicode form are the same passphrase', async () => {
  const bytes = await seal({ kind: 'passphrase', passphrase: 'caf\u00e9' })
  expect(await open(bytes, { kind: 'passphrase', passphrase: 'cafe\u0301' })).toEqual(MASTER_KEY)
})

test('an empty or endless passphrase is refused before anything is stretched', async () => {
  const before = stretched.length
  for (const passphrase of ['', 'x'.repeat(MAX_PASSPHRASE_BYTES + 1)]) {
    await expect(seal({ kind: 'passphrase', passphrase })).rejects.toMatchObject({ code: 'invalid' })
  }
  expect(stretched).toHaveLength(before)
  expect(
    await open(await seal({ kind: 'passphrase', passphrase: 'x'.repeat(MAX_PASSPHRASE_BYTES) }), {
      kind: 'passphrase',
      passphrase: 'x'.repeat(MAX_PASSPHRASE_BYTES),
    }),
  ).toEqual(MASTER_KEY)
})

test('a vault cut short anywhere, with any bit flipped or with bytes behind it is damaged', async () => {
  const bytes = await seal(PASSPHRASE)
  for (let length = 0; length < bytes.length; length++) expect(codeFor(bytes.subarray(0, length))).toBe('damaged')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const bad = bytes.slice()
    bad.set([(bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))], bit >> 3)
    expect(codeFor(bad)).toBe('damaged')
  }
  expect(codeFor(concat(bytes, Uint8Array.of(0)))).toBe('damaged')
  expect(codeFor(new Uint8Array(5000))).toBe('damaged')
})

describe('a file that was forged with a checksum that fits', () => {
  const { memoryKiB, passes, lanes } = MAX_COST

  test.each([
    ['more memory than 1 GiB', [memoryKiB + 1, 1, 1]],
    ['more than 16 passes', [64, passes + 1, 1]],
    ['more than 4 lanes', [64, 1, lanes + 1]],
    ['no pass', [64, 0, 1]],
    ['less memory than Argon2 works with', [7, 1, 1]],
    ['only two costs', [64, 1]],
    ['half a key file', [0, 0, 1]],
  ])('that asks for %s is refused before anything is stretched', (_, cost) => {
    const before = stretched.length
    expect(codeFor(forged(fieldsWith(cost)))).toBe('damaged')
    expect(stretched).toHaveLength(before)
  })

  test('that lowers the cost opens with no passphrase', async () => {
    const vault = readVault(await seal(PASSPHRASE), portable)
    const cheaper = forged([1, 'vault', [8, 1, 1], vault.salt, vault.nonce, vault.ciphertext])
    await expect(open(cheaper, PASSPHRASE)).rejects.toMatchObject({ code: 'wrong-passphrase' })
  })

  test('of a newer version is told as such, of another type as damage', () => {
    expect(codeFor(forged([2, 'vault', 'whatever']))).toBe('newer-schema')
    expect(codeFor(forged([1, 'account', 'whatever']))).toBe('damaged')
    expect(codeFor(forged([...fieldsWith([64, 1, 1]), null]))).toBe('damaged')
    expect(codeFor(forged(fieldsWith([64, 1, 1])))).toBe('read')
  })
})

test('two vaults of one key and passphrase share nothing', async () => {
  const [a, b] = [readVault(await seal(PASSPHRASE), portable), readVault(await seal(PASSPHRASE), portable)]
  expect(a.salt).not.toEqual(b.salt)
  expect(a.ciphertext).not.toEqual(b.ciphertext)
})
