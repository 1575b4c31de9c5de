import { argon2 } from 'node:crypto'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromUtf8, utf8, wipe } from '../lib/bytes.ts'
import type { Random } from '../lib/crypto/primitives.ts'
import { RANGES, type Range } from '../lib/rows.ts'
import { native, systemRandom } from './crypto.ts'
import { NodeError } from './errors.ts'
import {
  type HomePaths,
  homePaths,
  makePrivate,
  onDisk,
  readSmall,
  removeFile,
  removeLeftovers,
  removeSecret,
  replaceFile,
  replaceSecret,
} from './home-files.ts'
import { checkInventory, manifestNumber, takeInventory } from './store/inventory.ts'
import { openLevelStore } from './store/level-store.ts'
import { checkSchema, writeSchema } from './store/schema.ts'
import { createSealedStore } from './store/sealed-store.ts'
import type { RawStore, Store } from './store/store.ts'
import {
  openVault,
  readVault,
  type StretchCost,
  sealVault,
  type Vault,
  type VaultParts,
  type VaultSecret,
} from './store/vault.ts'

/** A home that is open: one account's device on this machine, used by this process alone until it is closed. */
export interface Home extends AsyncDisposable {
  readonly directory: string
  readonly paths: HomePaths
  /** Encrypted at rest. Closed with the home. */
  readonly store: Store
  /**
   * Wraps the same master key anew; killed at any moment, the home opens by the old secret or by the new one. `current` is
   * the passphrase so far (left out for a home without one). A copy of the old `vault` still opens with the old passphrase.
   * Rejects with `wrong-passphrase` or `invalid`, and then changes nothing.
   */
  changePassphrase(current: string | undefined, next: Protection): Promise<void>
  /** Ends the store and lets the next process in. Closing twice is harmless. */
  close(): Promise<void>
}

/** What opens a home: a passphrase, or a random key that lies beside it, for machines that start unattended. */
export type Protection = { readonly passphrase: string } | { readonly noPassphrase: true }

export interface HomeOptions {
  /** How long to wait while another process uses the home; by default not at all. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
  readonly delay?: (ms: number, signal?: AbortSignal) => Promise<void>
  readonly random?: Random
  /** What a guess at the passphrase costs, when one is set. */
  readonly cost?: StretchCost
}

const POLL_MS = 50
const MAX_VAULT_FILE_BYTES = 4096
const MAX_CLOSED_FILE_BYTES = 16 << 20
const MAX_NOTE_BYTES = 64
/** Rows deleted at a time. */
const CLEARED_AT_ONCE = 4096
const KEY_BYTES = 32

/** How the home in `directory` is opened, or null when there is none. Rejects with `damaged` or `newer-schema`. */
export async function homeProtection(directory: string): Promise<'passphrase' | 'key-file' | null> {
  return (await loadVault(homePaths(directory)))?.protection ?? null
}

/**
 * Makes a home in `directory` (0700) and opens it. Rejects with `account-exists` when there is one, `locked` while
 * another process makes one, `invalid` for an unusable passphrase, `damaged` when a database lies there without its vault.
 * What `fill` writes is there when the home is, or not at all: when it rejects, and after a crash, there is no home.
 */
export async function createHome(
  directory: string,
  options: HomeOptions & Protection & { fill?(store: Store): Promise<void> },
): Promise<Home> {
  const paths = homePaths(directory)
  await assertNoHome(directory, paths)
  await makePrivate(directory)
  await makePrivate(paths.database)
  return withDatabase(directory, paths, options, { create: true }, async (raw) => {
    await assertNoHome(directory, paths)
    const random = options.random ?? systemRandom
    const wasCutOff = (await readSmall(paths.restoring, MAX_NOTE_BYTES)) !== null
    if (wasCutOff) await clear(raw)
    if (!(await isUnused(raw))) {
      throw new NodeError('damaged', `the home in ${directory} lost its file "vault"`, {
        hint: 'restore the home from a backup',
      })
    }
    const masterKey = random.bytes(KEY_BYTES)
    await writeSchema(raw, { primitives: native, random, masterKey })
    if (options.fill !== undefined) await fillDatabase(raw, paths, { masterKey, random, fill: options.fill })
    // The vault comes last: a home exists from then on, and a crash before it leaves nothing that counts.
    await writeVault(paths, masterKey, options, options)
    if (wasCutOff || options.fill !== undefined) await removeFile(paths.restoring)
    return masterKey
  })
}

