import { hasAccount } from '../caller.ts'
import type { Invocation } from '../invocation.ts'
import { NodeError } from '../../node/errors.ts'
import { readNewPassphrase } from '../passphrase.ts'
import type { Verb } from '../verb.ts'

interface Options {
  readonly name?: string
  /** Commander's form of `--no-passphrase`: false when it was given. */
  readonly passphrase: boolean
}

async function init({ io, home, passphrase: source, print, note }: Invocation, options: Options): Promise<void> {
  if (hasAccount(home)) throw new NodeError('account-exists', 'There is an account in this home already.')
  const secret = options.passphrase ? { passphrase: await readNewPassphrase(io, source) } : { noPassphrase: true }
  const { account, recoveryWords } = await io.node.createAccount({
    directory: home,
    ...secret,
    ...(options.name === undefined ? {} : { name: options.name }),
  })
  print({ account, recoveryWords }, `${account}\n\n${columns(recoveryWords)}`)
  note('\nWrite these words down now. They are shown once,\nand are the only way to get the account back.')
}

function columns(words: string): string {
  const numbered = words.split(' ').map((word, at) => `${String(at + 1).padStart(2)} ${word.padEnd(9)}`)
  const lines = []
  for (let at = 0; at < numbered.length; at += 3)
    lines.push(
      numbered
        .slice(at, at + 3)
        .join(' ')
        .trimEnd(),
    )
  return lines.join('\n')
}

export const verb: Verb = {
  examples: ['sotto init', 'sotto init --name Ada', 'sotto --home bot init --no-passphrase'],
  define(command, invocation) {
    command
      .option('--name <name>', 'what I call myself to others')
      .option('--no-passphrase', 'protect the home by a key file instead')
      .action((options: Options) => init(invocation(), options))
  },
}
