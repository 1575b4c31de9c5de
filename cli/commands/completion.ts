import { Option } from 'commander'
import { callRunning } from '../caller.ts'
import { CANDIDATES, type Candidates, completionScript, SHELLS, type Shell } from '../completion.ts'
import type { Caller } from '../client.ts'
import { CliError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { choice } from '../options.ts'
import { safeLine } from '../terminal.ts'
import type { Verb } from '../verb.ts'

/** Somebody waits for the key to do something. */
const PATIENCE_MS = 1000
const OFFERED_MESSAGES = 20

/** What can stand there, one a line: names of contacts and groups, or ids of the last messages. Silent when no node runs. */
async function offer(invocation: Invocation, kind: Candidates): Promise<void> {
  try {
    await using caller = await callRunning(invocation)
    const signal = AbortSignal.any([invocation.io.ended, AbortSignal.timeout(PATIENCE_MS)])
    const words = kind === 'id' ? await ids(caller, signal) : await names(caller, kind, signal)
    invocation.io.stdout.write(words.map((word) => `${word}\n`).join(''))
  } catch {
    // a key that completes nothing is no place for a message
  }
}

async function names(caller: Caller, kind: Candidates, signal: AbortSignal): Promise<readonly string[]> {
  const withPeople = kind !== 'group'
  const withGroups = kind !== 'person'
  const [contacts, requests, groups, groupRequests] = await Promise.all([
    withPeople ? caller.call('contact.list', {}, { signal }) : [],
    withPeople ? caller.call('contact.requests', {}, { signal }) : [],
    withGroups ? caller.call('group.list', {}, { signal }) : [],
    withGroups ? caller.call('group.requests', {}, { signal }) : [],
  ])
  return [
    ...[...contacts, ...requests].map(({ petname, account }) => (isTypeable(petname) ? petname : account)),
    ...[...groups, ...groupRequests].map(({ name, group }) => (isTypeable(name) ? name : group)),
  ]
}

/** A name that is not shown as it is cannot be typed either, and one that others chose must not pass for a flag. */
function isTypeable(name: string): boolean {
  return name === safeLine(name) && name !== '' && !name.startsWith('-')
}

async function ids(caller: Caller, signal: AbortSignal): Promise<readonly string[]> {
  const [contacts, groups] = await Promise.all([
    caller.call('contact.list', {}, { signal }),
    caller.call('group.list', {}, { signal }),
  ])
  const conversations = [...contacts.map(({ account }) => account), ...groups.map(({ group }) => group)]
  const lists = conversations.map((who) => caller.call('message.list', { who, last: OFFERED_MESSAGES }, { signal }))
  return (await Promise.all(lists)).flat().flatMap(({ id, kind }) => (kind === 'group-op' ? [] : [id]))
}

export const verb: Verb = {
  examples: [
    'source <(sotto completion bash)',
    'sotto completion zsh > ~/.zfunc/_sotto',
    'sotto completion fish > ~/.config/fish/completions/sotto.fish',
  ],
  define(command, invocation) {
    command
      .argument('[shell]', `one of ${SHELLS.join(', ')}`, choice(SHELLS))
      .addOption(new Option('--candidates <kind>').choices(CANDIDATES).hideHelp())
      .action(async (shell: Shell | undefined, options: { candidates?: Candidates }) => {
        if (options.candidates !== undefined) return offer(invocation(), options.candidates)
        if (shell === undefined) throw new CliError('usage', `It takes a shell: ${SHELLS.join(', ')}.`)
        const script = await completionScript(shell, invocation)
        invocation().print({ shell, script }, script.trimEnd())
      })
  },
}
