import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addOperation } from '../../lib/group/adding.ts'
import { bytesOf, emptyGraph, type Graph, operationsAfter } from '../../lib/group/graph.ts'
import { decodeOperation, encodeOperation, type Operation } from '../../lib/group/operation.ts'
import { type GroupView, viewOf } from '../../lib/group/view.ts'
import { native } from '../../node/crypto.ts'
import { type Member, summary, type TestGroup } from '../support/groups.ts'
import { naiveSummary } from '../support/naive-group.ts'
import { type RandomGroup, randomGroup } from '../support/random-group.ts'
import { numbersFrom, seed } from '../support/seed.ts'

/** Graphs of the first claim, four times those of each other one; `GRAPHS=10000` for a long run. */
const numRuns = Number(process.env['GRAPHS'] ?? 1_000)
const further = Math.ceil(numRuns / 4)
const options = { timeout: 3_600_000 }

interface Shape {
  readonly start: number
  readonly people: number
  readonly operations: number
}

const shape: fc.Arbitrary<Shape> = fc.record({
  start: fc.integer(),
  people: fc.integer({ min: 2, max: 30 }),
  operations: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 60 }) },
    { weight: 1, arbitrary: fc.integer({ min: 60, max: 200 }) },
  ),
})

type Draw = (below: number) => number

function holds(claim: (draw: Draw, shape: Shape) => void, runs: number = further): void {
  const property = fc.property(shape, (each) => claim(numbersFrom(each.start), each))
  fc.assert(property, { seed, numRuns: runs })
}

function shuffled<T>(draw: Draw, items: readonly T[]): readonly T[] {
  const all = [...items]
  for (let i = all.length - 1; i > 0; i--) {
    const j = draw(i + 1)
    ;[all[i], all[j]] = [all[j] as T, all[i] as T]
  }
  return all
}

const bytesIn = (group: TestGroup): readonly Uint8Array[] => group.operations.map(({ bytes }) => bytes)

function filled(group: TestGroup, graph: Graph, all: readonly Uint8Array[]): Graph {
  return all.reduce((each, bytes) => addOperation(group.primitives, each, bytes).graph, graph)
}

/** Who was added, is out, and was never the owner; `removed` only those whom somebody removed each time, and who were never in. */
function outsiders({ group, people }: RandomGroup, view: GroupView, which: 'removed' | 'all'): readonly Member[] {
  const owners = ownersIn(group)
  return people.filter(({ account }) => {
    if (view.members.has(account) || owners.has(account)) return false
    const exits = view.exits.filter((exit) => exit.account === account)
    return which === 'all' || exits.every(({ by }) => by.some((id) => contentOf(group, id) === 'remove'))
  })
}

function contentOf(group: TestGroup, id: string): string {
  return decodeOperation(bytesOf(group.graph, id) as Uint8Array).content.kind
}

/** Whoever may have been the owner at some time. */
function ownersIn(group: TestGroup): ReadonlySet<string> {
  const [first, ...others] = group.graph.log.entries
  const given = others.filter(({ operation }) => operation.content.kind === 'transfer')
  return new Set([first?.account ?? '', ...given.map(({ subject }) => subject)])
}

/** What they do, most of it in the past. */
function act({ step }: RandomGroup, who: readonly Member[], draw: Draw, times: number): void {
  if (who.length === 0) return
  for (let i = 0; i < times; i++) step(who[draw(who.length)] as Member, { backdated: draw(4) > 0 })
}

const roles = (view: GroupView): Record<string, string> =>
  Object.fromEntries([...view.members].map(([account, { role }]) => [account, role]))

