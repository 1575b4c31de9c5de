import { equalBytes, toHex } from '../../../lib/bytes.ts'
import type { Group } from '../../../lib/chat/group/state.ts'
import { decodeGroup, OWN_CHAIN } from '../../../lib/chat/group/rows.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { addOperation } from '../../../lib/group/adding.ts'
import { decodeOwnChain, decodePeerChain } from '../../../lib/group/chain-rows.ts'
import { emptyGraph, type Graph } from '../../../lib/group/graph.ts'
import { openGroupFrame } from '../../../lib/group/open-frame.ts'
import type { PeerChain } from '../../../lib/group/sender-chain.ts'
import { type GroupView, viewOf } from '../../../lib/group/view.ts'
import type { Row } from '../../../lib/rows.ts'
import type { Store } from '../../store/store.ts'

/** Who is a member, by account in hexadecimal: by which adds, and whether they have joined. */
export type Membership = ReadonlyMap<string, { readonly adds: ReadonlySet<string>; readonly joined: boolean }>

/** Something that was said in a group. */
export interface Saying {
  readonly by: string
  readonly group: string
  readonly id: string
  readonly text: string
  /** ms since the epoch. */
  readonly at: number
  readonly expires: number | null
  /** By which adds somebody had joined for its author before and after it was accepted: they are to have it if they stay. */
  readonly certain: ReadonlyMap<string, ReadonlySet<string>>
  /** Those who were members before or after. */
  readonly possible: ReadonlySet<string>
  /** Whether it was sealed at once. */
  readonly sealed: boolean
}

/** A frame that was sealed in a sender chain. */
interface Seal {
  readonly by: string
  readonly frame: Uint8Array
  readonly n: number
  /** For its author when it was sealed, by account in hexadecimal. */
  readonly members: ReadonlySet<string>
}

/**
 * What people said in groups, and by what was written to their disks: which keys each of them ever held, and what was sealed
 * when. So it can be told after a run whether somebody who kept everything can read what was not for them (I6).
 */
export interface GroupLedger {
  /** Who is a member of a group for somebody right now; null when there is no such group for them. */
  membersNow(who: string, group: string): Membership | null
  said(
    who: string,
    group: string,
    message: {
      readonly id: string
      readonly text: string
      readonly expires: number | null
      readonly before: Membership
    },
  ): void
  readonly sayings: readonly Saying[]
  /** The same store; what a process writes to it is looked at. */
  watching(who: string, store: Store): Store
  /** What somebody can read with the keys that they were ever given and that was sealed for others; nothing, hopefully. */
  overheard(): readonly string[]
}

/** What one person wrote. */
interface Book {
  /** Group ids by handle, in hexadecimal. */
  readonly gids: Map<string, string>
  readonly graphs: Map<string, Graph>
  /** Chain ids of the own chains, in hexadecimal, with the group. */
  readonly own: Map<string, string>
  /** The earliest state of every chain of others. */
  readonly held: Map<string, PeerChain>
}

const WATCHED: ReadonlySet<string> = new Set(['group', 'group-op', 'group-chain', 'group-frame'])

