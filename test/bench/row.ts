import type { Spread } from './statistics.ts'

/** One figure of a row. */
export interface Figure extends Spread {
  readonly name: string
  readonly unit: string
}

/** How a figure stands to what it is measured against. */
export interface Target {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What is to be reached; left out for what is only reported. */
  readonly goal?: { readonly at: 'least' | 'most'; readonly value: number }
}

/** One line of work with everything that was measured for it. */
export interface Row {
  readonly name: string
  readonly figures: readonly Figure[]
  readonly targets: readonly Target[]
  /** What a reader of the figures has to know. */
  readonly notes?: readonly string[]
}

/** A note for rows whose work is all on one thread and never waits. */
export const PROCESSOR_TIME =
  'processor time of the thread that does the work, so that others on the machine count less'

export interface RowOptions {
  /** A few small rounds: shows that it runs, not how fast. */
  readonly quick: boolean
}

/** Measures one row. */
export type Benchmark = (options: RowOptions) => Promise<Row>

export function isMet({ value, goal }: Target): boolean | null {
  if (goal === undefined) return null
  return goal.at === 'least' ? value >= goal.value : value <= goal.value
}
