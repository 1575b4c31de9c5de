import { hostileAttempts } from '../../support/hostile-costs.ts'
import { serve } from '../worker.ts'

/** What hostile messages cost the node that gets them. */
export interface HostileTasks {
  /** What can be tried. */
  readonly list: () => readonly { readonly who: string; readonly what: string }[]
  /** Processor time of `count` messages of the kind with this index, µs each, and how often each primitive was called for one. */
  readonly cost: (input: { kind: number; count: number }) => {
    readonly us: number
    readonly operations: Readonly<Record<string, number>>
  }
}

const { attempts, operations } = hostileAttempts()

serve<HostileTasks>({
  list: () => attempts.map(({ who, what }) => ({ who, what })),
  cost({ kind, count }) {
    const attempt = attempts[kind]
    if (attempt === undefined) throw new TypeError(`nothing is tried under ${kind}`)
    const run = attempt.prepare(count)
    const before = { ...operations }
    const began = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(began)
    const each = Object.entries(operations).map(([name, calls]) => {
      return [name, (calls - (before[name as keyof typeof before] ?? 0)) / count] as const
    })
    return { us: (user + system) / count, operations: Object.fromEntries(each.filter(([, calls]) => calls >= 0.1)) }
  },
})
