import { createReadStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { wipe } from '../../lib/bytes.ts'
import { encodeAccount } from '../../lib/identity/account.ts'
import type { Node } from '../api.ts'
import { native, systemRandom } from '../crypto.ts'
import { NodeError, storageError } from '../errors.ts'
import { machineRun } from '../machine-run.ts'
import { createHome, type Protection, VAULT_PARTS } from '../home.ts'
import { openVault, readVault, sealVault, type StretchCost } from '../store/vault.ts'
import { damagedBackup, encodeHead } from './format.ts'
import { assertFree, besideOf, type BackupSummary, putInPlace, writeBackup, type WriteOptions } from './place.ts'
import { restoreBackup as restoreInto } from './restoring.ts'
import type { BackupCounts, BackupSeal } from './taking.ts'

/** Read from a file at a time, bytes. */
const READ_BYTES = 262_144

export interface BackupOptions extends WriteOptions {
  /** Of the backup alone; it is stretched as that of a home is. */
  readonly passphrase: string | Uint8Array
  /** Replace a file of that name; by default it is refused. */
  readonly force?: boolean
  /** What a guess at the passphrase costs; by default as much as for a home. */
  readonly cost?: StretchCost
}

export interface RestoreOptions {
  /** The home to make; there must be no account in it. */
  readonly directory: string
  /** Of the backup. */
  readonly backupPassphrase: string | Uint8Array
  /** Of the new home, or `noPassphrase`. */
  readonly passphrase?: string | Uint8Array
  readonly noPassphrase?: boolean
  readonly signal?: AbortSignal
  onProgress?(progress: { readonly bytes: number; readonly totalBytes: number }): void
}

/** Whose account came back, from when, and how much of it. */
export interface RestoreSummary extends BackupCounts {
  readonly account: string
  /** When the backup was made, ms. */
  readonly takenAt: number
  readonly settings?: string
}

/** A fresh key for one backup, and the head of its file with that key sealed. About 0.2 s. */
export async function createBackupSeal(passphrase: string | Uint8Array, cost?: StretchCost): Promise<BackupSeal> {
  const key = systemRandom.bytes(32)
  const secret = { kind: 'passphrase', passphrase: textOf(passphrase) } as const
  const sealed = await sealVault(
    { masterKey: key, secret, use: 'backup', ...(cost && { cost }) },
    { ...VAULT_PARTS, random: systemRandom },
  )
  return { key, head: encodeHead(sealed) }
}

/**
 * Writes a backup of the account of a node into a file: all of it or nothing, readable by its owner only. Rejects with
 * `file-exists`, `invalid` (an unusable passphrase), `storage` or `stopped`.
 */
export async function createBackup(node: Node, file: string, options: BackupOptions): Promise<BackupSummary> {
  const { passphrase, force = false, cost, ...rest } = options
  await assertFree(file, force)
  const seal = await createBackupSeal(passphrase, cost)
  const beside = await besideOf(file)
  try {
    const summary = await writeBackup(node, beside, seal, rest)
    await putInPlace(beside, file, force)
    return summary
  } finally {
    wipe(seal.key)
    await rm(beside, { force: true })
  }
}

/**
 * Makes the account of a backup again in a new home, as a new device, its only one. Rejects with `not-found` (no such file),
 * `invalid` (no backup), `wrong-passphrase`, `damaged`, `newer-schema`, `account-exists`, `locked` or `storage`; then there
 * is no home.
 */
export async function restoreBackup(file: string, options: RestoreOptions): Promise<RestoreSummary> {
  const { directory, backupPassphrase, passphrase, noPassphrase, signal, onProgress } = options
  const found = await stat(file).catch(() => null)
  if (found === null || !found.isFile()) throw new NodeError('not-found', `there is no file ${file}`)
  const protection: Protection =
    noPassphrase === true ? { noPassphrase: true } : { passphrase: textOf(passphrase ?? '') }
  // Known before much was read.
  if ('passphrase' in protection && protection.passphrase === '') {
    throw new NodeError('invalid', 'the passphrase of the new home is empty')
  }
  let summary: RestoreSummary | undefined
  await using _home = await createHome(directory, {
    ...protection,
    async fill(store) {
      const { account, contacts, messages, takenAt, settings } = await restoreInto(portionsOf(file, signal), store, {
        primitives: native,
        random: systemRandom,
        now: Date.now(),
        run: machineRun(),
        unlock: (sealedKey) => unlock(sealedKey, textOf(backupPassphrase)),
        onProgress: (bytes) => onProgress?.({ bytes, totalBytes: found.size }),
      })
      const text = encodeAccount(account)
      summary = { account: text, takenAt, contacts, messages, ...(settings !== null && { settings }) }
    },
  })
  if (summary === undefined) throw new TypeError('a home was made and not filled')
  return summary
}

async function* portionsOf(file: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const portion of createReadStream(file, { highWaterMark: READ_BYTES })) {
      signal?.throwIfAborted()
      yield portion as Uint8Array
    }
  } catch (cause) {
    if (signal?.aborted === true) throw signal.reason
    throw storageError(`could not read ${file}`, cause)
  }
}

async function unlock(sealedKey: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const vault = readVault(sealedKey, native, 'backup')
  if (vault.protection !== 'passphrase') throw damagedBackup()
  return openVault(vault, { kind: 'passphrase', passphrase }, VAULT_PARTS)
}

function textOf(passphrase: string | Uint8Array): string {
  return passphrase instanceof Uint8Array ? new TextDecoder().decode(passphrase) : passphrase
}
