import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeModule } from '../../cli/node-module.ts'
import { runProcess } from '../../cli/process.ts'
import { createFakeNode, ME } from './fake-node.ts'

/** The command line in a process of its own, over a node that is none; `passphrase` in a home asks for the one in it. */
const module: NodeModule = {
  createNode: async ({ passphrase, logger }) => {
    logger?.info({}, passphrase === undefined ? 'opened' : `opened with ${passphrase.length} bytes`)
    return createFakeNode()
  },
  createAccount: async ({ directory, noPassphrase }) => {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'vault'), '')
    if (noPassphrase === true) writeFileSync(join(directory, 'key'), '')
    return { account: ME, recoveryWords: 'word '.repeat(24).trim() }
  },
  createBackupSeal: async () => ({ key: new Uint8Array(32), head: new Uint8Array(40) }),
  restoreBackup: () => Promise.reject(new Error('not here')),
  createBootstrap: () => Promise.reject(new Error('not here')),
  openHome: async () => ({ changePassphrase: async () => undefined, close: async () => undefined }),
  homeProtection: async (directory) => (existsSync(join(directory, 'key')) ? 'key-file' : 'passphrase'),
}

process.umask(0o077)
await runProcess(module)
