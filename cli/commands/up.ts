import { Option } from 'commander'
import type { DeliveryMode, MailboxPolicy, PublicMode } from '../../node/api.ts'
import { DELIVERY_MODES, MAILBOX_POLICIES, PUBLIC_MODES } from '../config.ts'
import { addresses, choice, history } from '../options.ts'
import type { Verb } from '../verb.ts'

export interface UpOptions {
  readonly listen?: string[]
  readonly bootstrap?: string[]
  readonly delivery?: DeliveryMode
  readonly public?: PublicMode
  readonly mailbox?: MailboxPolicy
  readonly history?: string
  readonly detach?: boolean
  /** Set by `--detach` for the process in the background. */
  readonly detached?: boolean
}

export const verb: Verb = {
  examples: [
    'sotto up',
    'sotto up --detach',
    'sotto up --listen /ip4/0.0.0.0/tcp/4001 --bootstrap /dns4/boot.example.org/tcp/4001/p2p/12D3KooW...',
  ],
  define(command, invocation) {
    command
      .option('--listen <addr...>', 'listen here (default: a free port, chosen once)', addresses('listen'))
      .option('--bootstrap <addr...>', 'find the network here (remembered)', addresses('bootstrap'))
      .option(
        '--delivery <mode>',
        'live: refuse what cannot go at once; outbox: keep it; mailbox: also leave it with theirs',
        choice(DELIVERY_MODES),
      )
      .option(
        '--public <mode>',
        'what those find who know only my account: off, account or reachable',
        choice(PUBLIC_MODES),
      )
      .option('--mailbox <whose>', 'keep mail for others who are away: contacts, all or off', choice(MAILBOX_POLICIES))
      .option('--history <time>', 'how long messages stay once they were read or delivered: off, 30d, keep', history)
      .option('--detach', 'run in the background, log to log/sotto.log')
      .addOption(new Option('--detached').hideHelp())
      .action(async (options: UpOptions) => {
        if (options.detach === true) return (await import('../detach.ts')).detach(invocation(), options)
        return (await import('../run-node.ts')).runNode(invocation(), options)
      })
  },
}
