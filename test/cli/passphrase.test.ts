import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { NodeModule } from '../../cli/node-module.ts'
import { seedFromWords } from '../../lib/identity/words.ts'
import { NodeError } from '../../node/errors.ts'
import type { Protection } from '../../node/home.ts'
import { type Ran, runCli, temporaryHome } from '../support/cli.ts'
import { ME } from '../support/fake-node.ts'
import { containing } from '../support/matchers.ts'

/** Types into the prompts of `sotto init`. */
async function init(
  home: string,
  typed: string,
): Promise<Ran & { given: string | undefined; raw: readonly boolean[] }> {
  const raw: boolean[] = []
  const keyboard = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) })
  keyboard.write(typed)
  let given: string | undefined
  const ran = await runCli(['init'], {
    home,
    typed: keyboard,
    module: {
      createAccount: async ({ passphrase }) => {
        given = Buffer.from(passphrase ?? '').toString()
        return { account: ME, recoveryWords: 'a b c' }
      },
    },
  })
  return { ...ran, given, raw }
}

test('a new passphrase is typed twice, unseen', async () => {
  await using scope = await temporaryHome(false)
  const ran = await init(scope.home, 'öpen sesame\röpen sesame\r')
  expect(ran).toMatchObject({ code: 0, given: 'öpen sesame', raw: [true, false, true, false] })
  expect(ran.stdout + ran.stderr).not.toContain('sesame')
})

test('backspace takes a whole character, Ctrl-U the line', async () => {
  await using scope = await temporaryHome(false)
  expect(await init(scope.home, 'wrong\u0015abö\u007fc\rabc\r')).toMatchObject({ code: 0, given: 'abc' })
  expect(await init(scope.home, '\u007f\u007fa\ra\r')).toMatchObject({ code: 0, given: 'a' })
})

test('two that differ and an empty one are refused', async () => {
  await using scope = await temporaryHome(false)
  expect(await init(scope.home, 'one\rtwo\r')).toMatchObject({ code: 2, stderr: containing('differ') })
  expect(await init(scope.home, '\r\r')).toMatchObject({ code: 2, stderr: containing('--no-passphrase') })
})

test('Ctrl-C ends with 130 and gives the terminal back', async () => {
  await using scope = await temporaryHome(false)
  expect(await init(scope.home, 'abc\u0003')).toMatchObject({ code: 130, given: undefined, raw: [true, false] })
})

