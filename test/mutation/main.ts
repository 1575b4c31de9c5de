/**
 * `npm run mutate [-- crypto session identity] [-- --survivors]`: changes `lib` in every small way that Stryker knows, one
 * at a time, and counts the changes that no test notices. See docs/mutation.md. Results are kept in `node_modules/.cache`,
 * so that another run tries only what a changed file or test could have changed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'

interface Mutant {
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: { readonly line: number } }
}
interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>
}

const STRYKER = join(import.meta.dirname, 'node_modules/@stryker-mutator/core/bin/stryker.js')
const CONFIG = join(import.meta.dirname, 'stryker.config.ts')
const CACHE = 'node_modules/.cache/sotto-mutation'

function report(folder: string): Report {
  const result = spawnSync(
    process.execPath,
    [STRYKER, 'run', CONFIG, '--mutate', `lib/${folder}/**/*.ts`, '--incrementalFile', `${CACHE}/${folder}.json`],
    {
      stdio: 'inherit',
      // The primitives themselves are tested on both implementations, what stands on them only on the faster one.
      env: { ...process.env, PRIMITIVES: folder === 'crypto' ? 'both' : 'native' },
    },
  )
  if (result.status !== 0) throw new Error(`the run over lib/${folder} did not end well`)
  return JSON.parse(readFileSync(`${CACHE}/mutation.json`, 'utf8')) as Report
}

function row(folder: string, mutants: readonly Mutant[]): string {
  const count = (...statuses: readonly string[]) => mutants.filter(({ status }) => statuses.includes(status)).length
  const dead = count('Killed', 'Timeout')
  const alive = count('Survived', 'NoCoverage')
  const texts = count('Ignored')
  const percent = (of: number) => ((100 * dead) / of).toFixed(1)
  const cells = [folder, mutants.length, count('Killed'), count('Timeout'), alive, texts, count('RuntimeError')]
  return `| ${[...cells, percent(dead + alive), percent(dead + alive + texts)].join(' | ')} |`
}

function survivors({ files }: Report): string[] {
  return Object.entries(files).flatMap(([file, { source, mutants }]) =>
    mutants
      .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
      .map(({ location, mutatorName, replacement = '' }) => {
        const { line } = location.start
        return `${file}:${line} ${mutatorName} → ${replacement}\n    ${source.split('\n')[line - 1]?.trim() ?? ''}`
      }),
  )
}

if (!existsSync(STRYKER)) throw new Error('run this first: npm --prefix test/mutation ci')
setPriority(10)
const args = process.argv.slice(2)
const named = args.filter((arg) => !arg.startsWith('--'))
const folders = named.length > 0 ? named : ['crypto', 'session', 'identity']
const rows: string[] = []
const alive: string[] = []
for (const folder of folders) {
  const done = report(folder)
  rows.push(
    row(
      folder,
      Object.values(done.files).flatMap(({ mutants }) => mutants),
    ),
  )
  alive.push(...survivors(done))
}
if (args.includes('--survivors')) process.stdout.write(`${alive.join('\n')}\n\n`)
process.stdout.write('| folder | mutants | killed | timed out | survived | texts | errors | score % | with texts % |\n')
process.stdout.write(`|---|---|---|---|---|---|---|---|---|\n${rows.join('\n')}\n`)
