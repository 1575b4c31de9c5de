import { equalBytes } from '../../lib/bytes.ts'
import type { Person as Known } from '../../lib/chat.ts'
import type { Person, Running } from './person.ts'
import type { Traffic } from './traffic.ts'

/** What is looked at to tell whether a mesh is at rest. */
export interface Settling {
  readonly people: readonly Person[]
  readonly traffic: Traffic
  /** Whether there is somewhere to publish at. */
  bootstrapIsUp(): boolean
}

/** Tells what is still under way; an empty list when nothing is. */
export function createSettling({ people, traffic, bootstrapIsUp }: Settling): () => string[] {
  /** Pairs of whom the one was once seen to have asked the other: a request that was declined is not asked again. */
  const asked = new Set<string>()

  return () => {
    const reasons: string[] = []
    if (traffic.underWay > 0) reasons.push(`${traffic.underWay} messages are on their way`)
    const up = people.flatMap(({ name, running }) => (running === null ? [] : [{ name, running }]))
    for (const { name, running } of up) {
      if (!running.driver.idle) reasons.push(`${name} is at work`)
      if (bootstrapIsUp()) reasons.push(...publishing(name, running))
    }
    for (const one of people) {
      for (const other of people) {
        if (one === other || one.running === null || other.running === null) continue
        const reason = relation(one, other)
        if (reason !== null) reasons.push(reason)
      }
    }
    return reasons
  }

  function relation(one: Person, other: Person): string | null {
    const mine = knownTo(one, other)
    const theirs = knownTo(other, one)
    const pair = `${one.name} ${other.name}`
    if (theirs !== undefined) asked.add(pair)
    if (mine === undefined) return null
    if (mine.row.state === 'pending') {
      if (!asked.has(pair)) return `the request of ${one.name} has not reached ${other.name}`
      const answered = theirs?.row.state === 'accepted' || theirs?.row.state === 'pending'
      return answered ? `${one.name} has not heard that ${other.name} accepted` : null
    }
    if (mine.row.state !== 'accepted' || theirs?.row.state !== 'accepted') return null
    if (mine.link === null) return `${other.name} is not online for ${one.name}`
    return mine.waiting > 0 ? `${mine.waiting} messages of ${one.name} wait for ${other.name}` : null
  }
}

function publishing(name: string, { driver, network }: Running): string[] {
  if (network.status().dht.peers === 0) return [`${name} has not found the network`]
  const { due } = driver.chat.record()
  return due > 0 ? [`${name} has ${due} slots to publish`] : []
}

/** What `one` knows of `other`. */
export function knownTo(one: Person, other: Person): Known | undefined {
  for (const known of one.running?.driver.chat.people() ?? []) {
    if (equalBytes(known.row.account, other.account)) return known
  }
  return undefined
}

/** Lets callers wait for conditions that are looked at again whenever something came to rest. */
export interface Conditions {
  /** Something changed. */
  changed(): void
  /**
   * Resolves when `open` gives no reasons any more. Rejects when the signal fires, with an error that names them.
   */
  met(open: () => readonly string[], signal: AbortSignal): Promise<void>
}

export function createConditions(): Conditions {
  const looks = new Set<() => void>()
  let scheduled = false

  function changed(): void {
    if (scheduled) return
    scheduled = true
    // What follows from the change within this turn belongs to it.
    setImmediate(() => {
      scheduled = false
      for (const look of looks) look()
    })
  }

  return {
    changed,
    async met(open, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const look = (): void => {
        if (open().length === 0) resolve()
      }
      const abort = (): void => {
        reject(
          new Error(`the mesh did not settle: ${open().join('; ') || 'it was given up'}`, { cause: signal.reason }),
        )
      }
      looks.add(look)
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
      else changed()
      try {
        await promise
      } finally {
        looks.delete(look)
        signal.removeEventListener('abort', abort)
      }
    },
  }
}
