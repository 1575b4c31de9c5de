import { rm, stat } from 'node:fs/promises'
import { fromUtf8, toHex, wipe } from '../../lib/bytes.ts'
import { assertFree, besideOf, putInPlace } from '../../node/backup/place.ts'
import { homePaths, readSmall } from '../../node/home-files.ts'
import {
  type BackupPassphraseOptions,
  backupPassphraseOptions,
  backupSource,
  NEW_BACKUP,
} from '../backup-passphrase.ts'
import { callHome } from '../caller.ts'
import { MAX_CONFIG_BYTES } from '../config.ts'
import { interruption } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { readNewPassphrase } from '../passphrase.ts'
import { counted, formatBytes, showProgress } from '../progress.ts'
import type { Verb } from '../verb.ts'

interface Options extends BackupPassphraseOptions {
  readonly force?: boolean
}

async function backup(invocation: Invocation, file: string, options: Options): Promise<void> {
  const { io, home, print, note } = invocation
  const { force = false } = options
  const source = backupSource(options)
  await assertFree(file, force)
  await using caller = await callHome(invocation)
  const passphrase = await readNewPassphrase(io, source, NEW_BACKUP)
  const { head, key } = await io.node.createBackupSeal(passphrase)
  wipe(passphrase)
  const config = await readSmall(homePaths(home).config, MAX_CONFIG_BYTES)
  const beside = await besideOf(file)
  const ended = Promise.withResolvers<never>()
  const end = (): void => ended.reject(interruption(io.ended))
  if (io.ended.aborted) throw interruption(io.ended)
  io.ended.addEventListener('abort', end, { once: true })
  try {
    using _progress = showProgress(invocation, async () => {
      const written = await stat(beside).catch(() => null)
      return written === null ? undefined : `${formatBytes(written.size)} written`
    })
    const seal = { head: toHex(head), key: toHex(key) }
    const settings = config === null ? {} : { settings: fromUtf8(config) }
    const writing = caller.call('backup.write', { file: beside, ...seal, ...settings }, { signal: io.ended })
    const { contacts, messages, bytes } = await Promise.race([writing, ended.promise])
    await putInPlace(beside, file, force)
    const what = `${counted(contacts, 'contact')}, ${counted(messages, 'message')}, ${formatBytes(bytes)}`
    print({ file, contacts, messages, bytes }, `${file}: ${what}`)
    note('Keep it where this machine cannot be lost with it. What comes from now on is not in it.')
  } finally {
    wipe(key)
    io.ended.removeEventListener('abort', end)
    await rm(beside, { force: true })
  }
}

export const verb: Verb = {
  examples: [
    'sotto backup /media/stick/ada.backup',
    'sotto backup ada.backup --force',
    'sotto backup ada.backup --backup-passphrase-file phrase.txt',
  ],
  define(command, invocation) {
    backupPassphraseOptions(
      command
        .argument('<file>', 'the file to write: contacts, conversations, the account; sealed')
        .option('--force', 'replace a file of that name'),
    ).action((file: string, options: Options) => backup(invocation(), file, options))
  },
}
