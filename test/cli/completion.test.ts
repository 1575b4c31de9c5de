import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { VERBS } from '../../cli/verbs.ts'
import { runCli, temporaryHome } from '../support/cli.ts'
import { has, HOSTILE, type Shell, shellScript } from '../support/completion-shell.ts'
import { fakeGroupId } from '../support/fake-groups.ts'
import { fakeAccount } from '../support/fake-node.ts'

const run = promisify(execFile)
const PROGRAM = fileURLToPath(new URL('../../cli/sotto', import.meta.url))
/** What bash offers for the last of the words. */
async function completeInBash({ script, directory }: Shell, ...words: readonly string[]): Promise<string[]> {
  const program = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sotto
    for each in "\${COMPREPLY[@]}"; do printf '%s\\n' "$each"; done`
  const { stdout } = await run('bash', ['--norc', '-c', program, 'bash', script, PROGRAM, ...words], { cwd: directory })
  return stdout.split('\n').filter((line) => line !== '')
}

describe('bash', () => {
  test('completes every command, and the flags of one', async () => {
    await using shell = await shellScript('bash')
    expect(await completeInBash(shell, '')).toEqual(VERBS.map(({ name }) => name))
    expect(await completeInBash(shell, 're')).toEqual(expect.arrayContaining(['requests', 'react', 'read']))
    expect(await completeInBash(shell, '--json', 'log', '--')).toEqual(
      expect.arrayContaining(['--last', '--since', '--follow', '--json']),
    )
    expect(await completeInBash(shell, 'log', '--fo')).toEqual(['--follow'])
    expect(await completeInBash(shell, 'completion', 'z')).toEqual(['zsh'])
  })

  test('completes what belongs to a command of several: names, flags and people', async () => {
    await using shell = await shellScript('bash')
    const home = ['--home', shell.home]
    expect(await completeInBash(shell, 'mailbox', '')).toEqual(['status', 'use', 'drop'])
    expect(await completeInBash(shell, '--json', 'config', 's')).toEqual(['show', 'set'])
    expect(await completeInBash(shell, 'config', 'show', '--or')).toEqual(['--origin'])
    expect(await completeInBash(shell, 'mesh', 'simulate', '--see')).toEqual(['--seeds', '--seed'])
    expect(await completeInBash(shell, 'mesh', 'simulate', '--pl')).toEqual([])
    expect(await completeInBash(shell, ...home, 'mailbox', 'use', 'b')).toEqual(['bob'])
    expect(await completeInBash(shell, ...home, 'mailbox', 'use', 'bob', '')).toEqual([])
    expect(await completeInBash(shell, 'mailbox', HOSTILE, '')).toEqual([])
    expect(await completeInBash(shell, ...home, 'log', '--last', '5', 'b')).toEqual(['bob'])
    expect(await completeInBash(shell, ...home, 'log', '--last', '')).toEqual([])
    expect(await completeInBash(shell, '--home', '=', shell.home, 'log', 'b')).toEqual(['bob'])
    expect(await readdir(shell.directory)).toEqual([])
  })

  test('completes the names of contacts as words, whatever they are, and runs nothing of them', async () => {
    await using shell = await shellScript('bash')
    const home = ['--home', shell.home]
    expect(await completeInBash(shell, ...home, 'send', 'b')).toEqual(['bob'])
    expect(await completeInBash(shell, ...home, 'send', 'A')).toEqual(['Ada\\ Lovelace'])
    const offered = await completeInBash(shell, ...home, 'chat', '')
    expect(offered).toContain(fakeAccount('d'))
    expect(offered).toContain('carol')
    expect(offered).toContain('Trip\\ to\\ Rome')
    // what others chose must not pass for a flag, and what is not shown as it is cannot be typed
    expect(offered).not.toContain('--as')
    expect(offered).toEqual(expect.arrayContaining([fakeGroupId(2), fakeGroupId(3)]))
    expect(offered).toContain('\\$\\(touch\\ pwned\\)\\`touch\\ pwned2\\`')
    expect(await readdir(shell.directory)).toEqual([])
  })

  test('completes the parts of group: groups first, people behind them', async () => {
    await using shell = await shellScript('bash')
    const home = ['--home', shell.home]
    expect(await completeInBash(shell, 'group', 'r')).toEqual(['remove', 'role', 'rename'])
    expect(await completeInBash(shell, ...home, 'group', 'info', 'T')).toEqual(['Trip\\ to\\ Rome'])
    expect(await completeInBash(shell, ...home, 'group', 'info', 'b')).toEqual([])
    expect(await completeInBash(shell, ...home, 'group', 'add', 'Trip to Rome', 'bob', 'A')).toEqual(['Ada\\ Lovelace'])
    expect(await completeInBash(shell, ...home, 'group', 'create', 'T', 'T')).toEqual([])
    expect(await completeInBash(shell, ...home, 'group', 'create', 'T', 'b')).toEqual(['bob'])
    expect(await completeInBash(shell, ...home, 'group', 'transfer', 'trip', 'b')).toEqual(['bob'])
    expect(await completeInBash(shell, ...home, 'group', 'transfer', 'trip', 'bob', 'b')).toEqual([])
    expect(await completeInBash(shell, ...home, 'group', 'rename', 'trip', '')).toEqual([])
    expect(await completeInBash(shell, 'group', 'add', '--ad')).toEqual(['--admin'])
    expect(await readdir(shell.directory)).toEqual([])
  })

  test('completes the ids of messages', async () => {
    await using shell = await shellScript('bash')
    expect(await completeInBash(shell, '--home', shell.home, 'react', '')).toEqual(['0'.repeat(32)])
  })

  test('says nothing where no node runs', async () => {
    await using shell = await shellScript('bash')
    await using nowhere = await temporaryHome()
    expect(await completeInBash(shell, '--home', nowhere.home, 'send', '')).toEqual([])
    const ran = await runCli(['completion', '--candidates', 'who'], nowhere)
    expect(ran).toEqual({ code: 0, stdout: '', stderr: '' })
  })
})

describe('zsh', () => {
  test('reads its script, and offers commands and names', async (context) => {
    if (!has('zsh')) return context.skip('zsh is not installed')
    await using shell = await shellScript('zsh')
    // outside of its line editor there is no completion: what the script calls is put in its place
    const program = `compdef() { : }; compadd() { shift; print -rl -- "$@" }; _describe() { print -rl -- $commands }
      _files() { : }; source "$1"; shift; words=("$@"); CURRENT=$#words; _sotto`
    const complete = async (...words: readonly string[]): Promise<string> => {
      const { stdout } = await run('zsh', ['-f', '-c', program, 'zsh', shell.script, PROGRAM, ...words], {
        cwd: shell.directory,
      })
      return stdout
    }
    expect(await complete('')).toContain('log:show a conversation\n')
    expect(await complete('log', '--')).toContain('--follow\n')
    expect(await complete('mailbox', '')).toBe('status\nuse\ndrop\n')
    expect(await complete('config', 'show', '--')).toContain('--origin\n')
    const names = await complete('--home', shell.home, 'send', '')
    expect(names).toContain('Ada Lovelace\n')
    expect(names).toContain(`${HOSTILE}\n`)
    expect(names).toContain('Trip to Rome\n')
    expect(await complete('--home', shell.home, 'group', 'info', '')).toMatch(/^Trip to Rome\n/)
    expect(await complete('--home', shell.home, 'group', 'add', 'x', 'bob', '')).toContain('Ada Lovelace\n')
    expect(await readdir(shell.directory)).toEqual([])
  })
})

