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
  /** Over the second half, when every cache is full: whether something grows without end. */
  readonly trends: Trends
  /** After the first sixth already. */
  readonly earlyTrends: Trends
}

/** For one person on average, per hour; null when there were too few samples. */
export type Trends = Readonly<Record<Quantity, Trend | null>>

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

export function createReport(settings: SoakSettings, { samples, sent, faults }: SoakResult): SoakReport {
  return {
    version: 1,
    settings,
    trends: trendsAfter(settings.minutes / 2, samples),
    earlyTrends: trendsAfter(settings.minutes / 6, samples),
    sent,
    faults,
    samples,
  }
}

function trendsAfter(minutes: number, samples: readonly Sample[]): Trends {
  const chosen = samples.filter((sample) => sample.minutes > minutes)
  const trend = (quantity: Quantity): Trend | null => (chosen.length < 3 ? null : trendOf(pointsOf(chosen, quantity)))
  return {
    heap: trend('heap'),
    external: trend('external'),
    resident: trend('resident'),
    descriptors: trend('descriptors'),
    timers: trend('timers'),
    handles: trend('handles'),
    links: trend('links'),
  }
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

/** A sample for a terminal. */
export function lineOf({ minutes, sent, delivered, people }: Sample): string {
  const [heap, resident] = [meanOf(people, 'heap').toFixed(1), meanOf(people, 'resident').toFixed(0)]
  return `${minutes.toFixed(1)} min: ${sent} sent, ${delivered} delivered, heap ${heap} MiB, resident ${resident} MiB`
}

/** The report for a terminal. */
export function textOf({ settings, samples, sent, faults, trends, earlyTrends }: SoakReport): string {
  const { people, minutes, rate, machine } = settings
  const lines = [
    machineLine(machine),
    `${people} nodes, ${minutes} minutes, ${rate} texts a second: ${sent} sent, ${samples.at(-1)?.delivered ?? 0} delivered at the last sample`,
    'held by one node on average, in the second half:',
    ...trendLines(trends),
    'the same after the first sixth:',
    ...trendLines(earlyTrends),
    faults.length === 0 ? 'every text was delivered exactly once' : `FAULTS:\n${faults.join('\n')}`,
  ]
  return `${lines.join('\n')}\n`
}

function trendLines(trends: Trends): readonly string[] {
  return Object.entries(QUANTITIES).map(([name, unit]) => trendLine(name, unit, trends[name as Quantity]))
}

function trendLine(name: string, unit: string, trend: Trend | null): string {
  if (trend === null) return `  ${name.padEnd(12)} too few samples`
  const { slope, margin, first, last } = trend
  const verdict = isFlat(trend) ? 'flat' : 'NOT FLAT'
  return `  ${name.padEnd(12)} ${first.toFixed(1)} → ${last.toFixed(1)} ${unit}, ${slope.toFixed(2)} ± ${margin.toFixed(2)} an hour: ${verdict}`
}
