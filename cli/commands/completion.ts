import { Option } from 'commander'
import { callRunning } from '../caller.ts'
import { completionScript, SHELLS, type Shell } from '../completion.ts'
import { CliError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { choice } from '../options.ts'
import { safeLine } from '../terminal.ts'
import type { Verb } from '../verb.ts'

/** Somebody waits for the key to do something. */
const PATIENCE_MS = 1000
const OFFERED_MESSAGES = 20

/** What can stand there, one a line: names of contacts, or ids of the last messages. Silent when no node runs. */
async function offer(invocation: Invocation, kind: 'who' | 'id'): Promise<void> {
  try {
    await using caller = await callRunning(invocation)
    const signal = AbortSignal.any([invocation.io.ended, AbortSignal.timeout(PATIENCE_MS)])
    const contacts = await caller.call('contact.list', {}, { signal })
    const requests = kind === 'id' ? [] : await caller.call('contact.requests', {}, { signal })
    const messages = kind === 'who' ? [] : contacts
    const lists = messages.map(({ account: who }) =>
      caller.call('message.list', { who, last: OFFERED_MESSAGES }, { signal }),
    )
    const ids = (await Promise.all(lists)).flat().map(({ id }) => id)
    // a name that is not shown as it is cannot be typed either
    const names = [...contacts, ...requests].flatMap(({ petname, account }) =>
      petname === safeLine(petname) && petname !== '' ? [petname] : [account],
    )
    const words = kind === 'who' ? names : ids
    invocation.io.stdout.write(words.map((word) => `${word}\n`).join(''))
  } catch {
    // a key that completes nothing is no place for a message
  }
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
      .addOption(new Option('--candidates <kind>').choices(['who', 'id']).hideHelp())
      .action(async (shell: Shell | undefined, options: { candidates?: 'who' | 'id' }) => {
        if (options.candidates !== undefined) return offer(invocation(), options.candidates)
        if (shell === undefined) throw new CliError('usage', `It takes a shell: ${SHELLS.join(', ')}.`)
        const script = await completionScript(shell, invocation)
        invocation().print({ shell, script }, script.trimEnd())
      })
  },
}
