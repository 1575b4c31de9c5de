import { InvalidArgumentError } from 'commander'
import { type Config, type ConfigChanges, DELIVERY_MODES, MAILBOX_POLICIES, PUBLIC_MODES } from './config.ts'
import { CliError } from './errors.ts'
import { historyMode } from './history.ts'
import type { Io } from './io.ts'
import type { NodeOptions } from './node-module.ts'
import { addresses, choice, history } from './options.ts'

/** The keys of `config set` that hold for the whole home. */
export type SettingKey = keyof Config
export type SettingValue = NonNullable<Config[SettingKey]>
/** `call`: set while the node runs, and nowhere else. */
export type Origin = 'flag' | 'environment' | 'file' | 'default' | 'call'

/** One setting of `up`: how it is written, and what holds when nobody says anything. */
interface Setting<K extends SettingKey> {
  /** The variable of the environment. */
  readonly variable: string
  /** Throws `InvalidArgumentError` with what it should be. */
  parse(text: string): NonNullable<Config[K]>
  /** Left out for what is decided when the node starts. */
  readonly usual?: NonNullable<Config[K]>
}

function addressList(use: 'listen' | 'bootstrap'): (text: string) => string[] {
  const add = addresses(use)
  return (text) => text.split(/[\s,]+/).reduce<string[]>((list, each) => (each === '' ? list : add(each, list)), [])
}

function onOff(text: string): boolean {
  return choice(['on', 'off'])(text) === 'on'
}

const SETTINGS: { readonly [K in SettingKey]-?: Setting<K> } = {
  listen: { variable: 'SOTTO_LISTEN', parse: addressList('listen') },
  bootstrap: { variable: 'SOTTO_BOOTSTRAP', parse: addressList('bootstrap'), usual: [] },
  delivery: { variable: 'SOTTO_DELIVERY', parse: choice(DELIVERY_MODES), usual: 'outbox' },
  public: { variable: 'SOTTO_PUBLIC', parse: choice(PUBLIC_MODES), usual: 'account' },
  mailbox: { variable: 'SOTTO_MAILBOX', parse: choice(MAILBOX_POLICIES), usual: 'off' },
  history: { variable: 'SOTTO_HISTORY', parse: history, usual: 'keep' },
  typing: { variable: 'SOTTO_TYPING', parse: onOff, usual: true },
}

export const SETTING_KEYS: readonly SettingKey[] = [
  'listen',
  'bootstrap',
  'delivery',
  'public',
  'mailbox',
  'history',
  'typing',
]

export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(SETTINGS, key)
}

/** A setting as it holds, and where from; without a value for what is decided when the node starts. */
export interface Decided {
  readonly key: SettingKey
  readonly value?: SettingValue
  readonly origin: Origin
}

/** Flag before environment before file before default. Throws `usage` for a wrong variable. */
export function decideSettings(flags: Config, env: Io['env'], file: Config): readonly Decided[] {
  return SETTING_KEYS.map((key) => {
    const flag = flags[key]
    if (flag !== undefined) return { key, value: flag, origin: 'flag' }
    const { variable, usual } = SETTINGS[key]
    const text = env[variable]
    if (text !== undefined && text !== '') {
      return { key, value: parseSetting(key, text, `${variable} in the environment`), origin: 'environment' }
    }
    const kept = file[key]
    if (kept !== undefined) return { key, value: kept, origin: 'file' }
    return { key, origin: 'default', ...(usual === undefined ? {} : { value: usual }) }
  })
}

/** What a text means as the value of a setting. Throws `usage`. */
export function parseSetting(key: SettingKey, text: string, name: string = key): SettingValue {
  try {
    const value: SettingValue = SETTINGS[key].parse(text)
    return value
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new CliError('usage', `${name} is wrong. ${error.message}`)
  }
}

/** The change of one setting, by text; `default` takes it away. Throws `usage`. */
export function changeOf(key: SettingKey, text: string): ConfigChanges {
  return { [key]: text === 'default' ? undefined : parseSetting(key, text) }
}

/** The settings of which somebody said something, without those that only hold by default. */
export function chosen(decided: readonly Decided[]): Config {
  return Object.fromEntries(decided.flatMap(({ key, value, origin }) => (origin === 'default' ? [] : [[key, value]])))
}

/** A configuration as the node takes it. */
export function nodeSettings(config: Config): Partial<NodeOptions> {
  const { listen, bootstrap, delivery, public: visible, mailbox, history: kept, typing } = config
  return {
    ...(listen === undefined ? {} : { listen: [...listen] }),
    ...(bootstrap === undefined ? {} : { bootstrap: [...bootstrap] }),
    ...(delivery === undefined ? {} : { delivery }),
    ...(visible === undefined ? {} : { public: visible }),
    ...(mailbox === undefined ? {} : { mailbox }),
    ...(kept === undefined ? {} : { history: historyMode(kept) }),
    ...(typing === undefined ? {} : { typing }),
  }
}

/** A value on one line, as `config set` takes it. */
export function formatSetting(value: SettingValue | undefined): string {
  if (value === undefined) return '(chosen when the node starts)'
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return typeof value === 'string' ? value : value.join(' ')
}
