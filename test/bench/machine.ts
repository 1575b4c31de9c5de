import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

/** Where and when figures were taken: without it they say little. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  /** Processes that ran or waited for a core during the last minute: above zero before a start, others were busy. */
  readonly load: number
  /** ISO 8601. */
  readonly at: string
}

export function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
    at: new Date().toISOString(),
  }
}

export function machineLine({ processor, cores, memoryGiB, system, node, load, at }: Machine): string {
  return `${at}  ${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}, load ${load}`
}
