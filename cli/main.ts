import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { xdgDirectory } from './home.ts'
import { nodeModule } from './node-module.ts'

// before anything is opened: LevelDB and others create files for everybody
process.umask(0o077)
// compiled code of this user, in a directory of this user: the usual place below /tmp can be prepared by others
enableCompileCache(join(xdgDirectory(process.env, 'XDG_CACHE_HOME', '.cache'), 'sotto', 'compiled'))

const { CliError } = await import('./errors.ts')
const { run } = await import('./program.ts')

/** After a signal everything is flushed and ended; what takes longer is cut off. */
const END_MS = 4500
const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (ended.signal.aborted) return
    ended.abort(new CliError('interrupted', `Interrupted by ${signal}.`))
    setTimeout(() => {
      process.stderr.write('sotto: it did not end in time and was cut off.\n')
      process.exit(1)
    }, END_MS).unref()
  })
}
// a reader that went away (head, a closed terminal) is its own affair
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})
// a node does not end because a part of it forgot to look at a failure, but nobody shall miss it
process.on('unhandledRejection', (reason) => {
  process.stderr.write(`sotto: a failure went unnoticed: ${reason instanceof Error ? reason.stack : 'no error'}\n`)
})

const { env, stdin, stdout, stderr } = process
const exitCode = await run(process.argv.slice(2), { env, stdin, stdout, stderr, ended: ended.signal, node: nodeModule })
// explicitly, behind the last byte of output: the network leaves timers
stdout.write('', () => stderr.write('', () => process.exit(exitCode)))
