import { createMesh, type Mesh } from '../../../node/mesh/index.ts'
import type { Node } from '../../../node/index.ts'
import { serve } from '../worker.ts'

/** Whole nodes of one process in one group, over the memory transport and with stores in memory. */
export interface GroupTasks {
  /** Starts so many who know each other, and makes a group of all of them. */
  readonly start: (members: number) => Promise<void>
  /** Says one text after the other, each from the next member; ms until the last of the others has it. */
  readonly latency: (size: { count: number; bytes: number }) => Promise<readonly number[]>
  /** Says texts without waiting, in turn from every member; ms until all have all of the others. */
  readonly pour: (size: { count: number; bytes: number }) => Promise<number>
  readonly stop: () => Promise<void>
}

const PATIENCE_MS = 300_000
/** Texts of one member that wait to be safe at the same time. */
const MAX_UNDER_WAY = 64

interface Member {
  readonly node: Node
  onHeard: () => void
}

let mesh: Mesh | null = null
let group = ''
let members: readonly Member[] = []
let said = 0

/** A text of so many bytes that was not said before. */
function text(bytes: number): string {
  return `${++said} `.padEnd(bytes, 'x')
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

function listen(node: Node): Member {
  const member: Member = { node, onHeard: () => undefined }
  const self = node.identity.account
  const follow = async (): Promise<void> => {
    for await (const event of node.events())
      if (event.kind === 'message' && event.message.from !== self && event.message.kind === 'text') member.onHeard()
  }
  follow().catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
  return member
}

/** Many texts of one member, of which some wait to be safe at the same time. */
async function sayMany(node: Node, count: number, bytes: number): Promise<void> {
  let left = count
  const sender = async (): Promise<void> => {
    while (left-- > 0) await node.send(group, text(bytes))
  }
  await Promise.all(Array.from({ length: Math.min(MAX_UNDER_WAY, count) }, sender))
}

async function stop(): Promise<void> {
  const ending = mesh
  mesh = null
  await ending?.[Symbol.asyncDispose]()
}

serve<GroupTasks>(
  {
    async start(count) {
      await stop()
      mesh = await createMesh({ nodes: count, network: 'memory', contacts: true })
      await mesh.settled({ signal: AbortSignal.timeout(PATIENCE_MS) })
      const nodes = [...mesh.people.values()]
      const [first] = nodes
      if (first === undefined) throw new Error('a group needs somebody')
      group = (
        await first.groups.create(
          'bench',
          nodes.slice(1).map(({ identity }) => identity.account),
        )
      ).id
      await mesh.settled({ signal: AbortSignal.timeout(PATIENCE_MS) })
      members = nodes.map(listen)
    },
    async latency({ count, bytes }) {
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const from = i % members.length
        const done = heard(members.map((_, j) => (j === from ? 0 : 1)))
        const start = performance.now()
        await members[from]?.node.send(group, text(bytes))
        await done
        times.push(performance.now() - start)
      }
      return times
    },
    async pour({ count, bytes }) {
      const each = Math.ceil(count / members.length)
      const done = heard(members.map(() => each * (members.length - 1)))
      const start = performance.now()
      await Promise.all(members.map(({ node }) => sayMany(node, each, bytes)))
      await done
      return performance.now() - start
    },
    stop,
  },
  stop,
)
