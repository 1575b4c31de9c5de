import { type Command, Option } from 'commander'
import { CliError } from './errors.ts'
import { fileDescriptor } from './options.ts'
import type { NewPassphraseTexts, PassphraseSource, PassphraseTexts } from './passphrase.ts'

export interface BackupPassphraseOptions {
  readonly backupPassphraseFile?: string
  readonly backupPassphraseFd?: number
}

const HINT = 'Give it with --backup-passphrase-file FILE or --backup-passphrase-fd N, or run this on a terminal.'

/** A backup has a passphrase of its own: it lies in other places than the home, and longer. */
export const NEW_BACKUP: NewPassphraseTexts = {
  missing: 'A backup needs a passphrase of its own.',
  hint: HINT,
  none: 'It may be that of the home, typed again.',
  question: 'New passphrase, of the backup: ',
}

export const OF_THE_BACKUP: PassphraseTexts = {
  question: 'Passphrase of the backup: ',
  missing: 'The backup is protected by a passphrase.',
  hint: HINT,
}

/** The flags that say where the passphrase of a backup comes from. */
export function backupPassphraseOptions(command: Command): Command {
  return command
    .option('--backup-passphrase-file <file>', 'read the passphrase of the backup from a file')
    .addOption(new Option('--backup-passphrase-fd <n>', 'read it from a file descriptor').argParser(fileDescriptor))
}

/** Throws `usage` when both are given. */
export function backupSource({
  backupPassphraseFile: file,
  backupPassphraseFd: fd,
}: BackupPassphraseOptions): PassphraseSource {
  if (file !== undefined && fd !== undefined) {
    throw new CliError('usage', '--backup-passphrase-file and --backup-passphrase-fd exclude each other.')
  }
  return { ...(file === undefined ? {} : { file }), ...(fd === undefined ? {} : { fd }) }
}
