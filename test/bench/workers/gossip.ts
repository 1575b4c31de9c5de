import { createCircle, createMember, createPlainMember, type GossipHost } from '../../support/gossip-hosts.ts'
import { serve } from '../worker.ts'

/** What carries the texts: the gossip of a node, or gossipsub as it is, which signs unless told otherwise. */
export type Carriage = 'sotto' | 'gossipsub' | 'unsigned gossipsub'

/** Hosts of one process that gossip over the memory transport. */
export interface GossipTasks {
  /** Starts so many, connects them and waits until what the first one says reaches all. */
  readonly start: (circle: { carriage: Carriage; members: number }) => Promise<void>
  /** Publishes one after the other, each from the next member; ms until the last of the others has it. */
  readonly latency: (size: { count: number; bytes: number }) => Promise<readonly number[]>
  /** Publishes without waiting, in turn from every member; ms until all have all of the others. */
  readonly pour: (size: { count: number; bytes: number }) => Promise<number>
  readonly stop: () => Promise<void>
}

const TOPIC = 'bench'
let members: GossipHost[] = []
let said = 0

/** A text of so many bytes that was not said before. */
function text(bytes: number): Uint8Array {
  return Buffer.from(`${++said} `.padEnd(bytes, 'x'))
}

/** Resolves when each has heard as many as it says, from now on. */
function heard(counts: readonly number[]): Promise<void> {
  return new Promise((resolve) => {
    let open = counts.filter((count) => count > 0).length
    for (const [i, member] of members.entries()) {
      let left = counts[i] ?? 0
      member.onHeard = () => {
        if (--left === 0 && --open === 0) resolve()
      }
    }
  })
}

async function stop(): Promise<void> {
  const ending = members
  members = []
  await Promise.all(ending.map((member) => member[Symbol.asyncDispose]()))
}

serve<GossipTasks>(
  {
    async start({ carriage, members: count }) {
      await stop()
      const signed = carriage === 'gossipsub'
      members = await createCircle(count, () =>
        carriage === 'sotto' ? createMember(TOPIC) : createPlainMember(TOPIC, { signed }),
      )
      for (const { heard } of members) heard.length = 0
      while (members.slice(1).some(({ heard }) => heard.length === 0)) {
        await members[0]?.publish(TOPIC, text(64))
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    },
    async latency({ count, bytes }) {
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const from = i % members.length
        const done = heard(members.map((_, j) => (j === from ? 0 : 1)))
        const start = performance.now()
        await members[from]?.publish(TOPIC, text(bytes))
        await done
        times.push(performance.now() - start)
      }
      return times
    },
    async pour({ count, bytes }) {
      const each = Math.ceil(count / members.length)
      const done = heard(members.map(() => each * (members.length - 1)))
      const start = performance.now()
      for (let i = 0; i < each; i++) {
        await Promise.all(members.map((member) => member.publish(TOPIC, text(bytes))))
        // Whoever says much lets others have their turn, as a commit window does.
        if (i % 16 === 15) await new Promise((resolve) => setImmediate(resolve))
      }
      await done
      return performance.now() - start
    },
    stop,
  },
  stop,
)
