import { fromUtf8, utf8 } from '../lib/bytes.ts'
import type { DeliveryMode, MailboxPolicy, PublicMode } from '../node/api.ts'
import { homePaths, inTurn, readSmall, replaceFile } from '../node/home-files.ts'
import { CliError } from './errors.ts'
import { isHistory } from './history.ts'

/** What a home remembers between runs. Keys of later versions are kept as they are. */
export interface Config {
  readonly listen?: readonly string[]
  readonly bootstrap?: readonly string[]
  readonly delivery?: DeliveryMode
  readonly public?: PublicMode
  /** For whom this node keeps a mailbox. */
  readonly mailbox?: MailboxPolicy
  /** `off`, `keep`, or a duration. */
  readonly history?: string
  readonly typing?: boolean
}

/** Settings to replace; undefined takes one away, so that the default holds again. */
export type ConfigChanges = { readonly [Key in keyof Config]: Config[Key] | undefined }

export const DELIVERY_MODES: readonly DeliveryMode[] = ['live', 'outbox', 'mailbox']
export const MAILBOX_POLICIES: readonly MailboxPolicy[] = ['contacts', 'all', 'off']
export const PUBLIC_MODES: readonly PublicMode[] = ['off', 'account', 'reachable']

/** Of `config.json`. */
export const MAX_CONFIG_BYTES: number = 64 * 1024

function isTexts(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every((each) => typeof each === 'string'))
}

function isOneOf(value: unknown, words: readonly string[]): boolean {
  return value === undefined || (typeof value === 'string' && words.includes(value))
}

/** Reads `config.json` of a home; a missing one is empty. Throws `bad-config`. */
export async function readConfig(home: string): Promise<Config> {
  const bytes = await readSmall(homePaths(home).config, MAX_CONFIG_BYTES)
  return bytes === null ? {} : parseConfig(bytes)
}

/** What the bytes of a `config.json` say. Throws `bad-config`. */
export function parseConfig(bytes: Uint8Array): Config {
  const wrong = (what: string): CliError => new CliError('bad-config', `config.json in the home is wrong: ${what}.`)
  let config: unknown
  try {
    config = JSON.parse(fromUtf8(bytes))
  } catch {
    throw wrong('it is not JSON')
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) throw wrong('it is no object')
  const fields = new Map<string, unknown>(Object.entries(config))
  for (const name of ['listen', 'bootstrap'])
    if (!isTexts(fields.get(name))) throw wrong(`"${name}" is no list of addresses`)
  if (!isOneOf(fields.get('delivery'), DELIVERY_MODES))
    throw wrong(`"delivery" is none of ${DELIVERY_MODES.join(', ')}`)
  if (!isOneOf(fields.get('public'), PUBLIC_MODES)) throw wrong(`"public" is none of ${PUBLIC_MODES.join(', ')}`)
  if (!isOneOf(fields.get('mailbox'), MAILBOX_POLICIES))
    throw wrong(`"mailbox" is none of ${MAILBOX_POLICIES.join(', ')}`)
  const history = fields.get('history')
  if (history !== undefined && !isHistory(history)) throw wrong('"history" is neither off, keep nor a duration')
  const typing = fields.get('typing')
  if (typing !== undefined && typeof typing !== 'boolean') throw wrong('"typing" is neither true nor false')
  return config
}

/** Replaces some settings, all at once or not at all, whoever else does so at the same time. Throws `bad-config`, `locked`. */
export async function updateConfig(home: string, changes: ConfigChanges): Promise<void> {
  if (Object.keys(changes).length === 0) return
  const { config: path } = homePaths(home)
  const changed = async (): Promise<string | undefined> => {
    const before = await readConfig(home)
    const config = { ...before, ...changes }
    return JSON.stringify(config) === JSON.stringify(before) ? undefined : JSON.stringify(config, null, 2)
  }
  // most starts change nothing, and a write waits for the disk
  if ((await changed()) === undefined) return
  await inTurn(path, async () => {
    const text = await changed()
    if (text !== undefined) await replaceFile(path, utf8(`${text}\n`))
  })
}
