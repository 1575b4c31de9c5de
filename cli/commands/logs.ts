import { join } from 'node:path'
import { homePaths } from '../../node/home-files.ts'
import { CliError, interruption } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { followLines, lastLines } from '../log-files.ts'
import { formatLogLine, readLogLine } from '../log-lines.ts'
import { count } from '../options.ts'
import { LOG_FILE } from '../rotating-file.ts'
import type { Verb } from '../verb.ts'

interface Options {
  readonly last: number
  readonly follow?: boolean
}

async function logs({ io, home, print }: Invocation, { last, follow }: Options): Promise<void> {
  const path = join(homePaths(home).log, LOG_FILE)
  const show = (text: string): void => {
    const line = readLogLine(text)
    const { time, level, said, fields } = line
    print({ ...(time === undefined ? {} : { time }), level, said, ...fields }, formatLogLine(line))
  }
  const told = await lastLines(path, last)
  if (told === null && follow !== true) {
    throw new CliError('no-node', 'No node in the background has written a log in this home.', {
      hint: 'One that does: sotto up --detach',
    })
  }
  for (const line of told?.lines ?? []) show(line)
  if (follow !== true) return
  for await (const line of followLines(path, io.ended, told?.end)) {
    show(line)
    if (io.stdout.errored) return
  }
  throw interruption(io.ended)
}

export const verb: Verb = {
  examples: ['sotto logs', 'sotto logs --last 500', 'sotto --json logs --follow'],
  define(command, invocation) {
    command
      .option('--last <n>', 'so many lines', count(1, 100_000), 50)
      .option('--follow', 'go on with what comes')
      .action((options: Options) => logs(invocation(), options))
  },
}
