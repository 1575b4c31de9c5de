import { join } from 'node:path'
import { keepCompiled } from '../compile-cache.ts'
import type { Invocation } from '../invocation.ts'
import { createLogger } from '../log.ts'
import { formatLogLine, readLogLine } from '../log-lines.ts'
import { addresses } from '../options.ts'
import type { Verb } from '../verb.ts'

interface Options {
  readonly listen: string[]
  readonly announce?: string[]
  readonly mailbox?: boolean
}

async function bootstrap(
  { io, home, verbosity, print, note }: Invocation,
  { listen, announce, mailbox }: Options,
): Promise<void> {
  // beside what belongs to an account, so that both can live in one home and neither key is taken for the other
  const directory = join(home, 'bootstrap')
  const logger = createLogger((line) => io.stderr.write(`${formatLogLine(readLogLine(line))}\n`), verbosity)
  const server = await io.node.createBootstrap({
    listen,
    directory,
    logger,
    ...(announce === undefined ? {} : { announce }),
    ...(mailbox === undefined ? {} : { mailbox }),
  })
  try {
    if (io.ended.aborted) return
    const stopping = Promise.withResolvers<void>()
    io.ended.addEventListener('abort', () => stopping.resolve(), { once: true })
    const own = server.addresses()
    print(
      { ready: true, peerId: server.peerId, addresses: own },
      ['ready', ...own.map((each) => `  ${each}`)].join('\n'),
    )
    keepCompiled()
    await stopping.promise
    note('stopping')
  } finally {
    await server.stop()
  }
}

export const verb: Verb = {
  examples: [
    'sotto bootstrap --listen /ip4/0.0.0.0/tcp/4001',
    'sotto bootstrap --listen /ip4/0.0.0.0/tcp/4001 /ip6/::/tcp/4001 --mailbox',
    'sotto bootstrap --listen /ip4/0.0.0.0/tcp/4001 --announce /dns4/boot.example.org/tcp/4001',
  ],
  define(command, invocation) {
    command
      .requiredOption('--listen <addr...>', 'listen here', addresses('listen'))
      .option('--announce <addr...>', 'tell others that I am here', addresses('announce'))
      .option('--mailbox', 'keep mail for everybody who asks')
      .action((options: Options) => bootstrap(invocation(), options))
  },
}
