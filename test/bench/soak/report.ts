import { type Machine, machineLine } from '../machine.ts'
import type { Holdings, Sample } from './holdings.ts'
import type { SoakResult } from './run.ts'
import { type Trend, trendOf } from './trend.ts'

export interface SoakSettings {
  readonly people: number
  readonly minutes: number
  readonly rate: number
  readonly sampleSeconds: number
  readonly machine: Machine
}

/** A run and what follows from it, as it is written to a file. */
export interface SoakReport extends SoakResult {
  readonly version: 1
  readonly settings: SoakSettings
  /** For one person on average, per hour, after the first sixth; null when there were too few samples. */
  readonly trends: Readonly<Record<Quantity, Trend | null>>
}

export type Quantity = 'heap' | 'external' | 'resident' | 'descriptors' | 'timers' | 'handles' | 'links'

/** What is followed over time, with its unit. */
export const QUANTITIES: Readonly<Record<Quantity, string>> = {
  heap: 'MiB',
  external: 'MiB',
  resident: 'MiB',
  descriptors: '',
  timers: '',
  handles: '',
  links: '',
}

export function createReport(settings: SoakSettings, result: SoakResult): SoakReport {
  const warm = warmSamples(settings, result.samples)
  const trend = (quantity: Quantity): Trend | null => (warm.length < 3 ? null : trendOf(pointsOf(warm, quantity)))
  return {
    version: 1,
    settings,
    trends: {
      heap: trend('heap'),
      external: trend('external'),
      resident: trend('resident'),
      descriptors: trend('descriptors'),
      timers: trend('timers'),
      handles: trend('handles'),
      links: trend('links'),
    },
    ...result,
  }
}

/** Samples after the first sixth of the time, in which caches fill and code is compiled. */
export function warmSamples({ minutes }: SoakSettings, samples: readonly Sample[]): readonly Sample[] {
  return samples.filter((sample) => sample.minutes > minutes / 6)
}

/** Hours, and the mean over all people. */
function pointsOf(samples: readonly Sample[], quantity: Quantity): readonly (readonly [number, number])[] {
  return samples.map(({ minutes, people }) => [minutes / 60, meanOf(people, quantity)])
}

export function meanOf(people: readonly Holdings[], quantity: Quantity): number {
  return people.reduce((sum, each) => sum + (each[quantity] ?? 0), 0) / people.length
}

/** No slope can be told from none, or less than one part in a hundred of what is held comes per hour. */
export function isFlat({ slope, margin, last }: Trend): boolean {
  return Math.abs(slope) <= margin || Math.abs(slope) < last / 100
}

/** The report for a terminal. */
export function textOf({ settings, samples, sent, faults, trends }: SoakReport): string {
  const { people, minutes, rate, machine } = settings
  const lines = [
    machineLine(machine),
    `${people} nodes, ${minutes} minutes, ${rate} texts a second: ${sent} sent, ${samples.at(-1)?.delivered ?? 0} delivered at the last sample`,
    ...Object.entries(QUANTITIES).map(([name, unit]) => trendLine(name, unit, trends[name as Quantity])),
    faults.length === 0 ? 'every text was delivered exactly once' : `FAULTS:\n${faults.join('\n')}`,
  ]
  return `${lines.join('\n')}\n`
}

function trendLine(name: string, unit: string, trend: Trend | null): string {
  if (trend === null) return `  ${name.padEnd(12)} too few samples`
  const { slope, margin, first, last } = trend
  const verdict = isFlat(trend) ? 'flat' : 'NOT FLAT'
  return `  ${name.padEnd(12)} ${first.toFixed(1)} → ${last.toFixed(1)} ${unit}, ${slope.toFixed(2)} ± ${margin.toFixed(2)} an hour: ${verdict}`
}