describe('fish', () => {
  test('reads its script, and offers commands and names', async (context) => {
    if (!has('fish')) return context.skip('fish is not installed')
    await using shell = await shellScript('fish')
    const complete = async (line: string): Promise<string> => {
      const program = `function sotto; '${PROGRAM}' $argv; end; source '${shell.script}'; complete -C '${line}'`
      const { stdout } = await run('fish', ['--no-config', '-c', program], {
        cwd: shell.directory,
        env: { PATH: process.env['PATH'], HOME: shell.directory, LC_ALL: 'C.UTF-8', XDG_CACHE_HOME: shell.home },
      })
      return stdout
    }
    expect(await complete('sotto lo')).toContain('log\tshow a conversation\n')
    expect(await complete('sotto log --fo')).toContain('--follow')
    expect(await complete('sotto mailbox u')).toContain('use\t')
    expect(await complete(`sotto --home ${shell.home} group info Tr`)).toContain('Trip to Rome')
    expect(await complete(`sotto --home ${shell.home} group add x bob Ad`)).toContain('Ada Lovelace')
    expect(await complete('sotto config show --or')).toContain('--origin')
    const names = await complete(`sotto --home ${shell.home} send `)
    expect(names.split('\n')).toEqual(expect.arrayContaining(['bob', 'Ada Lovelace', HOSTILE, fakeAccount('d')]))
    // what was typed before decides, not what else looks like a command
    expect(await complete(`sotto --home=${shell.home} log --last 5 b`)).toBe('bob\n')
    expect(await complete(`sotto --home ${shell.home} send bob `)).not.toContain('carol')
    expect(await complete(`sotto --home ${shell.home} send log --`)).not.toContain('--follow')
    expect((await readdir(shell.directory)).filter((name) => name.startsWith('pwned'))).toEqual([])
  })
})
