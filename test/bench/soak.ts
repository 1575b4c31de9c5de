/**
 * `npm run soak`: whole nodes that write to each other for a while, and what they hold meanwhile. Whether memory is flat is
 * told by the slope over the second half of the time, of all people together.
 *
 *     npm run soak -- [--minutes 60] [--people 5] [--rate 5] [--out soak.json] [--plot soak.svg] [--snapshots directory]
 *     npm run soak -- --from soak.json --plot soak.svg
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { machineLine, thisMachine } from './machine.ts'
import type { Sample } from './soak/holdings.ts'
import { plotOf } from './soak/plot.ts'
import { createReport, lineOf, type SoakReport, textOf } from './soak/report.ts'
import { soak } from './soak/run.ts'

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    people: { type: 'string', default: '5' },
    rate: { type: 'string', default: '5' },
    out: { type: 'string' },
    plot: { type: 'string' },
    from: { type: 'string' },
    snapshots: { type: 'string' },
  },
})

async function measure(): Promise<SoakReport> {
  const [minutes, people, rate] = [Number(options.minutes), Number(options.people), Number(options.rate)]
  if (!(minutes > 0 && people >= 2 && rate > 0))
    throw new TypeError('minutes, people (two or more) and rate are numbers')
  if (options.snapshots !== undefined) await mkdir(options.snapshots, { recursive: true })
  const machine = thisMachine()
  process.stdout.write(`${machineLine(machine)}\n`)
  const settings = { minutes, people, rate, sampleSeconds: Math.min(60, (minutes * 60) / 12), machine }
  const samples: Sample[] = []
  const result = await soak({
    ...settings,
    ...(options.snapshots !== undefined && { snapshots: options.snapshots }),
    sampled(sample) {
      samples.push(sample)
      process.stdout.write(`${lineOf(sample)}, load ${thisMachine().load}\n`)
      // What was measured so far is there even when the machine goes down.
      write(createReport(settings, { samples, sent: sample.sent, faults: [] })).catch(() => undefined)
    },
  })
  return createReport(settings, result)
}

async function write(report: SoakReport): Promise<void> {
  if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(report, null, 1)}\n`)
}

/** A run that was measured before. */
async function reread(file: string): Promise<SoakReport> {
  const earlier = JSON.parse(await readFile(file, 'utf8')) as SoakReport
  return createReport(earlier.settings, earlier)
}

const report = options.from === undefined ? await measure() : await reread(options.from)
await write(report)
if (options.plot !== undefined) await writeFile(options.plot, plotOf(report))
process.stdout.write(textOf(report))
if (report.faults.length > 0) process.exitCode = 1
