import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { Scenario } from '../../node/mesh/index.ts'
import { CliError, interruption } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { count, duration } from '../options.ts'
import { runCampaign } from '../simulate/campaign.ts'
import { junit } from '../simulate/junit.ts'
import { loadScenario } from '../simulate/load.ts'
import { createPlayer, createRemotePlayer, playForParent, type Result } from '../simulate/players.ts'
import { safeText } from '../terminal.ts'
import type { Verb } from '../verb.ts'

interface Options {
  readonly seeds: number
  readonly seed?: number
  readonly from: number
  readonly for?: number
  readonly jobs: number
  readonly junit?: string
  readonly all?: boolean
  readonly player?: boolean
}

const HOUR_MS = 3_600_000
const MAX_SEED = 999_999_999
const PROGRESS_MS = 5_000

async function simulate(invocation: Invocation, file: string, options: Options): Promise<void> {
  const scenario = await loadScenario(file)
  if (options.player === true) return playForParent(scenario)
  if (options.seed !== undefined) return replay(invocation, file, scenario, { ...options, seed: options.seed })
  const { io, note, print, verbosity } = invocation
  const began = performance.now()
  const jobs = Math.min(options.jobs, options.seeds)
  const players = Array.from({ length: jobs }, () =>
    jobs === 1 ? createPlayer(scenario) : createRemotePlayer(io.program, file),
  )
  let [done, told, virtualMs] = [0, began, 0]
  const results = await runCampaign({
    first: options.from,
    seeds: options.seeds,
    ...(options.for !== undefined && { forMs: options.for }),
    players,
    signal: io.ended,
    played(result) {
      done++
      virtualMs += result.virtualMs
      if (result.violations.length > 0) note(failure(file, result))
      if (verbosity === 'verbose') note(lineOf(result))
      if (verbosity === 'verbose' || performance.now() - told < PROGRESS_MS) return
      told = performance.now()
      note(`${done} of ${options.seeds} seeds, ${Math.round(virtualMs / HOUR_MS)} virtual hours`)
    },
  })
  if (options.junit !== undefined) await writeFile(options.junit, junit(scenario.name, results))
  const seconds = (performance.now() - began) / 1_000
  const failed = results.filter(({ violations }) => violations.length > 0)
  const messages = results.reduce((sum, each) => sum + each.messages, 0)
  const rate = virtualMs / HOUR_MS / seconds
  print(
    {
      scenario: scenario.name,
      passed: results.length - failed.length,
      failed: failed.length,
      messages,
      virtualMs,
      tookMs: Math.round(seconds * 1_000),
      virtualHoursPerSecond: Number(rate.toFixed(1)),
      seeds: results.map(({ lines, ...result }) => ({ ...result, lines: lines.length })),
    },
    `${results.length - failed.length} seeds passed, ${failed.length} failed: ${Math.round(virtualMs / HOUR_MS)} virtual hours, ` +
      `${messages} messages in ${seconds.toFixed(0)} s (${rate.toFixed(1)} virtual hours a second)`,
  )
  if (io.ended.aborted) throw interruption(io.ended)
  if (failed.length > 0) throw violated(failed.length === 1 ? 'One seed failed.' : `${failed.length} seeds failed.`)
}

/** One seed once more, with everything that happened. */
async function replay(
  { print }: Invocation,
  file: string,
  scenario: Scenario,
  options: Options & { readonly seed: number },
): Promise<void> {
  const mesh = await import('../../node/mesh/index.ts')
  const outcome = await mesh.simulate(scenario, options.seed)
  const { lines, ...rest } = outcome
  const told = mesh.timeline(lines, options.all === true ? 'everything' : 'story')
  const verdict = outcome.violations.map(({ invariant, text }) => `${invariant}: ${safeText(text)}`)
  print(
    { scenario: scenario.name, ...rest, timeline: told },
    [...told.map(safeText), ...(verdict.length === 0 ? ['All is well.'] : verdict)].join('\n'),
  )
  if (options.junit !== undefined) await writeFile(options.junit, junit(scenario.name, [{ ...outcome, tookMs: 0 }]))
  if (verdict.length > 0) throw violated(`Seed ${options.seed} of ${file} failed.`)
}

/** What a seed came to, on one line. */
function lineOf({ seed, people, virtualMs, messages, violations, tookMs }: Result): string {
  const hours = Math.round(virtualMs / HOUR_MS)
  return (
    `seed ${seed}: ${people} people, ${hours} virtual hours, ${messages} messages, ` +
    `${violations.length} violations, ${(tookMs / 1_000).toFixed(1)} s`
  )
}

function failure(file: string, { seed, violations }: Result): string {
  const shown = violations.slice(0, 5).map(({ invariant, text }) => `  ${invariant}: ${safeText(text)}`)
  const more = violations.length > shown.length ? [`  and ${violations.length - shown.length} more`] : []
  return [`seed ${seed} failed; see: sotto mesh simulate ${file} --seed ${seed}`, ...shown, ...more].join('\n')
}

function violated(message: string): CliError {
  return new CliError('failed', message)
}

export const verb: Verb = {
  examples: [
    'sotto mesh simulate day.ts --seeds 500',
    'sotto mesh simulate day.ts --seed 42',
    'sotto mesh simulate day.ts --seeds 100000 --for 1h --junit results.xml',
  ],
  define(command, invocation) {
    command
      .command('simulate')
      .description('Play a scenario with many seeds, in virtual time.')
      .argument('<file>', 'a scenario, in TypeScript or JavaScript')
      .option('--seeds <n>', 'so many seeds', count(1, MAX_SEED), 100)
      .option('--seed <s>', 'only this seed, and tell everything that happens', count(0, MAX_SEED))
      .option('--from <s>', 'the first seed', count(0, MAX_SEED), 1)
      .option('--for <duration>', 'begin no seed after that time', duration)
      .option('--jobs <n>', 'so many processes', count(1, 256), availableParallelism())
      .option('--junit <file>', 'write the results as JUnit XML')
      .option('--all', 'with --seed: tell of every message and write, too')
      .addOption(command.createOption('--player').hideHelp())
      .action((file: string, options: Options) => simulate(invocation(), file, options))
  },
}
