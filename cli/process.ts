import { CliError } from './errors.ts'
import type { NodeModule } from './node-module.ts'
import { run } from './program.ts'

/** After a signal everything is flushed and ended; what takes longer is cut off. */
const END_MS = 4500

/** A signal that fires with the first of the system's signals that ask for the end. */
function listenForEnd(): AbortSignal {
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
  return ended.signal
}

/** Runs the command line of this process to its end, and ends the process. */
export async function runProcess(node: NodeModule): Promise<void> {
  const { env, stdin, stdout, stderr, argv, execPath, execArgv } = process
  const ended = listenForEnd()
  // a reader that went away (head, a closed terminal) is its own affair
  stdout.on('error', () => {})
  stderr.on('error', () => {})
  // a node does not end because a part of it forgot to look at a failure, but nobody shall miss it
  process.on('unhandledRejection', (reason) => {
    stderr.write(`sotto: a failure went unnoticed: ${reason instanceof Error ? reason.stack : 'no error'}\n`)
  })
  const program = [execPath, ...execArgv, argv[1] ?? '']
  const exitCode = await run(argv.slice(2), { env, stdin, stdout, stderr, ended, program, node })
  // explicitly, behind the last byte of output: the network leaves timers
  stdout.write('', () => stderr.write('', () => process.exit(exitCode)))
}
