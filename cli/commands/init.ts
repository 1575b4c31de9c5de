import { createReadStream } from 'node:fs'
import { ProtocolError } from '../../lib/errors.ts'
import { hasAccount } from '../caller.ts'
import { CliError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import type { Io } from '../io.ts'
import { NodeError } from '../../node/errors.ts'
import { readNewPassphrase } from '../passphrase.ts'
import type { Verb } from '../verb.ts'

interface Options {
  readonly name?: string
  /** Commander's form of `--no-passphrase`: false when it was given. */
  readonly passphrase: boolean
  /** A file with the 24 words, or `-`. */
  readonly recover?: string
}

const MAX_WORDS_BYTES = 4096

/** The words in a file or on standard input; never from an argument, and never asked for where they would be seen. */
async function readWords(io: Io, from: string): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  const source: AsyncIterable<Buffer> = from === '-' ? io.stdin : createReadStream(from)
  try {
    for await (const part of source) {
      parts.push(Buffer.from(part))
      length += part.length
      if (length > MAX_WORDS_BYTES) throw new CliError('usage', `Recovery words have at most ${MAX_WORDS_BYTES} bytes.`)
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('usage', `The recovery words cannot be read from the file ${from}.`, { cause: error })
  }
  const bytes = Buffer.concat(parts)
  for (const part of parts) part.fill(0)
  return bytes.toString('utf8')
}

/** What is wrong with the words, without them. */
function wrongWords(error: unknown): unknown {
  if (!(error instanceof ProtocolError) || error.code !== 'malformed') return error
  return new CliError('invalid', `These are no recovery words: ${error.message}.`, {
    hint: 'They are the 24 words that `sotto init` showed, in their order.',
  })
}

async function init({ io, home, passphrase: source, print, note }: Invocation, options: Options): Promise<void> {
  if (hasAccount(home)) throw new NodeError('account-exists', 'There is an account in this home already.')
  const secret = options.passphrase ? { passphrase: await readNewPassphrase(io, source) } : { noPassphrase: true }
  const { name, recover } = options
  const given = {
    directory: home,
    ...secret,
    ...(name === undefined ? {} : { name }),
  }
  if (recover !== undefined) {
    const words = await readWords(io, recover)
    const { account } = await io.node.createAccount({ ...given, recoveryWords: words }).catch((error: unknown) => {
      throw wrongWords(error)
    })
    print({ account, recovered: true }, account)
    note(
      '\nThis is your account on a new device, its only one: the old one is revoked\nwhen this one has been up. Contacts and messages are not in the words: add\nyour contacts by their links. They will see that you have a new device.',
    )
    return
  }
  const { account, recoveryWords } = await io.node.createAccount(given)
  print({ account, recoveryWords }, `${account}\n\n${columns(recoveryWords)}`)
  note('\nWrite these words down now. They are shown once,\nand bring the account back where there is no backup.')
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
  examples: ['sotto init --name Ada', 'sotto --home bot init --no-passphrase', 'sotto init --recover words.txt'],
  define(command, invocation) {
    command
      .option('--name <name>', 'what I call myself to others')
      .option('--no-passphrase', 'protect the home by a key file instead')
      .option('--recover <file>', 'the account of these 24 words, as a new device (- for standard input)')
      .action((options: Options) => init(invocation(), options))
  },
}
