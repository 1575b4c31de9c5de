import { stat } from 'node:fs/promises'
import { utf8, wipe } from '../../lib/bytes.ts'
import { NodeError } from '../../node/errors.ts'
import {
  type BackupPassphraseOptions,
  backupPassphraseOptions,
  backupSource,
  OF_THE_BACKUP,
} from '../backup-passphrase.ts'
import { hasAccount } from '../caller.ts'
import { parseConfig, readConfig, updateConfig } from '../config.ts'
import { CliError, interruption } from '../errors.ts'
import { formatTime } from '../format.ts'
import type { Invocation } from '../invocation.ts'
import { readNewPassphrase, readPassphrase } from '../passphrase.ts'
import { counted, formatBytes, showProgress } from '../progress.ts'
import type { Verb } from '../verb.ts'

interface Options extends BackupPassphraseOptions {
  /** Commander's form of `--no-passphrase`: false when it was given. */
  readonly passphrase: boolean
}

async function restore(invocation: Invocation, file: string, options: Options): Promise<void> {
  const { io, home, passphrase: ofHome, print, note } = invocation
  const source = backupSource(options)
  if (hasAccount(home)) throw new NodeError('account-exists', 'There is an account in this home already.')
  if ((await stat(file).catch(() => null)) === null) {
    throw new CliError('not-found', `There is no file ${file}.`, { hint: 'Name a file that "sotto backup" wrote.' })
  }
  const backupPassphrase = await readPassphrase(io, source, OF_THE_BACKUP)
  const secret = options.passphrase
    ? { passphrase: await readNewPassphrase(io, ofHome, NEW_HOME) }
    : { noPassphrase: true }
  if (io.ended.aborted) throw interruption(io.ended)
  let done = ''
  const { settings, ...restored } = await (async () => {
    using _progress = showProgress(invocation, () => (done === '' ? undefined : done))
    return await io.node.restoreBackup(file, {
      directory: home,
      backupPassphrase,
      ...secret,
      signal: io.ended,
      onProgress({ bytes, totalBytes }) {
        done = `${formatBytes(bytes)} of ${formatBytes(totalBytes)} read`
      },
    })
  })().catch((error: unknown) => {
    throw io.ended.aborted ? interruption(io.ended) : error
  })
  wipe(backupPassphrase)
  if (settings !== undefined) await restoreSettings(invocation, settings)
  const { account, contacts, messages, takenAt } = restored
  print(
    { account, restored: true, contacts, messages, takenAt },
    `${account}\n${counted(contacts, 'contact')}, ${counted(messages, 'message')}, as of ${formatTime(takenAt)}`,
  )
  note(
    '\nThis is your account on a new device, its only one: the old one is revoked\nwhen this one has been up (sotto up). Do not start the old one again. Contacts\nsee that you have a new device; those who verified you have to confirm it.\nWhat came after the backup is not here.',
  )
}

const NEW_HOME = {
  missing: 'The new home needs a passphrase.',
  hint: 'Give one with --passphrase-file FILE or --passphrase-fd N, or choose --no-passphrase.',
  none: 'For none, use --no-passphrase.',
  question: 'New passphrase, of this home: ',
}

/** What the new home says already holds. Settings that cannot be read are of a newer version, and no reason to fail. */
async function restoreSettings({ home, note }: Invocation, text: string): Promise<void> {
  try {
    await updateConfig(home, { ...parseConfig(utf8(text)), ...(await readConfig(home)) })
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'bad-config') throw error
    note('The settings of the backup cannot be read; the defaults hold.')
  }
}

export const verb: Verb = {
  examples: [
    'sotto restore /media/stick/ada.backup',
    'sotto --home new restore ada.backup',
    'sotto restore ada.backup --no-passphrase --backup-passphrase-file phrase.txt',
  ],
  define(command, invocation) {
    backupPassphraseOptions(
      command
        .argument('<file>', 'a file that "sotto backup" wrote')
        .option('--no-passphrase', 'protect the home by a key file instead'),
    ).action((file: string, options: Options) => restore(invocation(), file, options))
  },
}
