import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { METHODS } from '../../cli/schema/methods.ts'
import { LOOPBACK, openScene, type Running, type Scene } from '../support/processes.ts'
import { read, root } from '../support/source-tree.ts'
import { withReference } from './text.ts'

const run = promisify(execFile)
const text = read('docs/api.md')

/** The texts of the code blocks of a language. */
function blocks(language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map((match) => match[1] ?? '')
}

test('docs/api.md is what npm run docs writes', () => {
  expect(text === withReference(text), 'run: npm run docs').toBe(true)
})

test('every method has its example, and all examples are JSON', () => {
  const methods = blocks('json')
    .map((block) => JSON.parse(block) as { method: string })
    .map(({ method }) => method)
  expect(methods.filter((method) => method !== 'event').sort()).toEqual(Object.keys(METHODS).sort())
})

describe('the programs in docs/api.md, against a running node', () => {
  let scene: Scene
  let node: Running
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    scene = await openScene()
    const ada = await scene.settle('ada')
    node = await ada.up(['--listen', LOOPBACK])
    const programs = join(scene.directory, 'bin')
    await mkdir(programs)
    await writeFile(join(programs, 'sotto'), `#!/bin/sh\nexec '${root}cli/sotto' "$@"\n`)
    await chmod(join(programs, 'sotto'), 0o755)
    env = { ...process.env, SOTTO_HOME: ada.home, PATH: `${programs}:${process.env['PATH']}` }
  })
  afterAll(() => scene?.[Symbol.asyncDispose]())

  /** What the program prints, when it ends with success. */
  async function said(program: string, ...words: string[]): Promise<string> {
    const { stdout } = await run(program, words, { env, timeout: 25_000 })
    return stdout
  }

  test('the commands print the account, the status, the contacts, and refuse with an exit code', async () => {
    const [commands = ''] = blocks('sh')
    const [account, status, refused] = (await said('sh', '-ec', commands)).trimEnd().split('\n')
    expect(account).toBe(`I am ${node.ready.account}`)
    expect(JSON.parse(status ?? '')).toMatchObject({ schemaVersion: 1, account: node.ready.account, up: true })
    expect(refused).toBe('refused with 1')
  })

  test('nc writes to the socket', async (context) => {
    const help = spawnSync('nc', ['-h'], { encoding: 'utf8' })
    if (!/^\s*-N\b/m.test(`${help.stdout}${help.stderr}`)) {
      return context.skip('there is no nc of netcat-openbsd, so the example with it in docs/api.md was not run')
    }
    const answer: unknown = JSON.parse(await said('sh', '-ec', blocks('sh')[1] ?? ''))
    expect(answer).toMatchObject({ jsonrpc: '2.0', id: 1, result: { account: node.ready.account } })
  })

  test('Python asks, is refused, and follows the events', async (context) => {
    const [program = ''] = blocks('python')
    if (spawnSync('python3', ['--version']).status !== 0) {
      return context.skip('there is no python3, so the example in docs/api.md was not run')
    }
    expect(await said('python3', '-c', program)).toBe(
      [`I am ${node.ready.account}`, 'refused: not-found', 'known: []', ''].join('\n'),
    )
  })
})
