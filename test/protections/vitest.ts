import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** How one test ended. */
export interface Outcome {
  /** Its own title behind those of its groups, with spaces between, as vitest compares them with `-t`. */
  readonly name: string
  readonly file: string
  readonly status: 'passed' | 'failed' | 'skipped'
  /** Why it failed. */
  readonly message: string
}

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** What a run came to: its tests, and the files that could not be loaded at all. */
export interface Run {
  readonly outcomes: readonly Outcome[]
  readonly broken: readonly string[]
}

/** Runs the tests of some files in a directory; with `names` only those that have one of them in their name. */
export async function runTests(directory: string, files: readonly string[], names?: readonly string[]): Promise<Run> {
  const report = join(directory, '.protections-report.json')
  await rm(report, { force: true })
  const filter = names === undefined ? [] : ['-t', names.map(escaped).join('|')]
  const args = ['run', ...files, ...filter, '--reporter=json', `--outputFile=${report}`, '--cache=false']
  await finished(join(directory, 'node_modules/.bin/vitest'), args, directory)
  const { testResults } = JSON.parse(await readFile(report, 'utf8')) as Report
  return {
    outcomes: testResults.flatMap(({ name: file, assertionResults }) =>
      assertionResults.map(({ fullName, status, failureMessages }) => ({
        name: fullName,
        file: file.slice(directory.length + 1),
        status: status === 'passed' || status === 'failed' ? status : 'skipped',
        message: failureMessages.join('\n'),
      })),
    ),
    broken: testResults
      .filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some(isFailed))
      .map(({ message }) => message),
  }
}

function isFailed({ status }: { readonly status: string }): boolean {
  return status === 'failed'
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function finished(program: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: 'ignore' })
    child.on('error', reject)
    child.on('close', () => resolve())
  })
}
