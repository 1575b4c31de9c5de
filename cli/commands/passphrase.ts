import { Option } from 'commander'
import { LOCK_WAIT_MS, unlockOptions } from '../caller.ts'
import { CliError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { fileDescriptor } from '../options.ts'
import { type PassphraseSource, readNewPassphrase } from '../passphrase.ts'
import type { Verb } from '../verb.ts'

interface Options {
  readonly newPassphraseFile?: string
  readonly newPassphraseFd?: number
  readonly remove?: boolean
}

function sourceOf({ newPassphraseFile: file, newPassphraseFd: fd, remove }: Options): PassphraseSource {
  const given = [file, fd, remove].filter((each) => each !== undefined)
  if (given.length > 1) {
    throw new CliError('usage', '--new-passphrase-file, --new-passphrase-fd and --remove exclude each other.')
  }
  return { ...(file === undefined ? {} : { file }), ...(fd === undefined ? {} : { fd }) }
}

function textOf(passphrase: string | Uint8Array): string {
  return typeof passphrase === 'string' ? passphrase : Buffer.from(passphrase).toString('utf8')
}

async function change(invocation: Invocation, options: Options): Promise<void> {
  const { io, home: directory, print } = invocation
  const source = sourceOf(options)
  const { passphrase } = await unlockOptions(invocation)
  const current = passphrase === undefined ? undefined : textOf(passphrase)
  // Opened first: who types the old one wrong is not asked for a new one.
  const home = await io.node.openHome(directory, {
    waitMs: LOCK_WAIT_MS,
    ...(current === undefined ? {} : { passphrase: current }),
  })
  try {
    if (options.remove === true) {
      await home.changePassphrase(current, { noPassphrase: true })
      print({ protection: 'key-file' }, 'This home opens without a passphrase now, by the file "key" in it.')
      return
    }
    const next = await readNewPassphrase(io, source, {
      missing: 'No new passphrase was given.',
      hint: 'Give one with --new-passphrase-file FILE or --new-passphrase-fd N, or run this on a terminal.',
      none: 'For none, use --remove.',
    })
    await home.changePassphrase(current, { passphrase: textOf(next) })
    next.fill(0)
    print({ protection: 'passphrase' }, 'The passphrase was changed.')
  } finally {
    await home.close()
  }
}

export const verb: Verb = {
  examples: [
    'sotto passphrase',
    'sotto --passphrase-file old passphrase --new-passphrase-file new',
    'sotto passphrase --remove',
  ],
  define(command, invocation) {
    command
      .option('--new-passphrase-file <file>', 'read the new passphrase from a file')
      .addOption(
        new Option('--new-passphrase-fd <n>', 'read the new one from a file descriptor').argParser(fileDescriptor),
      )
      .option('--remove', 'protect the home by a key file instead')
      .action((options: Options) => change(invocation(), options))
  },
}
