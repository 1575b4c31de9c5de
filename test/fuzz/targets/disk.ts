import { concat, utf8 } from '../../../lib/bytes.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { encode } from '../../../lib/wire.ts'
import { parseConfig } from '../../../cli/config.ts'
import { CliError } from '../../../cli/errors.ts'
import { native } from '../../../node/crypto.ts'
import { NodeError } from '../../../node/errors.ts'
import { parseInventory } from '../../../node/store/inventory.ts'
import { createMemoryStore } from '../../../node/store/memory-store.ts'
import { checkSchema } from '../../../node/store/schema.ts'
import { openBeside, openValue, rangeKey, SCHEMA, sealBeside, sealValue } from '../../../node/store/sealing.ts'
import { createSealedStore } from '../../../node/store/sealed-store.ts'
import { openVault, readVault, sealVault, type Vault, type VaultParts } from '../../../node/store/vault.ts'
import { seededRandom } from '../../support/random.ts'
import { quickened } from '../quick-primitives.ts'
import type { Outcome, Target } from '../target.ts'

const random = seededRandom('fuzz disk')
const masterKey = random.bytes(32)
const isDamage = (error: unknown): boolean =>
  error instanceof NodeError && (error.code === 'damaged' || error.code === 'newer-schema')
const isRefusal = (error: unknown): boolean =>
  isDamage(error) || (error instanceof NodeError && error.code === 'wrong-passphrase')

/** Stretching that costs nothing: what a vault may ask for is bounded before it is asked. */
const parts: VaultParts = {
  primitives: native,
  argon2id: async (secret, salt) => native.hkdf(salt, secret, new Uint8Array(0), 32),
}
const secrets = {
  passphrase: { kind: 'passphrase', passphrase: 'correct horse' },
  'key-file': { kind: 'key-file', key: new Uint8Array(32).fill(5) },
} as const
const vaults = await Promise.all(
  Object.values(secrets).map((secret) => sealVault({ masterKey, secret }, { ...parts, random })),
)

function vaultBody({ cost, salt, nonce, ciphertext }: Vault): Uint8Array {
  return encode([1, 'vault', [cost.memoryKiB, cost.passes, cost.lanes], salt, nonce, ciphertext])
}

const place = { range: 'contact', key: random.bytes(16), schema: SCHEMA }
const key = rangeKey(native, masterKey, place.range)
const salt = random.bytes(32)
const value = random.bytes(100)
const sealed = sealValue(native, random, { key, place, value })
const beside = sealBeside(native, { key, salt, place, value })

const SCHEMA_PLACE = { range: 'meta', key: utf8('schema'), schema: 0 } as const

/** One store for all inputs, in which one row is the input. */
const raw = createMemoryStore()
const store = createSealedStore(raw, { primitives: native, random, masterKey })
const put = (range: 'meta' | 'contact' | 'message', at: Uint8Array, value: Uint8Array): Promise<void> =>
  raw.write([{ range, key: at, value }])

/** The input as what this home's key holder wrote about its schema. */
function schemaRow(primitives: Primitives): (input: Uint8Array) => Promise<Outcome> {
  const metaKey = rangeKey(primitives, masterKey, 'meta')
  return async (input) => {
    const row = sealValue(primitives, random, { key: metaKey, place: SCHEMA_PLACE, value: input })
    await put('meta', SCHEMA_PLACE.key, row)
    await checkSchema(raw, { primitives, masterKey })
    return encode([1, 'schema', SCHEMA])
  }
}

const config = {
  listen: ['/ip4/0.0.0.0/tcp/0'],
  bootstrap: ['/ip4/192.0.2.1/tcp/4001/p2p/x'],
  delivery: 'outbox',
  public: 'off',
  later: { a: 1 },
}

