import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { has, type Shell, shellScript } from '../support/completion-shell.ts'
import { noTmux, openTerminal, type Terminal } from '../support/tmux.ts'

const PROGRAM = fileURLToPath(new URL('../../cli/sotto', import.meta.url))

/** How somebody sets a shell up for completion, as `sotto completion --help` and the README say. */
const SHELLS: Readonly<Record<string, { start: string; setUp(shell: Shell): Promise<readonly string[]> }>> = {
  'bash, with an alias': {
    start: 'bash --norc --noprofile -i',
    setUp: async ({ script }) => [`alias sotto=${PROGRAM}`, `source ${script}`],
  },
  'zsh, sourced': {
    start: 'zsh -f',
    setUp: async ({ script }) => [
      `path+=(${dirname(PROGRAM)})`,
      'autoload -Uz compinit && compinit -u -D',
      `source ${script}`,
    ],
  },
  'zsh, from a file in fpath': {
    start: 'zsh -f',
    async setUp({ script, home }) {
      const functions = join(home, 'zfunc')
      await mkdir(functions)
      await copyFile(script, join(functions, '_sotto'))
      return [`alias sotto=${PROGRAM}`, `fpath=(${functions} $fpath)`, 'autoload -Uz compinit && compinit -u -D']
    },
  },
  fish: {
    start: 'env XDG_CONFIG_HOME=$PWD/config fish',
    async setUp({ script, directory }) {
      const completions = join(directory, 'config', 'fish', 'completions')
      await mkdir(completions, { recursive: true })
      await copyFile(script, join(completions, 'sotto.fish'))
      return [`set -gx PATH ${dirname(PROGRAM)} $PATH`]
    },
  },
}

/** Types a line and a tab, and empties the line again when the screen shows what came of it. */
async function completes(terminal: Terminal, line: string, expected: string): Promise<void> {
  await terminal.type(line)
  await terminal.press('Tab')
  await terminal.shows(expected)
  await terminal.press('C-u', 'C-l')
  await terminal.hides(expected)
}

describe.each(Object.entries(SHELLS))('%s', (name, how) => {
  const shell = name.split(',')[0] ?? name

  test('completes commands, flags and names at the tabulator', async (context) => {
    if (noTmux !== undefined) return context.skip(noTmux)
    if (!has(shell)) return context.skip(`${shell} is not installed`)
    await using scope = await shellScript(shell)
    const lines = await how.setUp(scope)
    await using terminal = await openTerminal({ columns: 160 })
    for (const line of [`cd ${scope.directory} && clear && exec ${how.start}`, ...lines]) {
      await terminal.type(line)
      await terminal.press('Enter')
    }
    await completes(terminal, 'sotto requ', 'sotto requests')
    await completes(terminal, 'sotto log --fol', 'sotto log --follow')
    await completes(terminal, 'sotto mailbox st', 'sotto mailbox status')
    const home = `sotto --home ${scope.home}`
    await completes(terminal, `${home} send b`, 'send bob')
    await completes(terminal, `${home} send Ad`, 'send Ada\\ Lovelace')
    // a name that would do something, were it read as more than a word
    await completes(terminal, `${home} send \\$`, 'pwned2')
    expect((await readdir(scope.directory)).filter((file) => file.startsWith('pwned'))).toEqual([])
  }, 60_000)
})
