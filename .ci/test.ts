/**
 * `npm test`: types, lint, format, unused code, then every test. A check that fails does not keep the tests from
 * running; either makes the whole fail. The last line is `N passed, N failed`, with `, N skipped` when there were any.
 * With arguments (`npm test -- test/lib`) only the tests run, and vitest gets the arguments.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Check {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

const checks: readonly Check[] = [
  { name: 'types', command: ['tsc', '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'types of lib', command: ['tsc', '--noEmit', '-p', 'lib/tsconfig.json'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['biome', 'format', '.'] },
  { name: 'unused code', command: ['knip'] },
]

interface Outcome {
  readonly code: number
  readonly output: string
}

/** Runs a program of `node_modules/.bin`; with `show` its output goes to the terminal instead of into `output`. */
function run([program, ...args]: Check['command'], show: boolean): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
      shell: process.platform === 'win32',
    })
    const chunks: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', (error) => resolve({ code: 127, output: `${error.message}; did npm ci run?\n` }))
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }))
  })
}

async function runChecks(): Promise<readonly string[]> {
  const failed: string[] = []
  const report = async (check: Check) => {
    const started = performance.now()
    const { code, output } = await run(check.command, false)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    if (code !== 0) failed.push(check.name)
    process.stdout.write(
      `${code === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${seconds} s)\n${code === 0 ? '' : output}`,
    )
  }
  // Two at a time: each is a process with threads of its own, and two cores are what CI has.
  const waiting = checks.values()
  const worker = async () => {
    for (const check of waiting) await report(check)
  }
  await Promise.all([worker(), worker()])
  return failed
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

/** Null when vitest wrote no report, as when nothing ran. */
async function runTests(args: readonly string[]): Promise<{ code: number; report: Report | null }> {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-test-'))
  try {
    const outputFile = join(directory, 'report.json')
    const reporters = ['--reporter=default', '--reporter=json', '--reporter=./.ci/skipped.ts']
    const { code } = await run(['vitest', 'run', ...reporters, `--outputFile.json=${outputFile}`, ...args], true)
    const text = await readFile(outputFile, 'utf8').catch(() => null)
    return { code, report: text === null ? null : (JSON.parse(text) as Report) }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const args = process.argv.slice(2)
const failedChecks = args.length === 0 ? await runChecks() : []
const { code, report } = await runTests(args)

const passed = report?.numPassedTests ?? 0
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)
// A file that could not be loaded or set up has no test that failed, and counts as one.
const broken = (report?.testResults ?? []).filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
).length
const failed = (report?.numFailedTests ?? 0) + broken

if (failedChecks.length > 0) process.stdout.write(`\nchecks failed: ${failedChecks.join(', ')}\n`)
if (code !== 0 && failed === 0 && passed > 0) process.stdout.write('\nan error outside of every test, shown above\n')
if (passed + failed === 0) process.stdout.write('\nno test ran\n')
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
process.exitCode = failedChecks.length > 0 || code !== 0 || failed > 0 || passed === 0 ? 1 : 0