export function createGroupLedger(options: {
  readonly primitives: Primitives
  readonly people: readonly { readonly name: string; readonly account: Uint8Array }[]
  now(): number
  /** A group as somebody's running machine holds it. */
  groupOf(who: string, group: string): Group | undefined
  /** Whether all that somebody said in a group is sealed. */
  isAllSealed(who: string, group: string): boolean
}): GroupLedger {
  const { primitives, people, now, groupOf, isAllSealed } = options
  const books = new Map<string, Book>()
  const seals = new Map<string, Map<number, Seal>>()
  const sayings: Saying[] = []
  const views = new WeakMap<Graph, GroupView | null>()

  function bookOf(who: string): Book {
    const book = books.get(who) ?? { gids: new Map(), graphs: new Map(), own: new Map(), held: new Map() }
    books.set(who, book)
    return book
  }

  function membersIn(graph: Graph | undefined): ReadonlySet<string> {
    if (graph === undefined || graph.size === 0) return new Set()
    let view = views.get(graph)
    if (view === undefined) views.set(graph, (view = viewOf(graph)))
    return new Set(view?.members.keys())
  }

  function membersNow(who: string, gid: string): Membership | null {
    const group = groupOf(who, gid)
    if (group === undefined) return null
    return new Map(
      [...group.view.members].map(([account, { adds, card }]) => [
        account,
        { adds: new Set(adds.map(({ id }) => id)), joined: card !== null },
      ]),
    )
  }

  function addTo(book: Book, handle: string, operation: Uint8Array): void {
    const gid = book.gids.get(handle)
    if (gid === undefined) return
    const graph = book.graphs.get(handle) ?? emptyGraph(gid)
    book.graphs.set(handle, addOperation(primitives, graph, operation, 'verified').graph)
  }

  /** In the order in which they count: what a group is, what its operations say, what was sealed. */
  function look(who: string, rows: readonly Row[]): void {
    const book = bookOf(who)
    for (const { range, key, value } of rows) {
      if (range === 'group' && value !== null) book.gids.set(toHex(key), toHex(decodeGroup(value).gid))
      if (range !== 'group-chain' || value === null) continue
      if (equalBytes(key.subarray(16), OWN_CHAIN))
        book.own.set(toHex(decodeOwnChain(primitives, value).id), toHex(key.subarray(0, 16)))
      else {
        const chain = decodePeerChain(value)
        if (!book.held.has(toHex(chain.id))) book.held.set(toHex(chain.id), chain)
      }
    }
    const before = new Map([...book.graphs].map(([handle, graph]) => [handle, membersIn(graph)]))
    for (const { range, key, value } of rows)
      if (range === 'group-op' && value !== null) addTo(book, toHex(key.subarray(0, 16)), value)
    for (const { range, key, value } of rows) {
      if (range !== 'group-frame' || value === null) continue
      const [handle, chain] = [toHex(key.subarray(0, 16)), toHex(key.subarray(16, 32))]
      if (book.own.get(chain) !== handle) continue
      // A batch may hold several turns: who was a member before it or after it may be meant.
      const members = new Set([...(before.get(handle) ?? []), ...membersIn(book.graphs.get(handle))])
      const n = new DataView(key.buffer, key.byteOffset).getUint32(32)
      const sealed = seals.get(chain) ?? new Map<number, Seal>()
      seals.set(chain, sealed.set(n, { by: who, frame: value, n, members }))
    }
  }

  return {
    membersNow,
    sayings,
    said(who, group, { id, text, expires, before }) {
      const after: Membership = membersNow(who, group) ?? new Map()
      const shared = (account: string): ReadonlySet<string> =>
        new Set([...(before.get(account)?.adds ?? [])].filter((add) => after.get(account)?.adds.has(add)))
      const both = [...before].filter(([account, { joined }]) => joined && after.get(account)?.joined === true)
      const timer = groupOf(who, group)?.view.timer || null
      sayings.push({
        by: who,
        group,
        id,
        text,
        at: now(),
        expires: expires ?? timer,
        certain: new Map(both.map(([account]) => [account, shared(account)])),
        possible: new Set([...before.keys(), ...after.keys()]),
        sealed: isAllSealed(who, group),
      })
    },
    watching(who, store) {
      const first = (async (): Promise<void> => {
        // What is on the disk is what this process knows, also when its disk went back in time.
        const book = bookOf(who)
        book.gids.clear()
        book.graphs.clear()
        for (const range of ['group', 'group-op', 'group-chain'] as const)
          look(
            who,
            (await store.list(range)).map((entry) => ({ range, ...entry })),
          )
      })().catch(() => undefined)
      return {
        ...store,
        async write(rows) {
          const own = rows
            .filter(({ range }) => WATCHED.has(range))
            .map(({ range, key, value }) => ({ range, key: key.slice(), value: value && value.slice() }))
          await store.write(rows)
          if (own.length === 0) return
          await first
          look(who, own)
        },
        [Symbol.asyncDispose]: () => store.close(),
      }
    },
    overheard() {
      const found: string[] = []
      for (const { name, account } of people) {
        const own = toHex(account)
        for (const [id, chain] of books.get(name)?.held ?? []) {
          for (const { by, n, frame, members } of seals.get(id)?.values() ?? []) {
            if (by === name || members.has(own) || n < chain.next) continue
            const { kind } = openGroupFrame(primitives, chain, frame, now())
            if (kind === 'opened') found.push(`${name} can read what ${by} sealed when ${name} was no member`)
          }
        }
      }
      return found
    },
  }
}
