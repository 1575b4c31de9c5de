import type { Benchmark, Figure } from '../row.ts'
import { spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { HostileTasks } from '../workers/hostile.ts'

/** What one message of a stranger, of a contact or of a server of the DHT makes a node pay, by its kind. */
export const hostile: Benchmark = async ({ quick }) => {
  const [rounds, count] = quick ? [2, 20] : [9, 200]
  await using worker = startWorker<HostileTasks>('hostile')
  const figures: Figure[] = []
  const notes: string[] = []
  for (const [kind, { who, what }] of (await worker.ask('list')).entries()) {
    await worker.ask('cost', { kind, count })
    const costs = []
    for (let round = 0; round < rounds; round++) costs.push(await worker.ask('cost', { kind, count }))
    figures.push({ name: `${who}: ${what}`, unit: 'µs', ...spreadOf(costs.map(({ us }) => us)) })
    const calls = Object.entries(costs.at(-1)?.operations ?? {}).map(([name, n]) => `${name} ${n.toFixed(1)}`)
    if (calls.length > 0) notes.push(`${what}: ${calls.join(', ')}`)
  }
  return { name: 'processor time that a hostile message takes', figures, targets: [], notes }
}
