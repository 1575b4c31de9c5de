import { chmod, type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { NodeError, storageError } from './errors.ts'

/** Where everything of a home lies. */
export interface HomePaths {
  /** The master key, wrapped. */
  readonly vault: string
  /** What opens the vault of a home without a passphrase: 32 random bytes. */
  readonly key: string
  /** The directory of the database. Its own `LOCK` is the lock of the home. */
  readonly database: string
  /** What the database looked like when it was closed properly. */
  readonly closed: string
  /** The process that uses the home, for the message only. */
  readonly lock: string
  /** There while a backup is being restored into the home. */
  readonly restoring: string
  readonly config: string
  /** The local API. */
  readonly socket: string
  /** The directory of the logs. */
  readonly log: string
  /** A home of its own, for the mailbox of a rendezvous node. */
  readonly mailbox: string
}

/** The layout of the home in `directory`. */
export function homePaths(directory: string): HomePaths {
  const at = (name: string): string => join(directory, name)
  return {
    vault: at('vault'),
    key: at('key'),
    database: at('db'),
    closed: at('closed'),
    lock: at('lock'),
    restoring: at('restoring'),
    config: at('config.json'),
    socket: at('sotto.sock'),
    log: at('log'),
    mailbox: at('mailbox'),
  }
}

/** Does something with files; what the system refuses becomes `storage`. */
export async function onDisk<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof NodeError) throw cause
    throw storageError(`could not ${doing}`, cause)
  }
}

/** Makes the directory, and the way to it, where it is missing, and closes it to everybody else in any case. */
export function makePrivate(directory: string): Promise<void> {
  return onDisk(`make ${directory} a private directory`, () => closeToOthers(directory))
}

async function closeToOthers(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { mode } = await stat(directory)
  // A directory for everybody, such as /tmp, is marked by the sticky bit; closing it would break the machine.
  if ((mode & 0o1000) !== 0) {
    throw new NodeError('invalid', `${directory} is shared with other users and cannot be a home`, {
      hint: 'name a directory inside it',
    })
  }
  if ((mode & 0o777) !== 0o700) await chmod(directory, 0o700)
}

/** The content of a file of at most `maxBytes`, or null when there is none. Throws `damaged` when it is larger. */
export async function readSmall(path: string, maxBytes: number): Promise<Uint8Array | null> {
  try {
    if ((await stat(path)).size > maxBytes) throw new NodeError('damaged', `${path} is larger than ${maxBytes} bytes`)
    return new Uint8Array(await readFile(path))
  } catch (error) {
    if (isMissing(error)) return null
    if (error instanceof NodeError) throw error
    throw storageError(`could not read ${path}`, error)
  }
}

/** Puts `bytes` in the place of the file, readable by its owner only: after a crash it has the old content or the new. */
export function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  return onDisk(`write ${path}`, () => replace(path, bytes))
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.${process.pid}.new`
  try {
    await using file = await open(beside, 'w', 0o600)
    await file.chmod(0o600)
    await file.writeFile(bytes)
    await file.sync()
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  await syncDirectory(dirname(path))
}

/** As `replaceFile`, and then overwrites what the old file held, as far as the medium overwrites in place. */
export function replaceSecret(path: string, bytes: Uint8Array): Promise<void> {
  return onDisk(`write ${path}`, async () => {
    // The old file keeps its content under this handle when its name is taken by the new one.
    await using old = await openForOverwriting(path)
    await replace(path, bytes)
    if (old !== null) await overwrite(old)
  })
}

/** Removes the file after overwriting it, as far as the medium overwrites in place; a missing one is fine. */
export function removeSecret(path: string): Promise<void> {
  return onDisk(`remove ${path}`, async () => {
    {
      await using file = await openForOverwriting(path)
      if (file === null) return
      await overwrite(file)
    }
    await rm(path, { force: true })
    await syncDirectory(dirname(path))
  })
}

/** What writers that were killed left beside these files. For the holder of the home's lock alone. */
export async function removeLeftovers(directory: string, names: readonly string[]): Promise<void> {
  const found = await onDisk('look into the home', () => readdir(directory))
  const beside = new RegExp(`^(?:${names.join('|')})\\.\\d{1,10}\\.new$`)
  for (const name of found) if (beside.test(name)) await removeSecret(join(directory, name))
}

async function openForOverwriting(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

async function overwrite(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  await file.write(new Uint8Array(size), 0, size, 0)
  await file.sync()
}

/** Who changes a file waits so long for another who does, ms; what is older than the second was left by a process that was killed. */
const TURN_WAIT_MS = 2_000
const TURN_POLL_MS = 25
const TURN_ENDS_MS = 10_000

/** Runs what reads and replaces the file while nobody else does so. Throws `locked` when that takes too long. */
export async function inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const mark = `${path}.lock`
  for (let waited = 0; ; waited += TURN_POLL_MS) {
    try {
      await (await open(mark, 'wx', 0o600)).close()
      break
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) {
        throw storageError(`could not write ${mark}`, cause)
      }
      if (waited >= TURN_WAIT_MS) throw new NodeError('locked', `another process is changing ${path}`, { cause })
    }
    const since = await stat(mark).catch(() => null)
    if (since !== null && Date.now() - since.mtimeMs > TURN_ENDS_MS) await rm(mark, { force: true })
    else await sleep(TURN_POLL_MS)
  }
  try {
    return await work()
  } finally {
    await rm(mark, { force: true })
  }
}

/** Removes the file, for good when this resolves; a missing one is fine. */
export function removeFile(path: string): Promise<void> {
  return onDisk(`remove ${path}`, async () => {
    await rm(path, { force: true })
    await syncDirectory(dirname(path))
  })
}

async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open a directory; its file system keeps a journal of names.
  if (process.platform === 'win32') return
  await using handle = await open(directory, 'r')
  await handle.sync()
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
