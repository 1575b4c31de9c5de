import { link, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Node } from '../api.ts'
import { NodeError } from '../errors.ts'
import { onDisk } from '../home-files.ts'
import type { BackupCounts, BackupSeal } from './taking.ts'

/** What a backup holds. */
export interface BackupSummary extends BackupCounts {
  readonly bytes: number
}

export interface WriteOptions {
  /** What is to come back with it, for example settings: at most 64 KiB. */
  readonly settings?: string
  readonly signal?: AbortSignal
  onProgress?(counts: BackupCounts): void
}

/** Throws `file-exists` unless there is no such file, or it may be replaced. */
export async function assertFree(file: string, force: boolean): Promise<void> {
  const found = await stat(file).catch(() => null)
  if (found === null || (force && found.isFile())) return
  throw new NodeError('file-exists', force ? `${file} is no file` : `there is a file ${file} already`)
}

/** Where a backup is written before it is whole; what writers that were killed left there is removed. */
export async function besideOf(file: string): Promise<string> {
  const directory = dirname(resolve(file))
  const left = new RegExp(`^${basename(file).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\.(\\d{1,10})\\.new$`)
  for (const name of await onDisk(`look into ${directory}`, () => readdir(directory))) {
    const pid = left.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(directory, name), { force: true })
  }
  return `${resolve(file)}.${process.pid}.new`
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Writes a backup into a file that is not there yet; where it fails there is none after it either. */
export async function writeBackup(
  node: Pick<Node, 'backup'>,
  path: string,
  seal: BackupSeal,
  { settings, signal, onProgress }: WriteOptions = {},
): Promise<BackupSummary> {
  let counts: BackupCounts = { contacts: 0, messages: 0 }
  let bytes = 0
  const portions = node.backup(seal, {
    ...(settings !== undefined && { settings }),
    onProgress(progress) {
      counts = progress
      onProgress?.(progress)
    },
  })
  const file = await onDisk(`write ${path}`, () => open(path, 'wx', 0o600))
  try {
    for await (const portion of portions) {
      signal?.throwIfAborted()
      await onDisk(`write ${path}`, () => file.writeFile(portion))
      bytes += portion.length
    }
    await onDisk(`write ${path}`, () => file.sync())
    await file.close()
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(path, { force: true })
    throw error
  }
  return { ...counts, bytes }
}

/** Gives a whole file its name. Throws `file-exists` when somebody else was faster. */
export async function putInPlace(beside: string, file: string, force: boolean): Promise<void> {
  await onDisk(`write ${file}`, async () => {
    if (force) await rename(beside, file)
    else {
      try {
        // Unlike renaming, this replaces nothing.
        await link(beside, file)
        await rm(beside)
      } catch (error) {
        await onlyWithoutLinks(error, file)
        await rename(beside, file)
      }
    }
    await using directory = await open(dirname(resolve(file)), 'r')
    await directory.sync().catch(() => undefined)
  })
}

/** Some file systems (FAT) have no second names; there what lies at this name is looked for once more. */
async function onlyWithoutLinks(error: unknown, file: string): Promise<void> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EEXIST') throw new NodeError('file-exists', `there is a file ${file} already`, { cause: error })
  if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP') throw error
  await assertFree(file, false)
}