/** A note says that what lies in the database counts for nothing until there is a vault. */
async function fillDatabase(
  raw: RawStore,
  paths: HomePaths,
  { masterKey, random, fill }: { masterKey: Uint8Array; random: Random; fill(store: Store): Promise<void> },
): Promise<void> {
  await replaceFile(paths.restoring, utf8(`${process.pid}\n`))
  try {
    await fill(createSealedStore(raw, { primitives: native, random, masterKey }))
  } catch (error) {
    // Where the disk fails, the note stays, and the next creation clears.
    await clear(raw)
      .then(() => removeFile(paths.restoring))
      .catch(() => undefined)
    throw error
  }
}

/** Deletes what a creation that did not come to its end has written; its master key is gone. */
async function clear(raw: RawStore): Promise<void> {
  for (const range of [...(Object.keys(RANGES) as Range[]), 'message-key', 'change-key'] as const) {
    for (;;) {
      const keys = await raw.keys(range, { limit: CLEARED_AT_ONCE })
      if (keys.length === 0) break
      await raw.write(keys.map((key) => ({ range, key, value: null })))
    }
  }
}

/**
 * Opens the home in `directory`. `passphrase` is not used where the home has none. Rejects, with nothing changed, with
 * `no-account` when there is no home, `wrong-passphrase`, `locked` (the message names the process), `damaged` or
 * `newer-schema`.
 */
export async function openHome(directory: string, options: HomeOptions & { passphrase?: string } = {}): Promise<Home> {
  const paths = homePaths(directory)
  const vault = await loadVault(paths)
  if (vault === null) {
    throw new NodeError('no-account', `there is no account in ${directory} yet`, { hint: 'make one with: sotto init' })
  }
  const masterKey = await unlock(paths, vault, options.passphrase)
  try {
    await makePrivate(directory)
    const listed = await readSmall(paths.closed, MAX_CLOSED_FILE_BYTES)
    if (listed !== null) {
      await onDisk('examine the database', () => checkInventory(paths.database, listed, native))
    }
  } catch (error) {
    wipe(masterKey)
    throw error
  }
  return withDatabase(directory, paths, options, { create: false }, async (raw) => {
    await checkSchema(raw, { primitives: native, masterKey })
    await tidy(directory, paths)
    return masterKey
  })
}

/** A process that was killed leaves wrapped keys that open nothing any more, or never did, and notes. */
async function tidy(directory: string, paths: HomePaths): Promise<void> {
  const { vault, key, lock, closed, restoring } = paths
  await removeLeftovers(
    directory,
    [vault, key, lock, closed, restoring].map((path) => basename(path)),
  )
  if ((await readSmall(restoring, MAX_NOTE_BYTES)) !== null) await removeFile(restoring)
  // Read under the lock: it may have been changed since it was opened.
  if ((await loadVault(paths))?.protection === 'passphrase') await removeSecret(paths.key)
}

/** Takes the lock, lets `prepare` find the master key, and gives the home; or leaves everything closed behind it. */
async function withDatabase(
  directory: string,
  paths: HomePaths,
  options: HomeOptions,
  { create }: { create: boolean },
  prepare: (raw: RawStore) => Promise<Uint8Array>,
): Promise<Home> {
  const raw = await takeLock(paths, options, () => openLevelStore(paths.database, { create }))
  const numbered = onDisk('examine the database', () => manifestNumber(paths.database))
  const manifest = await numbered.catch(async (error: unknown) => {
    await raw.close()
    throw error
  })

  async function release(store: Store): Promise<void> {
    await removeFile(paths.lock)
    await store.close()
    if (manifest === null) return
    const inventory = await onDisk('examine the database', () => takeInventory(paths.database, manifest, native))
    if (inventory !== null) await replaceFile(paths.closed, inventory)
  }

  try {
    await replaceFile(paths.lock, utf8(`${process.pid}\n`))
    const masterKey = await prepare(raw)
    const random = options.random ?? systemRandom
    const store = createSealedStore(raw, { primitives: native, random, masterKey })
    wipe(masterKey)
    let closing: Promise<void> | undefined
    const close = (): Promise<void> => (closing ??= release(store))
    return {
      directory,
      paths,
      store,
      changePassphrase: (current, next) => changePassphrase(paths, current, next, options),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await release(raw)
    throw error
  }
}

async function takeLock(paths: HomePaths, options: HomeOptions, open: () => Promise<RawStore>): Promise<RawStore> {
  const { waitMs = 0, signal, delay = pause } = options
  for (let waited = 0; ; waited += POLL_MS) {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof NodeError) || error.code !== 'locked') throw error
      if (waited >= waitMs) throw await lockedError(paths, error)
    }
    await delay(POLL_MS, signal)
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return sleep(ms, undefined, signal === undefined ? {} : { signal })
}

