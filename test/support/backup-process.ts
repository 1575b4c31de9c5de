import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Runs as a process of its own: backs the home named by its second argument up into a file, or restores it from one, and is
 * killed instead of its nth step on the disk. Says how many steps it took when it lives to the end.
 */
const [what = '', directory = '', file = '', nth = '0'] = process.argv.slice(2)
let steps = 0
let counting = false

function step(): void {
  if (!counting) return
  steps += 1
  if (steps === Number(nth)) process.kill(process.pid, 'SIGKILL')
}

function counted<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => R {
  return function (this: unknown, ...args: A): R {
    step()
    return work.apply(this, args)
  }
}

const handle = await files.open(process.execPath)
const prototype = Object.getPrototypeOf(handle) as object
for (const name of ['write', 'writeFile', 'sync', 'chmod', 'truncate']) {
  Reflect.set(prototype, name, counted(Reflect.get(prototype, name) as Parameters<typeof counted>[0]))
}
await handle.close()
for (const name of ['open', 'rename', 'link', 'rm', 'unlink'] as const) {
  Reflect.set(files, name, counted(files[name] as never))
}
syncBuiltinESMExports()

const { createBackup, createNode, restoreBackup } = await import('../../node/index.ts')
const passphrase = 'of the backup'
if (what === 'backup') {
  const node = await createNode({ directory, network: 'none' })
  counting = true
  await createBackup(node, file, { passphrase, cost: { memoryKiB: 8, passes: 1, lanes: 1 } })
  counting = false
  await node.stop()
} else {
  counting = true
  await restoreBackup(file, { directory, backupPassphrase: passphrase, noPassphrase: true, onProgress: step })
}
process.stdout.write(`${steps}\n`)
