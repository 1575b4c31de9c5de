import { hash } from 'node:crypto'
import { chmod, lstat, mkdtemp, readlink, realpath, rm, rmdir, symlink } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { NodeError } from '../node/errors.ts'
import { homePaths } from '../node/home-files.ts'
import { CliError } from './errors.ts'

type Env = Readonly<Record<string, string | undefined>>

/** What the system takes as the path of a unix socket, in bytes (`sun_path` without its end). */
export const MAX_SOCKET_PATH_BYTES: number = process.platform === 'darwin' ? 103 : 107

/** A path to listen on that nobody else listens on. */
export interface SocketPlace {
  readonly path: string
  /** Once it exists: closes it to others and leaves the trace by which clients find it. */
  protect(): Promise<void>
  /** Leaves nothing behind. */
  release(): Promise<void>
}

async function pipeName(home: string): Promise<string> {
  return `\\\\.\\pipe\\sotto-${hash('sha256', await realpath(home)).slice(0, 32)}`
}

async function linkTarget(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch(() => undefined)
  return stats?.isSymbolicLink() === true ? readlink(path) : undefined
}

/** Where the node of a home listens, if it runs. In a home with a long path that is behind a symbolic link. */
export async function locateSocket(home: string): Promise<string> {
  if (process.platform === 'win32') return pipeName(home).catch(() => homePaths(home).socket)
  const natural = homePaths(home).socket
  return (await linkTarget(natural)) ?? natural
}

/** Connects, or gives undefined when nobody listens there. */
export async function tryConnect(path: string): Promise<Socket | undefined> {
  if (process.platform !== 'win32' && Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) return undefined
  const { promise, resolve, reject } = Promise.withResolvers<Socket | undefined>()
  const socket = connect({ path, allowHalfOpen: false })
  const refused = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR') resolve(undefined)
    else reject(new CliError('system', `The socket of the node cannot be opened (${error.code}).`, { cause: error }))
  }
  socket.once('error', refused)
  socket.once('connect', () => {
    socket.off('error', refused)
    resolve(socket)
  })
  return promise
}

async function removeStale(natural: string): Promise<void> {
  const target = await linkTarget(natural)
  const path = target ?? natural
  const living = await tryConnect(path)
  if (living !== undefined) {
    living.destroy()
    throw new NodeError('locked', 'Another node runs on this home and answers.')
  }
  await rm(natural, { force: true })
  if (target === undefined) return
  await rm(target, { force: true })
  // only when nothing else is in it
  await rmdir(dirname(target)).catch(() => {})
}

async function shortDirectory(env: Env): Promise<string> {
  for (const base of [env['XDG_RUNTIME_DIR'] ?? '', tmpdir(), '/tmp']) {
    if (base === '') continue
    if (Buffer.byteLength(join(base, 'sotto-XXXXXX', 's')) > MAX_SOCKET_PATH_BYTES) continue
    // a fresh directory of our own, 0700: nobody can have put something there before
    const made = await mkdtemp(join(base, 'sotto-')).catch(() => undefined)
    if (made !== undefined) return made
  }
  throw new CliError('system', 'There is no directory in which the socket of the node could be made.', {
    hint: 'Use a home with a shorter path.',
  })
}

/**
 * Prepares the place of a home's socket. What a killed node left is removed; a node that answers is not disturbed:
 * rejects with `locked`. Call it as the holder of the home's lock.
 */
export async function claimSocket(home: string, env: Env): Promise<SocketPlace> {
  if (process.platform === 'win32') {
    return { path: await pipeName(home), protect: async () => {}, release: async () => {} }
  }
  const natural = homePaths(home).socket
  await removeStale(natural)
  if (Buffer.byteLength(natural) <= MAX_SOCKET_PATH_BYTES) {
    return {
      path: natural,
      protect: () => chmod(natural, 0o600),
      release: () => rm(natural, { force: true }),
    }
  }
  const directory = await shortDirectory(env)
  const path = join(directory, 's')
  return {
    path,
    protect: async () => {
      await chmod(path, 0o600)
      await symlink(path, natural)
    },
    release: async () => {
      await rm(natural, { force: true })
      await rm(path, { force: true })
      await rmdir(directory).catch(() => {})
    },
  }
}
