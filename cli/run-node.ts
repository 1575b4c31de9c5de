import { join } from 'node:path'
import type { Logger, Node } from '../node/api.ts'
import { homePaths } from '../node/home-files.ts'
import { unlockOptions } from './caller.ts'
import type { UpOptions } from './commands/up.ts'
import { keepCompiled } from './compile-cache.ts'
import { type Config, type ConfigChanges, readConfig, updateConfig } from './config.ts'
import { failureOf } from './errors.ts'
import type { Invocation } from './invocation.ts'
import { createLogger } from './log.ts'
import { formatLogLine, readLogLine } from './log-lines.ts'
import { chooseListenAddresses } from './ports.ts'
import { createRotatingFile, LOG_FILE } from './rotating-file.ts'
import { createRunningSettings, type RunningSettings } from './running-settings.ts'
import { type ApiServer, serveApi } from './server.ts'
import { chosen, type Decided, decideSettings, nodeSettings } from './settings.ts'

/** Settings of a run and which of them the home shall remember. */
interface Settings {
  readonly use: Config & { readonly listen: readonly string[] }
  readonly remember: Config
  /** As they are used, each with where it comes from. */
  readonly decided: readonly Decided[]
}

/** Flag before environment before file before default; a flag holds for this run, `bootstrap` is kept. */
async function settingsOf({ home, io: { env } }: Invocation, flags: UpOptions): Promise<Settings> {
  const { listen, bootstrap, delivery, public: visible, mailbox, history } = flags
  const given = { listen, bootstrap, delivery, public: visible, mailbox, history }
  const decided = decideSettings(withoutAbsent(given), env, await readConfig(home))
  const use = chosen(decided)
  const wanted = use.listen ?? (await chooseListenAddresses())
  return {
    use: { ...use, listen: wanted },
    remember: {
      ...(use.listen === undefined ? { listen: wanted } : {}),
      ...(bootstrap === undefined ? {} : { bootstrap }),
    },
    decided: decided.map((each) => (each.key === 'listen' ? { ...each, value: wanted } : each)),
  }
}

function withoutAbsent(config: ConfigChanges): Config {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
}

function chooseLogger({ io, home, verbosity }: Invocation, detached: boolean): Logger {
  if (!detached) return createLogger((line) => io.stderr.write(`${formatLogLine(readLogLine(line))}\n`), verbosity)
  return createLogger(createRotatingFile(join(homePaths(home).log, LOG_FILE)), verbosity)
}

async function openNode(
  invocation: Invocation,
  { use }: Settings,
  running: RunningSettings,
  logger: Logger,
): Promise<Node> {
  const unlock = await unlockOptions(invocation)
  return invocation.io.node.createNode({
    ...unlock,
    ...nodeSettings(use),
    network: 'tcp',
    logger,
    rememberBootstrap(bootstrap) {
      running.set('bootstrap', bootstrap)
      updateConfig(invocation.home, { bootstrap }).catch((error: unknown) =>
        logger.warn({ code: failureOf(error).code }, 'the bootstrap addresses of an invite could not be remembered'),
      )
    },
  })
}

/** Runs the node in this process until a signal or `sotto down` ends it. Prints one line when it is ready. */
export async function runNode(invocation: Invocation, flags: UpOptions): Promise<void> {
  try {
    await run(invocation, flags)
  } catch (error) {
    // the process in front reads the standard output of the one in the background, whose errors go to its log
    if (flags.detached === true) invocation.print({ error: failureOf(error) }, '')
    throw error
  }
}

async function run(invocation: Invocation, flags: UpOptions): Promise<void> {
  const { io, home } = invocation
  const logger = chooseLogger(invocation, flags.detached === true)
  const settings = await settingsOf(invocation, flags)
  const running = createRunningSettings(settings.decided, () => readConfig(home))
  const node = await openNode(invocation, settings, running, logger)
  const stopping = Promise.withResolvers<void>()
  let api: ApiServer | undefined
  try {
    await updateConfig(home, settings.remember)
    api = await serveApi({ node, home, env: io.env, logger, settings: running, stop: stopping.resolve })
    if (!io.ended.aborted) {
      io.ended.addEventListener('abort', () => stopping.resolve(), { once: true })
      const { account, peerId } = node.identity
      const addresses = node.addresses()
      logger.info({ listening: addresses.length }, 'ready')
      const ready = { ready: true, account, peerId, addresses, api: { socket: api.socket } }
      invocation.print(ready, ['ready', ...addresses.map((address) => `  ${address}`)].join('\n'))
      keepCompiled()
      await stopping.promise
    }
    logger.info({}, 'stopping')
    api.refuse()
  } finally {
    // the connections last: a client that asked for the end learns of it when its connection closes
    await node.stop()
    await api?.[Symbol.asyncDispose]()
  }
}
