import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Runs as a process of its own: changes how the home named by its first argument opens, and is killed instead of its nth
 * step on the disk. Says how many steps it took when it lives to the end.
 */
const [directory = '', from = '', to = '', nth = '0'] = process.argv.slice(2)
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
for (const name of ['open', 'rename', 'rm', 'unlink'] as const) Reflect.set(files, name, counted(files[name] as never))
syncBuiltinESMExports()

const { openHome } = await import('../../node/home.ts')
const home = await openHome(directory, {
  cost: { memoryKiB: 8, passes: 1, lanes: 1 },
  ...(from !== '' && { passphrase: from }),
})
counting = true
await home.changePassphrase(from === '' ? undefined : from, to === '' ? { noPassphrase: true } : { passphrase: to })
counting = false
await home.close()
process.stdout.write(`${steps}\n`)
