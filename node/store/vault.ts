import { concat, equalBytes, utf8, wipe } from '../../lib/bytes.ts'
import type { Primitives, Random } from '../../lib/crypto/primitives.ts'
import { ProtocolError } from '../../lib/errors.ts'
import { asArray, asBytes, asUint, decodeTyped, encode, type WireValue } from '../../lib/wire.ts'
import { NodeError } from '../errors.ts'

/** What Argon2id (RFC 9106) spends on one guess. */
export interface StretchCost {
  readonly memoryKiB: number
  readonly passes: number
  readonly lanes: number
}

/** The second recommended choice of RFC 9106 §4 on one lane: about 0.2 s. */
export const DEFAULT_COST: StretchCost = { memoryKiB: 65_536, passes: 3, lanes: 1 }

/** What a vault may ask for: whoever can write the file must not be able to stop the machine with it. */
export const MAX_COST: StretchCost = { memoryKiB: 1_048_576, passes: 16, lanes: 4 }

/** A passphrase has at most so many bytes of UTF-8. */
export const MAX_PASSPHRASE_BYTES = 1024

/** 32 bytes from a secret and a 16-byte salt. */
export type Argon2id = (secret: Uint8Array, salt: Uint8Array, cost: StretchCost) => Promise<Uint8Array>

/** What opens a vault: a passphrase, or 32 random bytes that lie in a file and need no stretching. */
export type VaultSecret =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'key-file'; readonly key: Uint8Array }

/** What the key in a vault is for: the database of a home, or one backup. Neither opens in the place of the other. */
export type VaultUse = 'vault' | 'backup'

/** A vault that was read and is whole, still closed. */
export interface Vault {
  readonly use: VaultUse
  readonly protection: VaultSecret['kind']
  readonly cost: StretchCost
  readonly salt: Uint8Array
  readonly nonce: Uint8Array
  readonly ciphertext: Uint8Array
}

/** What the vault stands on. */
export interface VaultParts {
  readonly primitives: Pick<Primitives, 'sha256' | 'hkdf' | 'xchacha'>
  readonly argon2id: Argon2id
}

const MAX_VAULT_BYTES = 4096
const CHECKSUM_BYTES = 32
const MASTER_KEY_BYTES = 32
const TAG_BYTES = 16
const TEXTS: { readonly [U in VaultUse]: { damaged: string; hint: string; newer: string; wrong: string } } = {
  vault: {
    damaged: 'the file "vault" is damaged',
    hint: 'restore the home from a backup',
    newer: 'this home was written by a newer Sotto',
    wrong: 'the passphrase does not open this home',
  },
  backup: {
    damaged: 'the backup is damaged',
    hint: 'use another copy of it',
    newer: 'this backup was written by a newer Sotto',
    wrong: 'the passphrase does not open this backup',
  },
}

const INFO: { readonly [U in VaultUse]: Uint8Array } = {
  vault: utf8('sotto/1 vault'),
  backup: utf8('sotto/1 backup'),
}

const NO_STRETCHING: StretchCost = { memoryKiB: 0, passes: 0, lanes: 0 }

/**
 * The file that holds the 32-byte master key: `[1, "vault", [memoryKiB, passes, lanes], salt16, nonce24, ct48] ||
 * SHA-256`. Everything before `ct` is its associated data; a cost of zeros says that the secret is a key from a file. The
 * checksum tells a damaged file from a wrong passphrase, which the tag cannot. A backup begins with the same, of type
 * "backup". Throws `invalid` for an unusable passphrase.
 */
export async function sealVault(
  {
    masterKey,
    secret,
    cost = DEFAULT_COST,
    use = 'vault',
  }: { masterKey: Uint8Array; secret: VaultSecret; cost?: StretchCost; use?: VaultUse },
  { primitives, argon2id, random }: VaultParts & { random: Random },
): Promise<Uint8Array> {
  const used = secret.kind === 'key-file' ? NO_STRETCHING : cost
  if (secret.kind === 'passphrase' && !isAllowed(cost)) throw new TypeError('the cost of a vault is out of bounds')
  const salt = random.bytes(16)
  const nonce = random.bytes(24)
  const header = headerOf({ use, cost: used, salt, nonce })
  const key = await wrappingKey(secret, { use, cost: used, salt }, { primitives, argon2id })
  const ciphertext = primitives.xchacha.seal(key, nonce, encode(header), masterKey)
  wipe(key)
  const body = encode([...header, ciphertext])
  return concat(body, primitives.sha256(body))
}