async function lockedError(paths: HomePaths, cause: NodeError): Promise<NodeError> {
  const pid = await pidIn(paths.lock)
  const who = pid === null ? 'another process' : `the process ${pid}`
  return new NodeError('locked', `${who} uses this home`, { cause, hint: 'stop it, or name another home with --home' })
}

/** The process that wrote the file, or null when it says nothing usable; nothing depends on it but a message. */
async function pidIn(path: string): Promise<string | null> {
  try {
    const content = fromUtf8((await readSmall(path, 64)) ?? new Uint8Array())
    return /^(\d{1,10})\n$/.exec(content)?.[1] ?? null
  } catch {
    return null
  }
}

async function loadVault(paths: HomePaths): Promise<Vault | null> {
  const bytes = await readSmall(paths.vault, MAX_VAULT_FILE_BYTES)
  return bytes === null ? null : readVault(bytes, native)
}

async function assertNoHome(directory: string, paths: HomePaths): Promise<void> {
  if ((await readSmall(paths.vault, MAX_VAULT_FILE_BYTES)) === null) return
  throw new NodeError('account-exists', `there is an account in ${directory} already`)
}

/** Whether there are no rows but those that a creation which was cut short may have left. */
async function isUnused(raw: RawStore): Promise<boolean> {
  for (const range of Object.keys(RANGES) as Range[]) {
    if ((await raw.list(range, { limit: 1 })).length > 0) return false
  }
  return true
}

async function unlock(paths: HomePaths, vault: Vault, passphrase: string | undefined): Promise<Uint8Array> {
  if (vault.protection === 'passphrase') {
    if (passphrase === undefined)
      throw new NodeError('wrong-passphrase', 'this home opens with a passphrase, and none was given')
    return openVault(vault, { kind: 'passphrase', passphrase }, VAULT_PARTS)
  }
  const key = await readSmall(paths.key, KEY_BYTES)
  if (key?.length !== KEY_BYTES) {
    throw new NodeError('damaged', `the file "key" of this home is missing or damaged`, {
      hint: 'restore the home from a backup',
    })
  }
  try {
    return await openVault(vault, { kind: 'key-file', key }, VAULT_PARTS)
  } finally {
    wipe(key)
  }
}

async function writeVault(
  paths: HomePaths,
  masterKey: Uint8Array,
  protection: Protection,
  { random = systemRandom, cost }: HomeOptions,
): Promise<void> {
  const secret: VaultSecret =
    'passphrase' in protection
      ? { kind: 'passphrase', passphrase: protection.passphrase }
      : { kind: 'key-file', key: random.bytes(KEY_BYTES) }
  const vault = await sealVault({ masterKey, secret, ...(cost && { cost }) }, { ...VAULT_PARTS, random })
  if (secret.kind === 'key-file') {
    await replaceFile(paths.key, secret.key)
    wipe(secret.key)
  }
  // From here on the new secret opens the home, and the old one does not.
  await replaceSecret(paths.vault, vault)
  if (secret.kind === 'passphrase') await removeSecret(paths.key)
}

async function changePassphrase(
  paths: HomePaths,
  current: string | undefined,
  next: Protection,
  options: HomeOptions,
): Promise<void> {
  const vault = await loadVault(paths)
  if (vault === null) throw new NodeError('damaged', 'the file "vault" of this home is missing')
  const masterKey = await unlock(paths, vault, current)
  try {
    // Two files cannot be replaced at once, and a new key under the old vault would lock the home.
    if (vault.protection === 'key-file' && 'noPassphrase' in next) return
    await writeVault(paths, masterKey, next, options)
  } finally {
    wipe(masterKey)
  }
}

let stretching: Promise<unknown> = Promise.resolve()

/** One at a time: each takes as much memory as its cost says. */
function argon2id(
  secret: Uint8Array,
  salt: Uint8Array,
  { memoryKiB, passes, lanes }: StretchCost,
): Promise<Uint8Array> {
  const parameters = { message: secret, nonce: salt, memory: memoryKiB, passes, parallelism: lanes, tagLength: 32 }
  const turn = stretching.then(
    () =>
      new Promise<Uint8Array>((resolve, reject) => {
        argon2('argon2id', parameters, (error, key) => {
          if (error === null) resolve(new Uint8Array(key))
          else reject(error)
        })
      }),
  )
  stretching = turn.catch(() => undefined)
  return turn
}

/** What vaults of homes and backups stand on. */
export const VAULT_PARTS: VaultParts = { primitives: native, argon2id }