describe('a random group', () => {
  test(
    'is seen the same in any order and after any partition, and by a second resolver from the text alone',
    options,
    () => {
      holds((draw, size) => {
        const { group } = randomGroup(draw, size)
        const all = bytesIn(group)
        const seen = summary(viewOf(group.graph))
        expect(naiveSummary(group.primitives, group.graph.gid, all)).toEqual(seen)

        const nothing = emptyGraph(group.graph.gid)
        const permuted = filled(group, nothing, shuffled(draw, all))
        expect(permuted.size).toBe(group.graph.size)
        expect(summary(viewOf(permuted))).toEqual(seen)

        const sides = [0, 1].map(() => {
          const [head] = shuffled(draw, group.graph.log.entries)
          const known = operationsAfter(group.graph, []).filter((entry) => entry.position <= (head?.position ?? 0))
          return filled(
            group,
            nothing,
            known.map(({ operation }) => operation.bytes),
          )
        }) as [Graph, Graph]
        const rest = filled(
          group,
          sides[0],
          operationsAfter(group.graph, sides[0].heads).map(({ operation }) => operation.bytes),
        )
        const merged = filled(
          group,
          rest,
          operationsAfter(sides[1], rest.heads).map(({ operation }) => operation.bytes),
        )
        expect(merged.heads).toEqual(group.graph.heads)
        expect(summary(viewOf(merged))).toEqual(seen)
      }, numRuns)
    },
  )

  test('with real signatures is the same', options, () => {
    holds(
      (draw, { people, operations }) => {
        const { group } = randomGroup(draw, {
          people: Math.min(people, 6),
          operations: Math.min(operations, 40),
          primitives: native,
        })
        const permuted = filled(group, emptyGraph(group.graph.gid), shuffled(draw, bytesIn(group)))
        expect(summary(viewOf(permuted))).toEqual(summary(viewOf(group.graph)))
      },
      Math.ceil(numRuns / 50),
    )
  })

  test('is not changed by anything that removed members and strangers write, however far back', options, () => {
    holds((draw, size) => {
      const random = randomGroup(draw, size)
      const before = viewOf(random.group.graph)
      if (before === null || before.frozen !== null) return
      act(random, outsiders(random, before, 'removed'), draw, 15)
      const after = viewOf(random.group.graph)
      const ends = (view: GroupView | null): unknown =>
        view?.exits.map(({ account, add }) => `${account} ${add}`).sort()
      expect({ ...after, exits: ends(after) }).toEqual({ ...before, exits: ends(before) })
    })
  })

  test('lets nobody in, gives nobody a role and keeps its owner and admins whatever those do who left', options, () => {
    holds((draw, size) => {
      const random = randomGroup(draw, size)
      const before = viewOf(random.group.graph)
      if (before === null || before.frozen !== null) return
      act(random, outsiders(random, before, 'all'), draw, 15)
      const after = viewOf(random.group.graph)
      expect(after).toMatchObject({ owner: before.owner, frozen: null, timer: before.timer })
      expect(roles(before)).toMatchObject(roles(after as GroupView))
      const leading = (view: GroupView): unknown => Object.entries(roles(view)).filter(([, role]) => role !== 'member')
      expect(leading(after as GroupView)).toEqual(leading(before))
    })
  })

  test('cannot be taken by owners of former days who are out: it stays as it is, or is frozen', options, () => {
    let frozen = 0
    holds((draw, size) => {
      const random = randomGroup(draw, size)
      const before = viewOf(random.group.graph)
      if (before === null || before.frozen !== null) return
      const owners = ownersIn(random.group)
      const out = random.people.filter(({ account }) => owners.has(account) && !before.members.has(account))
      act(random, out, draw, 15)
      const after = viewOf(random.group.graph)
      if (after?.frozen === null) {
        expect(after.owner).toBe(before.owner)
        expect(roles(before)).toMatchObject(roles(after))
      } else frozen++
    })
    if (further >= 250) expect(frozen).toBeGreaterThan(0)
  })

  test('keeps its owner, its timer and its other admins whatever anybody else does', options, () => {
    holds((draw, size) => {
      const random = randomGroup(draw, size)
      const before = viewOf(random.group.graph)
      if (before === null || before.frozen !== null) return
      const owners = ownersIn(random.group)
      const hostile = random.people.filter(({ account }) => !owners.has(account) && draw(2) === 0)
      act(random, hostile, draw, 15)
      const after = viewOf(random.group.graph)
      expect(after).toMatchObject({ owner: before.owner, frozen: null, timer: before.timer })
      const admins = (view: GroupView): readonly string[] =>
        [...view.members].filter(([, { role }]) => role === 'admin').map(([account]) => account)
      const others = admins(before).filter((account) => hostile.every((each) => each.account !== account))
      expect(admins(after as GroupView)).toEqual(expect.arrayContaining(others))
      expect(admins(before)).toEqual(expect.arrayContaining([...admins(after as GroupView)]))
    })
  })

  test('is not changed by what is forged, replayed, orphaned or has too many parents', options, () => {
    holds((draw, size) => {
      const { group } = randomGroup(draw, size)
      const before = summary(viewOf(group.graph))
      const applied = group.graph.log.entries.map(({ operation }) => operation)
      let graph = group.graph
      for (const operation of shuffled(draw, applied).slice(0, 10)) {
        for (const bytes of [operation.bytes, ...wrong(draw, operation)]) {
          graph = addOperation(group.primitives, graph, bytes).graph
        }
      }
      expect(graph.size).toBe(group.graph.size)
      expect(summary(viewOf(graph))).toEqual(before)
    }, further)
  })
})

/** The operation as somebody else might write it. */
function wrong(draw: Draw, operation: Operation): readonly Uint8Array[] {
  const flipped = operation.bytes.slice()
  const at = draw(flipped.length)
  flipped[at] = (flipped[at] as number) ^ (1 << draw(8))
  const id = (): Uint8Array => Uint8Array.from({ length: 32 }, () => draw(256))
  const parents = Array.from({ length: 17 }, (_, i) => new Uint8Array(32).fill(i + 1))
  return [
    flipped,
    encodeOperation({ ...operation, sentAt: operation.sentAt + 1 }),
    encodeOperation({ ...operation, lamport: operation.lamport + 1 }),
    encodeOperation({ ...operation, account: id() }),
    encodeOperation({ ...operation, did: id().subarray(16) }),
    encodeOperation({ ...operation, gid: id() }),
    encodeOperation({ ...operation, parents: [id()] }),
    encodeOperation({ ...operation, previous: id() }),
    encodeOperation({ ...operation, parents }),
    encodeOperation({ ...operation, content: { kind: 'leave' } }),
  ]
}