/** Files of a home, and values at rest. */
export const diskTargets: readonly Target[] = [
  {
    name: 'vault-file',
    covers: ['node/store/vault.ts#readVault'],
    seeds: vaults,
    authenticated: true,
    refuses: isDamage,
    run(input) {
      readVault(input, native)
      return 'accepted'
    },
  },
  {
    name: 'vault-body',
    covers: ['node/store/vault.ts#readVault'],
    seeds: vaults.map((vault) => vault.slice(0, -32)),
    refuses: isDamage,
    run: (input) => vaultBody(readVault(concat(input, native.sha256(input)), native)),
  },
  {
    name: 'vault-opened',
    covers: ['node/store/vault.ts#openVault'],
    seeds: vaults.map((vault) => vault.slice(0, -32)),
    authenticated: true,
    dear: true,
    refuses: isRefusal,
    async run(input): Promise<Outcome> {
      const vault = readVault(concat(input, native.sha256(input)), native)
      await openVault(vault, secrets[vault.protection], parts)
      return 'accepted'
    },
  },
  {
    name: 'list-of-files',
    covers: ['node/store/inventory.ts#parseInventory', 'node/store/inventory.ts#checkInventory'],
    seeds: [
      encode([
        1,
        'closed',
        7,
        [
          ['000005.ldb', 1000, null],
          ['CURRENT', 16, random.bytes(32)],
        ],
      ]),
    ],
    refuses: isDamage,
    run(input) {
      const { manifest, files } = parseInventory(input)
      return encode([1, 'closed', manifest, files.map(({ name, bytes, hash }) => [name, bytes, hash])])
    },
  },
  {
    name: 'config',
    covers: ['cli/config.ts#parseConfig', 'cli/config.ts#readConfig'],
    seeds: [utf8(JSON.stringify(config)), utf8('{}')],
    text: true,
    loose: 'it is JSON',
    refuses: (error) => error instanceof CliError && error.code === 'bad-config',
    run(input) {
      const { listen, bootstrap, delivery, public: mode } = parseConfig(input)
      const texts = [...(listen ?? []), ...(bootstrap ?? []), delivery ?? '', mode ?? '']
      return texts.every((text) => typeof text === 'string') ? 'accepted' : utf8('no text')
    },
  },
  {
    name: 'sealed-value',
    covers: ['node/store/sealing.ts#openValue'],
    seeds: [sealed],
    authenticated: true,
    dear: true,
    run: (input) => (openValue(native, { key, place, sealed: input }) === null ? 'refused' : 'accepted'),
  },
  {
    name: 'sealed-value-beside',
    covers: ['node/store/sealing.ts#openBeside'],
    seeds: [beside],
    authenticated: true,
    dear: true,
    run: (input) => (openBeside(native, { key, salt, place, sealed: input }) === null ? 'refused' : 'accepted'),
  },
  {
    name: 'sealed-salt',
    covers: ['node/store/sealing.ts#openBeside'],
    seeds: [salt],
    authenticated: true,
    dear: true,
    run: (input) => (openBeside(native, { key, salt: input, place, sealed: beside }) === null ? 'refused' : 'accepted'),
  },
  {
    name: 'sealed-row',
    covers: ['node/store/sealed-store.ts#createSealedStore'],
    seeds: [sealed],
    authenticated: true,
    dear: true,
    refuses: isDamage,
    async run(input): Promise<Outcome> {
      await put('contact', place.key, input)
      await store.read('contact', place.key)
      return 'accepted'
    },
  },
  {
    name: 'sealed-row-without-its-key',
    covers: ['node/store/sealed-store.ts#createSealedStore'],
    refusesSeeds: 'the key is missing',
    seeds: [beside],
    dear: true,
    refuses: isDamage,
    async run(input): Promise<Outcome> {
      await put('message', place.key, input)
      await store.list('message')
      return Uint8Array.of(0)
    },
  },
  {
    name: 'schema-row',
    covers: ['node/store/schema.ts#checkSchema'],
    seeds: [encode([1, 'schema', SCHEMA])],
    dear: true,
    refuses: isDamage,
    run: schemaRow(native),
    quick: schemaRow(quickened(native)),
  },
]
