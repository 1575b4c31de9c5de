import { join } from 'node:path'
import type { Logger, Node } from '../node/api.ts'
import { homePaths } from '../node/home-files.ts'
import { unlockOptions } from './caller.ts'
import type { UpOptions } from './commands/up.ts'
import { keepCompiled } from './compile-cache.ts'
import { type Config, DELIVERY_MODES, PUBLIC_MODES, readConfig, updateConfig } from './config.ts'
import { CliError, failureOf } from './errors.ts'
import type { Invocation } from './invocation.ts'
import type { Io } from './io.ts'
import { createLogger, createRotatingFile, LOG_FILE } from './log.ts'
import { addresses, choice } from './options.ts'
import { chooseListenAddresses } from './ports.ts'
import { type ApiServer, serveApi } from './server.ts'

/** Settings of a run and which of them the home shall remember. */
interface Settings {
  readonly use: Config & { readonly listen: readonly string[] }
  readonly remember: Config
}

function fromEnvironment<T>(env: Io['env'], name: string, parse: (text: string) => T): T | undefined {
  const text = env[name]
  if (text === undefined || text === '') return undefined
  try {
    return parse(text)
  } catch (error) {
    const why = error instanceof Error ? ` ${error.message}` : ''
    throw new CliError('usage', `${name} in the environment is wrong.${why}`)
  }
}

function addressList(use: 'listen' | 'bootstrap'): (text: string) => string[] {
  const add = addresses(use)
  return (text) => text.split(/[\s,]+/).reduce<string[]>((list, each) => (each === '' ? list : add(each, list)), [])
}

/** Flag before environment before file before default. */
async function decideSettings({ home, io: { env } }: Invocation, flags: UpOptions): Promise<Settings> {
  const file = await readConfig(home)
  const wanted = flags.listen ?? fromEnvironment(env, 'SOTTO_LISTEN', addressList('listen')) ?? file.listen
  const listen = wanted ?? (await chooseListenAddresses())
  const bootstrap =
    flags.bootstrap ?? fromEnvironment(env, 'SOTTO_BOOTSTRAP', addressList('bootstrap')) ?? file.bootstrap
  const delivery = flags.delivery ?? fromEnvironment(env, 'SOTTO_DELIVERY', choice(DELIVERY_MODES)) ?? file.delivery
  const visible = flags.public ?? fromEnvironment(env, 'SOTTO_PUBLIC', choice(PUBLIC_MODES)) ?? file.public
  return {
    use: {
      listen,
      ...(bootstrap === undefined ? {} : { bootstrap }),
      ...(delivery === undefined ? {} : { delivery }),
      ...(visible === undefined ? {} : { public: visible }),
    },
    remember: {
      ...(wanted === undefined ? { listen } : {}),
      ...(flags.bootstrap === undefined ? {} : { bootstrap: flags.bootstrap }),
    },
  }
}

function chooseLogger({ io, home, verbosity }: Invocation, detached: boolean): Logger {
  if (!detached) return createLogger((line) => io.stderr.write(`${line}\n`), verbosity)
  return createLogger(createRotatingFile(join(homePaths(home).log, LOG_FILE)), verbosity)
}

async function openNode(invocation: Invocation, settings: Settings['use'], logger: Logger): Promise<Node> {
  const unlock = await unlockOptions(invocation)
  return invocation.io.node.createNode({
    ...unlock,
    listen: [...settings.listen],
    ...(settings.bootstrap === undefined ? {} : { bootstrap: [...settings.bootstrap] }),
    ...(settings.delivery === undefined ? {} : { delivery: settings.delivery }),
    ...(settings.public === undefined ? {} : { public: settings.public }),
    network: 'tcp',
    logger,
    rememberBootstrap(bootstrap) {
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
  const settings = await decideSettings(invocation, flags)
  const node = await openNode(invocation, settings.use, logger)
  const stopping = Promise.withResolvers<void>()
  let api: ApiServer | undefined
  try {
    await updateConfig(home, settings.remember)
    api = await serveApi({ node, home, env: io.env, logger, stop: stopping.resolve })
    if (!io.ended.aborted) {
      io.ended.addEventListener('abort', () => stopping.resolve(), { once: true })
      const { account, peerId } = node.identity
      const addresses = node.addresses()
      logger.debug({ addresses: addresses.length }, 'ready')
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
