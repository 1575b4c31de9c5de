/**
 * `npm run protections`: takes each protection out of a copy of the tree and demands that its test fails, which passes with
 * it. `--only TEXT` tries those that have the text in their name or file, `--list` only names them, `--write` writes the
 * table of docs/threat-model.md anew. Ends with 1 when a test does not fail, or fails for another reason.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { parseArgs } from 'node:util'
import { root } from '../support/source-tree.ts'
import type { Protection } from './protection.ts'
import { parts } from './table.ts'
import { withTable } from './text.ts'
import { type Outcome, runTests } from './vitest.ts'
import { createWorkspace, type Workspace } from './workspace.ts'

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, list: { type: 'boolean' }, write: { type: 'boolean' } },
})

const chosen = parts
  .flatMap(({ protections }) => protections)
  .filter(({ protection, file }) => `${protection} ${file}`.includes(options.only ?? ''))

if (options.list === true) {
  for (const { protection, file } of chosen) say(`${protection} (${file})`)
} else if (options.write === true) {
  const path = `${root}docs/threat-model.md`
  writeFileSync(path, withTable(readFileSync(path, 'utf8')))
} else {
  // Others work on this machine too.
  setPriority(5)
  const proved = await tryAll()
  say(`${proved} of ${chosen.length} protections have a test that fails without them`)
  if (proved < chosen.length || chosen.length === 0) process.exitCode = 1
}

async function tryAll(): Promise<number> {
  await using workspace = await createWorkspace()
  const unfit = await testsThatDoNotPass(workspace)
  let proved = 0
  for (const protection of chosen) {
    const problem = unfit.get(nameOf(protection)) ?? (await problemWithout(workspace, protection))
    if (problem === null) proved++
    say(problem === null ? `ok    ${protection.protection}` : `WRONG ${protection.protection}: ${problem}`)
  }
  return proved
}

/** The tests that are not there or fail with everything in its place, each with what is wrong; one run per file. */
async function testsThatDoNotPass(workspace: Workspace): Promise<ReadonlyMap<string, string>> {
  const unfit = new Map<string, string>()
  for (const [file, ofFile] of Map.groupBy(chosen, ({ test }) => test.file)) {
    const { outcomes, broken } = await runTests(
      workspace.directory,
      [file],
      [...new Set(ofFile.map(({ test }) => test.name))],
    )
    for (const protection of ofFile) {
      const own = outcomesOf(protection, outcomes)
      const failed = own.find(({ status }) => status === 'failed')
      if (failed !== undefined) unfit.set(nameOf(protection), `its test fails with it: ${firstLine(failed.message)}`)
      else if (own.length === 0) unfit.set(nameOf(protection), broken[0] ?? 'its test did not run')
    }
  }
  return unfit
}

/** Null when the test of a protection fails without it; otherwise what happened instead. */
async function problemWithout(workspace: Workspace, protection: Protection): Promise<string | null> {
  const restore = await workspace.takeOut(protection)
  try {
    const { test } = protection
    const { outcomes, broken } = await runTests(workspace.directory, [test.file], [test.name])
    if (broken[0] !== undefined) return `the program does not run without it: ${firstLine(broken[0])}`
    const failed = outcomesOf(protection, outcomes).find(({ status }) => status === 'failed')
    if (failed === undefined) return 'its test passes without it'
    // Then the edit broke the program, which shows nothing about the protection.
    return failed.message.startsWith('ReferenceError') ? firstLine(failed.message) : null
  } finally {
    await restore()
  }
}

function outcomesOf({ test }: Protection, outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter(
    ({ name, file, status }) => file === test.file && name.includes(test.name) && status !== 'skipped',
  )
}

function nameOf({ test }: Protection): string {
  return `${test.file} ${test.name}`
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
