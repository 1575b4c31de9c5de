import { existsSync } from 'node:fs'
import type { Logger, Node } from '../node/api.ts'
import { NodeError } from '../node/errors.ts'
import { homePaths } from '../node/home-files.ts'
import { type Caller, createClient } from './client.ts'
import { readConfig } from './config.ts'
import { CliError } from './errors.ts'
import type { Invocation } from './invocation.ts'
import { createLocalCaller } from './local.ts'
import type { NodeOptions } from './node-module.ts'
import { readPassphrase } from './passphrase.ts'
import { nodeSettings } from './settings.ts'
import { locateSocket, tryConnect } from './socket-path.ts'

/** How long a command waits for another one that has the home open. */
export const LOCK_WAIT_MS = 2000

/** Whether an account was made in this home. */
export function hasAccount(home: string): boolean {
  return existsSync(homePaths(home).vault)
}

/** What opens a home: nothing where a key file does, else the passphrase. Throws `no-account` before anybody is asked. */
export async function unlockOptions(invocation: Invocation): Promise<Pick<NodeOptions, 'directory' | 'passphrase'>> {
  const { home, io, passphrase } = invocation
  const protection = hasAccount(home) ? await io.node.homeProtection(home) : null
  if (protection === null) throw new NodeError('no-account', 'There is no account in this home yet.')
  return protection === 'key-file'
    ? { directory: home }
    : { directory: home, passphrase: await readPassphrase(io, passphrase) }
}

/** A way to the node that runs on this home, if one does. */
export async function connectRunning(home: string): Promise<Caller | undefined> {
  const socket = await tryConnect(await locateSocket(home))
  return socket === undefined ? undefined : createClient(socket)
}

/** A way to the node that runs on this home. Throws `no-node` when none does. */
export async function callRunning({ home }: Invocation): Promise<Caller> {
  const caller = await connectRunning(home)
  if (caller !== undefined) return caller
  throw new CliError('no-node', 'No node is running on this home.', {
    hint: hasAccount(home)
      ? 'Start one with: sotto up'
      : 'Make an account with: sotto init, then start the node with: sotto up',
  })
}

async function openHome(invocation: Invocation): Promise<Node> {
  const unlock = await unlockOptions(invocation)
  const config = await readConfig(invocation.home)
  return invocation.io.node.createNode({
    ...unlock,
    network: 'none',
    waitForLockMs: LOCK_WAIT_MS,
    // invites name these addresses even while nobody listens
    ...nodeSettings(config),
    logger: loggerOf(invocation),
  })
}

/** Warnings, and with `-v` all; loaded with the first line, because most commands have nothing to say. */
function loggerOf({ io, verbosity }: Invocation): Logger {
  const load = (): Promise<Logger> =>
    Promise.all([import('./log.ts'), import('./log-lines.ts')]).then(
      ([{ createLogger }, { formatLogLine, readLogLine }]) =>
        createLogger((line) => io.stderr.write(`${formatLogLine(readLogLine(line))}\n`), verbosity),
    )
  let loading: Promise<Logger> | undefined
  const tell =
    (level: 'debug' | 'info' | 'warn'): Logger['warn'] =>
    (fields, message) =>
      void (loading ??= load()).then((log) => log[level](fields, message))
  const silent = (): void => {}
  return verbosity === 'verbose'
    ? { debug: tell('debug'), info: tell('info'), warn: tell('warn') }
    : { debug: silent, info: silent, warn: tell('warn') }
}

/** A way to the node of this home: the one that runs, else one opened here without a network. */
export async function callHome(invocation: Invocation): Promise<Caller> {
  const running = await connectRunning(invocation.home)
  if (running !== undefined) return running
  try {
    return createLocalCaller(await openHome(invocation))
  } catch (error) {
    // the holder of the lock may have been a node on its way up, which answers by now
    const late =
      error instanceof NodeError && error.code === 'locked' ? await connectRunning(invocation.home) : undefined
    if (late !== undefined) return late
    throw error
  }
}
