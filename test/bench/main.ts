/**
 * `npm run bench`: every row of work beside its physical limit, in one run. Each implementation has a process of its own,
 * and rounds are interleaved, so the ratios hold on a machine that is not quiet; the absolute figures are this machine's.
 *
 *     npm run bench -- [--quick] [--only ratchet,delivery] [--out figures.json] [--profile directory]
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { machineLine, thisMachine } from './machine.ts'
import { type Benchmark, isMet, type Row } from './row.ts'
import { appends } from './rows/appends.ts'
import { bigGroup } from './rows/big-group.ts'
import { connect } from './rows/connect.ts'
import { delivery } from './rows/delivery.ts'
import { groupOfFew, groupOfMany } from './rows/group.ts'
import { history } from './rows/history.ts'
import { hostile } from './rows/hostile.ts'
import { idle } from './rows/idle.ts'
import { pushes, puts, recovery } from './rows/mailbox.ts'
import { pipelined } from './rows/pipelined.ts'
import { burst, pingPong } from './rows/ratchet.ts'
import { setUp } from './rows/set-up.ts'
import { start } from './rows/start.ts'
import { tableOf } from './table.ts'
import { PROFILE_VARIABLE } from './worker.ts'

const benchmarks: Readonly<Record<string, Benchmark>> = {
  burst,
  'ping-pong': pingPong,
  'set-up': setUp,
  delivery,
  pipelined,
  appends,
  history,
  connect,
  start,
  idle,
  hostile,
  puts,
  pushes,
  recovery,
  group: groupOfFew,
  'group-50': groupOfMany,
  'group-256': bigGroup,
}

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    out: { type: 'string' },
    profile: { type: 'string' },
  },
})

const chosen = options.only?.split(',') ?? Object.keys(benchmarks)
const unknown = chosen.filter((name) => !(name in benchmarks))
if (unknown.length > 0) {
  process.stderr.write(`no row is called ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}\n`)
  process.exit(2)
}
if (options.profile !== undefined) {
  await mkdir(options.profile, { recursive: true })
  process.env[PROFILE_VARIABLE] = resolve(options.profile)
}

const machine = thisMachine()
process.stdout.write(`${machineLine(machine)}\n\n`)
const rows: Row[] = []
for (const name of chosen) {
  const before = thisMachine().load
  const row = await (benchmarks[name] as Benchmark)({ quick: options.quick })
  const load = `load ${before} before, ${thisMachine().load} after`
  rows.push({ ...row, notes: [...(row.notes ?? []), load] })
  process.stdout.write(`${tableOf(rows.slice(-1))}\n`)
}
const judged = rows.map((row) => ({
  ...row,
  targets: row.targets.map((target) => ({ ...target, met: isMet(target) })),
}))
const aims = judged.flatMap(({ targets }) => targets.flatMap(({ met }) => met ?? []))
process.stdout.write(`${aims.filter(Boolean).length} of ${aims.length} aims met\n`)
if (options.out !== undefined) {
  const result = { version: 1, quick: options.quick, machine, rows: judged }
  await writeFile(options.out, `${JSON.stringify(result, null, 2)}\n`)
}