describe('passphrase', () => {
  interface Changed {
    readonly opened: { directory: string; passphrase?: string }
    readonly current: string | undefined
    readonly next: Protection
  }

  /** Runs `sotto passphrase` on a home that opens by `old`, or by a key file. */
  async function change(
    argv: readonly string[],
    options: { kind?: 'passphrase' | 'key-file'; typed?: string; module?: Partial<NodeModule> } = {},
  ): Promise<Ran & { changed: Changed | undefined }> {
    await using scope = await temporaryHome()
    let opened: Changed['opened'] | undefined
    let changed: Changed | undefined
    const keyboard = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
    keyboard.write(options.typed ?? '')
    const ran = await runCli(argv, {
      ...scope,
      ...(options.typed === undefined ? {} : { typed: keyboard }),
      module: {
        homeProtection: async () => options.kind ?? 'passphrase',
        openHome: async (directory, { passphrase }) => {
          opened = { directory, ...(passphrase === undefined ? {} : { passphrase }) }
          if (passphrase === 'wrong') throw new NodeError('wrong-passphrase', 'the passphrase does not open this home')
          return {
            changePassphrase: async (current, next) => {
              changed = { opened: { directory, ...opened }, current, next }
            },
            close: async () => undefined,
          }
        },
        ...options.module,
      },
    })
    return { ...ran, changed }
  }

  test('asks for the old one, then twice for the new one', async () => {
    const ran = await change(['passphrase'], { typed: 'old\rnew\rnew\r' })
    expect(ran).toMatchObject({ code: 0, changed: { current: 'old', next: { passphrase: 'new' } } })
    expect(ran.stdout + ran.stderr).not.toMatch(/\bold\b|new\r/)
  })

  test('asks for no new one when the old one is wrong', async () => {
    const ran = await change(['passphrase'], { typed: 'wrong\rnew\rnew\r' })
    expect(ran).toMatchObject({ code: 1, changed: undefined })
    expect(ran.stderr).not.toContain('New passphrase')
  })

  test('takes both from files, and none at all with --remove', async () => {
    await using scope = await temporaryHome()
    const old = join(scope.home, 'old')
    const next = join(scope.home, 'next')
    await writeFile(old, 'öld\n')
    await writeFile(next, 'nëw\n')
    const given = await change(['--json', '--passphrase-file', old, 'passphrase', '--new-passphrase-file', next])
    expect(given).toMatchObject({ code: 0, changed: { current: 'öld', next: { passphrase: 'nëw' } } })
    expect(given.stdout).toBe('{"schemaVersion":1,"protection":"passphrase"}\n')
    const removed = await change(['--json', '--passphrase-file', old, 'passphrase', '--remove'])
    expect(removed).toMatchObject({ code: 0, changed: { current: 'öld', next: { noPassphrase: true } } })
    expect(removed.stdout).toBe('{"schemaVersion":1,"protection":"key-file"}\n')
    const added = await change(['passphrase', '--new-passphrase-file', next], { kind: 'key-file' })
    expect(added).toMatchObject({ code: 0, changed: { current: undefined, next: { passphrase: 'nëw' } } })
  })

  test('never asks where nobody is, and refuses two sources', async () => {
    expect(await change(['--json', 'passphrase'])).toMatchObject({ code: 2, stderr: containing('passphrase-needed') })
    expect(await change(['--json', 'passphrase'], { kind: 'key-file' })).toMatchObject({
      code: 2,
      stderr: containing('--new-passphrase-file'),
    })
    expect(await change(['passphrase', '--remove', '--new-passphrase-fd', '9'])).toMatchObject({ code: 2 })
  })

  test('says who uses the home when a node runs on it', async () => {
    const locked = async (): Promise<never> => {
      throw new NodeError('locked', 'the process 17 uses this home', { hint: 'stop it' })
    }
    const ran = await change(['--json', 'passphrase', '--remove'], { kind: 'key-file', module: { openHome: locked } })
    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: containing('"code":"locked"') })
  })
})

describe('init --recover', () => {
  const WORDS = `${'abandon '.repeat(23)}art`

  async function recover(argv: readonly string[], stdin?: string): Promise<Ran & { words: string | undefined }> {
    await using scope = await temporaryHome(false)
    let words: string | undefined
    const ran = await runCli(argv, {
      ...scope,
      ...(stdin === undefined ? {} : { stdin }),
      module: {
        createAccount: async ({ recoveryWords = '' }) => {
          words = recoveryWords
          seedFromWords(recoveryWords)
          return { account: ME, recoveryWords }
        },
      },
    })
    return { ...ran, words }
  }

  test('takes the words from a file or from standard input, and shows them nowhere', async () => {
    await using scope = await temporaryHome(false)
    const file = join(scope.home, 'words')
    await writeFile(file, `${WORDS}\n`)
    for (const ran of [
      await recover(['--json', 'init', '--no-passphrase', '--recover', file]),
      await recover(['--json', 'init', '--no-passphrase', '--recover', '-'], `\n ${WORDS.toUpperCase()}  \n`),
    ]) {
      expect(ran).toMatchObject({ code: 0, stderr: '' })
      expect(ran.stdout).toBe(`${JSON.stringify({ schemaVersion: 1, account: ME, recovered: true })}\n`)
    }
    const human = await recover(['init', '--no-passphrase', '--recover', file])
    expect(human.stderr).toContain('new device')
    expect(human.stdout + human.stderr).not.toContain('abandon')
  })

  test.each([
    ['a word that is none', `${'abandon '.repeat(23)}xylophon`, 'word 24'],
    ['too few words', 'abandon abandon', '24 words, got 2'],
    ['words that do not belong together', 'abandon '.repeat(24), 'do not belong together'],
  ])('refuses %s without repeating it', async (_, words, text) => {
    const ran = await recover(['init', '--no-passphrase', '--recover', '-'], words)
    expect(ran).toMatchObject({ code: 2, stdout: '', stderr: containing(text) })
    expect(ran.stderr).not.toMatch(/abandon|xylophon/)
  })

  test('refuses what is no file, or too large', async () => {
    expect((await recover(['init', '--no-passphrase', '--recover', '/nowhere'])).code).toBe(2)
    expect((await recover(['init', '--no-passphrase', '--recover', '-'], 'x'.repeat(5000))).code).toBe(2)
  })
})
