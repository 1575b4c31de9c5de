/**
 * `npm run soak`: whole nodes that write to each other for a while, and what they hold meanwhile. Whether memory is flat is
 * told by the slope after the first sixth of the time, over all people together.
 *
 *     npm run soak -- [--minutes 60] [--people 5] [--rate 5] [--out soak.json] [--plot soak.svg] [--snapshots directory]
 *     npm run soak -- --from soak.json --plot soak.svg
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { machineLine, thisMachine } from './machine.ts'
import { plotOf } from './soak/plot.ts'
import { createReport, type SoakReport, textOf } from './soak/report.ts'
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
  const settings = { minutes, people, rate, sampleSeconds: Math.min(60, (minutes * 60) / 12) }
  const report = (result: Parameters<typeof createReport>[1]): SoakReport =>
    createReport({ ...settings, machine }, result)
  const samples: Parameters<typeof createReport>[1]['samples'][number][] = []
  const result = await soak({
    ...settings,
    ...(options.snapshots !== undefined && { snapshots: options.snapshots }),
    sampled(sample) {
      samples.push(sample)
      const { heap, resident } = sample.people[0] ?? {}
      process.stdout.write(
        `${sample.minutes.toFixed(1)} min: ${sample.sent} sent, ${sample.delivered} delivered, heap ${heap?.toFixed(1)} MiB, resident ${resident?.toFixed(0)} MiB, load ${thisMachine().load}\n`,
      )
      // What was measured so far is there even when the machine goes down.
      if (options.out !== undefined) {
        const partial = { settings, machine, samples }
        writeFile(`${options.out}.part`, JSON.stringify(partial)).catch(() => undefined)
      }
    },
  })
  return report(result)
}

const report =
  options.from === undefined ? await measure() : (JSON.parse(await readFile(options.from, 'utf8')) as SoakReport)
if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(report, null, 1)}\n`)
if (options.plot !== undefined) await writeFile(options.plot, plotOf(report))
process.stdout.write(textOf(report))
if (report.faults.length > 0) process.exitCode = 1
