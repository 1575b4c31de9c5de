import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveApi } from '../../cli/server.ts'
import { runCli, temporaryHome } from './cli.ts'
import { createFakeNode, fakeAccount } from './fake-node.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {} }
/** Names that a shell would run or break, were they ever read as more than a word. */
export const HOSTILE = '$(touch pwned)`touch pwned2`'
const CONTACTS = [
  { petname: 'bob' },
  { petname: 'Ada Lovelace', account: fakeAccount('a') },
  { petname: HOSTILE, account: fakeAccount('c') },
  { petname: 'hidden\u202e', account: fakeAccount('d') },
  { petname: 'carol', account: fakeAccount('e'), state: 'requested' },
] as const
/** Names of groups are others' to choose. */
const GROUPS = [{ name: 'Trip to Rome' }, { name: '--as' }, { name: 'turned\u202e', state: 'requested' }] as const

/** Whether a shell is installed. */
export const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0

/** A home whose node answers, and the script that a shell reads. */
export interface Shell extends AsyncDisposable {
  readonly home: string
  /** A directory that is empty unless a shell did what a name says. */
  readonly directory: string
  readonly script: string
}

export async function shellScript(shell: string): Promise<Shell> {
  const scope = await temporaryHome()
  const directory = await mkdtemp(join(tmpdir(), 'sotto-complete-'))
  const node = createFakeNode({ contacts: CONTACTS, groups: GROUPS })
  node.receive('bob', 'hi')
  const server = await serveApi({ home: scope.home, node, env: {}, stop: () => {}, logger: silent })
  const { stdout } = await runCli(['completion', shell], scope)
  const script = join(scope.home, `completion.${shell}`)
  await writeFile(script, stdout)
  return {
    home: scope.home,
    directory,
    script,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await scope[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}