/** Reads a vault without opening it. Throws `damaged`, or `newer-schema` when a newer Sotto wrote it. */
export function readVault(bytes: Uint8Array, primitives: Pick<Primitives, 'sha256'>, use: VaultUse = 'vault'): Vault {
  if (bytes.length < CHECKSUM_BYTES || bytes.length > MAX_VAULT_BYTES) throw damaged(use)
  const body = bytes.subarray(0, -CHECKSUM_BYTES)
  // Every version ends in this checksum, so that damage is told as damage whatever version wrote the file.
  if (!equalBytes(primitives.sha256(body), bytes.subarray(-CHECKSUM_BYTES))) throw damaged(use)
  try {
    return parse(body, use)
  } catch (cause) {
    if (cause instanceof ProtocolError && cause.code === 'newer-version') {
      throw new NodeError('newer-schema', TEXTS[use].newer, {
        cause,
        hint: 'update this program',
      })
    }
    throw damaged(use, cause)
  }
}

/** The master key. Throws `wrong-passphrase`, or `damaged` when the vault takes a key file and this is not its key. */
export async function openVault(vault: Vault, secret: VaultSecret, parts: VaultParts): Promise<Uint8Array> {
  if (vault.protection !== secret.kind) throw new TypeError(`this vault opens with a ${vault.protection}`)
  const key = await wrappingKey(secret, vault, parts)
  const masterKey = parts.primitives.xchacha.open(key, vault.nonce, encode(headerOf(vault)), vault.ciphertext)
  wipe(key)
  if (masterKey !== null) return masterKey
  if (secret.kind === 'passphrase') throw new NodeError('wrong-passphrase', TEXTS[vault.use].wrong)
  throw new NodeError('damaged', 'the file "key" is not the key of this home', {
    hint: 'restore the home from a backup',
  })
}

function parse(body: Uint8Array, use: VaultUse): Vault {
  const fields = decodeTyped(body, { type: use, fields: 4, maxBytes: MAX_VAULT_BYTES })
  const [memoryKiB, passes, lanes] = asArray(fields[0], 'cost', { length: 3 }).map((item) => asUint(item, 'cost'))
  const cost = { memoryKiB: memoryKiB ?? 0, passes: passes ?? 0, lanes: lanes ?? 0 }
  const stretched = isAllowed(cost)
  if (!stretched && (cost.memoryKiB !== 0 || cost.passes !== 0 || cost.lanes !== 0)) throw damaged(use)
  return {
    use,
    protection: stretched ? 'passphrase' : 'key-file',
    cost,
    salt: asBytes(fields[1], 'salt', { length: 16 }),
    nonce: asBytes(fields[2], 'nonce', { length: 24 }),
    ciphertext: asBytes(fields[3], 'ciphertext', { length: MASTER_KEY_BYTES + TAG_BYTES }),
  }
}

function isAllowed({ memoryKiB, passes, lanes }: StretchCost): boolean {
  return (
    lanes >= 1 &&
    lanes <= MAX_COST.lanes &&
    passes >= 1 &&
    passes <= MAX_COST.passes &&
    memoryKiB >= 8 * lanes &&
    memoryKiB <= MAX_COST.memoryKiB
  )
}

function headerOf({ use, cost, salt, nonce }: Pick<Vault, 'use' | 'cost' | 'salt' | 'nonce'>): readonly WireValue[] {
  return [1, use, [cost.memoryKiB, cost.passes, cost.lanes], salt, nonce]
}

async function wrappingKey(
  secret: VaultSecret,
  { use, cost, salt }: Pick<Vault, 'use' | 'cost' | 'salt'>,
  { primitives, argon2id }: VaultParts,
): Promise<Uint8Array> {
  const info = INFO[use]
  if (secret.kind === 'key-file') return primitives.hkdf(salt, secret.key, info, 32)
  const bytes = passphraseBytes(secret.passphrase)
  const stretched = await argon2id(bytes, salt, cost)
  wipe(bytes)
  const key = primitives.hkdf(salt, stretched, info, 32)
  wipe(stretched)
  return key
}

/** One person's passphrase on two keyboards: composed and decomposed letters are the same (Unicode NFKC). */
function passphraseBytes(passphrase: string): Uint8Array {
  const bytes = utf8(passphrase.normalize('NFKC'))
  if (bytes.length === 0) throw new NodeError('invalid', 'the passphrase is empty')
  if (bytes.length > MAX_PASSPHRASE_BYTES) {
    throw new NodeError('invalid', `the passphrase is longer than ${MAX_PASSPHRASE_BYTES} bytes`)
  }
  return bytes
}

function damaged(use: VaultUse, cause?: unknown): NodeError {
  return new NodeError('damaged', TEXTS[use].damaged, { cause, hint: TEXTS[use].hint })
}
