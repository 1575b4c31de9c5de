import { createOutsider, type HostileOptions, type HostilePeer, seenOf } from './outsider.ts'

/**
 * What a hostile server says that it has for a key: the first value that it ever took (`old`), nothing (`none`), a value of
 * another key (`other`), or the newest with the highest rev that there is, unsigned (`future`).
 */
export type Staleness = 'old' | 'none' | 'other' | 'future'

/** A server of the DHT that does not do as ours do. */
export interface HostileServer extends HostilePeer {
  /** Change it at any time. */
  answers: Staleness
  /** How often it was asked for a value, and given one. */
  readonly asked: number
  readonly given: number
}

/**
 * Has: a place in the DHT. Tries: to keep people from finding each other, or to have them believe what was true once, by
 * answering with old values, none, or those of others.
 */
export function createStaleServer(options: HostileOptions & { readonly answers?: Staleness }): Promise<HostileServer> {
  return createServer(options, { answers: options.answers ?? 'old', takes: true })
}

/** Has: a place in the DHT. Tries: to have nothing stored, by refusing every value and having none. */
export function createRefusingServer(options: HostileOptions): Promise<HostileServer> {
  return createServer(options, { answers: 'none', takes: false })
}

async function createServer(
  options: HostileOptions,
  behaviour: { readonly answers: Staleness; readonly takes: boolean },
): Promise<HostileServer> {
  const first = new Map<string, Uint8Array>()
  const newest = new Map<string, Uint8Array>()
  let [asked, given] = [0, 0]

  function answer(key: string): Uint8Array | null {
    switch (server.answers) {
      case 'none':
        return null
      case 'old':
        return first.get(key) ?? null
      case 'other':
        return [...newest].find(([other]) => other !== key)?.[1] ?? null
      case 'future':
        return (
          newest
            .get(key)
            ?.slice()
            .fill(0xff, REV_AT, REV_AT + 8) ?? null
        )
    }
  }

  const outsider = await createOutsider({
    ...options,
    serves: {
      get(key) {
        asked++
        return answer(key)
      },
      put(key, value) {
        given++
        if (!behaviour.takes) return false
        if (!first.has(key)) first.set(key, value)
        newest.set(key, value)
        return true
      },
    },
  })
  const server: HostileServer = {
    ...seenOf(outsider),
    answers: behaviour.answers,
    get asked() {
      return asked
    },
    get given() {
      return given
    },
  }
  return server
}

/** Where the rev of a slot value stands. */
const REV_AT = 40
