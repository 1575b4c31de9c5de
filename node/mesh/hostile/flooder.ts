import { createSelf, type Self } from '../../../lib/identity/self.ts'
import { beginSession, initiatorOf, requestPayload, textPayload } from './handmade.ts'
import {
  createOutsider,
  type HostileLink,
  type HostileOptions,
  type HostilePeer,
  type Outsider,
  seenOf,
  sumOf,
} from './outsider.ts'

/** How fast and how much. */
export interface Flood {
  readonly to: string
  readonly count: number
  /** Messages on a link before it is closed and another one opened. By default 16, after which an honest node closes it. */
  readonly perLink?: number
}

/**
 * Has: as many accounts as it likes, which cost nothing, and some addresses; or the keys of one contact. Tries: to keep a
 * node busy, to fill its memory and its disk, and to drown what others send.
 */
export interface Flooder extends HostilePeer {
  /** Requests, each of another account. */
  requests(flood: Flood & { readonly hello?: string }): void
  /** Sessions in the name of somebody in the mesh, by that person's own keys, each of a higher gen. */
  sessions(flood: Flood & { readonly as: string }): void
  /** Links that say nothing but a nonce. */
  links(flood: Flood): void
  /** Any messages: `make` is asked for each. */
  messages(flood: Flood, make: (i: number) => Uint8Array): void
  /** What is still to be said. */
  readonly left: number
}

/** With several `hosts` it has so many PeerIds, which take turns. */
export async function createFlooder(options: HostileOptions & { readonly hosts?: number }): Promise<Flooder> {
  const { name, hosts = 1 } = options
  const outsiders: Outsider[] = []
  for (let i = 1; i <= hosts; i++) {
    outsiders.push(await createOutsider(i === 1 ? options : { ...options, name: `${name}-${i}` }))
  }
  const [first] = outsiders as [Outsider]
  const { inside, random } = first
  const { primitives } = inside
  let left = 0
  let gen = 0

  function messages({ to, count, perLink = 16 }: Flood, make: (i: number) => Uint8Array): void {
    let made = 0
    left += count
    for (const outsider of outsiders) {
      const saying = { link: null as HostileLink | null, said: 0 }
      const turn = (): void => {
        if (made >= count) {
          saying.link?.close()
          return
        }
        const { link } = saying
        if (link === null || link.state === 'closed' || link.state === 'refused') {
          saying.link = outsider.open(to)
          saying.said = 0
        } else if (link.state === 'open' && saying.said >= perLink) link.close()
        else if (link.state === 'open') {
          for (; saying.said < perLink && made < count; saying.said++, left--) link.say(make(made++))
        }
        outsider.clock.at(outsider.clock.now() + 5, turn)
      }
      turn()
    }
  }

  const flooder: Flooder = {
    ...seenOf(first),
    get counts() {
      return sumOf(outsiders.map(({ counts }) => counts))
    },
    get left() {
      return left
    },
    messages,
    requests({ hello = 'hello', ...flood }) {
      const to = inside.newcomer(flood.to)
      messages(flood, (i) => {
        const now = inside.clock.now
        const self: Self = createSelf(primitives, random, random.bytes(32), now)
        const session = beginSession(primitives, random, { from: initiatorOf(primitives, self), to, gen: now })
        return session.seal(requestPayload(null, `stranger ${i}`), textPayload(hello, 1))
      })
    },
    sessions({ as, ...flood }) {
      const from = initiatorOf(primitives, inside.newcomer(as).self)
      const to = inside.newcomer(flood.to)
      messages(flood, () => {
        gen = Math.max(gen + 1, inside.clock.now)
        return beginSession(primitives, random, { from, to, gen }).seal()
      })
    },
    links: (flood) => messages({ ...flood, perLink: 1 }, () => Uint8Array.of(0)),
    async leave() {
      for (const outsider of outsiders) await outsider.leave()
    },
    [Symbol.asyncDispose]: () => flooder.leave(),
  }
  return flooder
}
