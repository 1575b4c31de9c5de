import { callHome, connectRunning, hasAccount } from '../caller.ts'
import type { Caller } from '../client.ts'
import { readConfig, updateConfig } from '../config.ts'
import { formatDuration, parseDuration } from '../duration.ts'
import { CliError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { groupName } from '../names.ts'
import { nearest } from '../nearest.ts'
import type { Params } from '../api.ts'
import {
  changeOf,
  type Decided,
  decideSettings,
  formatSetting,
  isSettingKey,
  parseSetting,
  SETTING_KEYS,
  type SettingKey,
} from '../settings.ts'
import { NodeError } from '../../node/errors.ts'
import { safeLine } from '../terminal.ts'
import type { Verb } from '../verb.ts'

/** Settings of one conversation: `receipts.bob`. */
const CONTACT_KEYS = ['receipts', 'expires'] as const

function assertAccount({ home }: Invocation): void {
  if (!hasAccount(home)) throw new NodeError('no-account', 'There is no account in this home yet.')
}

/** What the running node uses, or else what one would that is started here. */
async function decidedFor({ home, io, note }: Invocation): Promise<readonly Decided[]> {
  await using running = await connectRunning(home)
  const file = await readConfig(home)
  if (running === undefined) return decideSettings({}, io.env, file)
  const settings = await running.call('node.settings', {}, { signal: io.ended })
  const decided = settings.flatMap(({ key, value, origin }): Decided[] =>
    isSettingKey(key) ? [{ key, origin, ...(value !== undefined && { value: parseSetting(key, value) }) }] : [],
  )
  const waiting = decideSettings({}, {}, file).flatMap(({ key, value }) => {
    const now = decided.find((each) => each.key === key)
    // the node itself writes down what it learns of these while it runs
    if (key === 'bootstrap') return []
    const holdsFile = now?.origin === 'file' || now?.origin === 'default'
    return holdsFile && value !== undefined && formatSetting(value) !== formatSetting(now.value) ? [key] : []
  })
  if (waiting.length > 0)
    note(`Changed since the node started, which takes it when it starts again: ${waiting.join(', ')}`)
  return decided
}

async function show(invocation: Invocation, withOrigin: boolean): Promise<void> {
  const { json, print } = invocation
  assertAccount(invocation)
  const decided = await decidedFor(invocation)
  if (json) {
    const shown = decided.map(({ key, value, origin }) => [key, withOrigin ? { value, origin } : value] as const)
    print(Object.fromEntries(shown.filter(([, value]) => value !== undefined)), '')
    return
  }
  const lines = decided.map(({ key, value, origin }) => {
    const line = `${key.padEnd(10)} ${formatSetting(value)}`
    return (withOrigin ? `${line}  (${origin})` : line).trimEnd()
  })
  print({}, lines.join('\n'))
}

function unknownKey(key: string): CliError {
  const keys = [...SETTING_KEYS, ...CONTACT_KEYS.map((each) => `${each}.WHO`)]
  const meant = nearest(key.split('.')[0] ?? '', [...SETTING_KEYS, ...CONTACT_KEYS])
  const hint = CONTACT_KEYS.some((each) => each === meant) ? `${meant}.WHO` : meant
  return new CliError('usage', `There is no setting "${key}".`, {
    hint: hint === undefined ? `There are: ${keys.join(', ')}` : `Did you mean ${hint}?`,
  })
}

/** What a value of a contact's setting asks for. */
function contactSettings(name: (typeof CONTACT_KEYS)[number], text: string): Omit<Params<'contact.configure'>, 'who'> {
  if (name === 'expires') return { expires: text === 'off' ? null : lifetime(text) }
  if (text !== 'on' && text !== 'off') throw new CliError('usage', `receipts is wrong. It is one of on, off.`)
  return { receipts: text === 'on' }
}

function lifetime(text: string): number {
  const ms = parseDuration(text)
  if (ms === 0) throw new CliError('usage', 'expires is wrong. It is off or a duration, for example 30d.')
  return ms
}

async function setForContact(
  invocation: Invocation,
  name: (typeof CONTACT_KEYS)[number],
  who: string,
  text: string,
): Promise<void> {
  const settings = contactSettings(name, text)
  await using caller = await callHome(invocation)
  const { group } = await caller.call('conversation.get', { who }, { signal: invocation.io.ended })
  if (group !== undefined) {
    await setForGroup(invocation, caller, group.group, settings)
    return
  }
  const contact = await caller.call('contact.configure', { who, ...settings }, { signal: invocation.io.ended })
  const { account, petname, receipts, expires } = contact
  invocation.print(
    { key: `${name}.${petname}`, account, receipts, ...(expires === undefined ? {} : { expires }) },
    `${name} with ${safeLine(petname)}: ${text}`,
  )
}

/** The timer of a group, which holds for everybody in it. */
async function setForGroup(
  { io, print }: Invocation,
  caller: Caller,
  group: string,
  { expires }: ReturnType<typeof contactSettings>,
): Promise<void> {
  if (expires === undefined) {
    throw new CliError('usage', 'Receipts are set for a contact, not for a group.', {
      hint: 'See: sotto config --help',
    })
  }
  const now = await caller.call('group.configure', { group, expires }, { signal: io.ended })
  print(
    { key: `expires.${now.name}`, group, ...(now.expires === undefined ? {} : { expires: now.expires }) },
    `expires in ${groupName(now)}: ${now.expires === undefined ? 'off' : formatDuration(now.expires)}`,
  )
}

async function setForHome(invocation: Invocation, key: SettingKey, text: string): Promise<void> {
  const { home, io, print, note } = invocation
  assertAccount(invocation)
  const change = changeOf(key, text)
  await updateConfig(home, change)
  await using running = await connectRunning(home)
  const isNow = running !== undefined && key === 'typing'
  if (isNow) await running.call('node.configure', { typing: change.typing ?? true }, { signal: io.ended })
  const value = change[key]
  print(
    { key, ...(value === undefined ? {} : { value }) },
    `${key} ${value === undefined ? 'default' : formatSetting(value)}`,
  )
  if (running !== undefined && !isNow) note('The running node takes it when it starts again: sotto down, sotto up')
}

async function set(invocation: Invocation, key: string, text: string): Promise<void> {
  const [name = '', ...rest] = key.split('.')
  const forContact = CONTACT_KEYS.find((each) => each === name)
  const who = rest.join('.')
  if (forContact !== undefined && who !== '') return setForContact(invocation, forContact, who, text)
  if (!isSettingKey(key)) throw unknownKey(key)
  return setForHome(invocation, key, text)
}

export const verb: Verb = {
  examples: ['sotto config show --origin', 'sotto config set receipts.bob off', 'sotto config set delivery live'],
  define(command, invocation) {
    command
      .command('show')
      .description('The settings of the node that runs on this home, or that one would have.')
      .option('--origin', 'where each comes from: flag, environment, file or default')
      .action((options: { origin?: boolean }) => show(invocation(), options.origin === true))
    command
      .command('set')
      .description(
        `Changes one: ${SETTING_KEYS.join(', ')} (all "default" again), receipts.WHO on|off, expires.WHO DURATION|off (WHO may be a group of mine).`,
      )
      .argument('<key>', 'which')
      .argument('<value>', 'to what; addresses separated by spaces or commas')
      .action((key: string, value: string) => set(invocation(), key, value))
  },
}
