import { describe, expect, it } from 'vitest'
import { concat, toHex } from '../../../lib/bytes.ts'
import { addOperation } from '../../../lib/group/adding.ts'
import {
  bytesOf,
  emptyGraph,
  find,
  type Graph,
  has,
  isInPast,
  MAX_CHAINS_OF_ACCOUNT,
  MAX_OPERATIONS_OF_ACCOUNT,
  MAX_WAITING,
  missing,
  newestOf,
  nextPlace,
  operations,
  operationsAfter,
} from '../../../lib/group/graph.ts'
import { decodeOperation, encodeOperation, operationId } from '../../../lib/group/operation.ts'
import { deviceOf, type Member, PREKEY, quick, recordOf, someone, TestGroup } from '../../support/groups.ts'

const ada = someone('ada')
const bob = someone('bob')
const cyd = someone('cyd')
const NOBODY: ReadonlySet<string> = new Set()

function started(): { group: TestGroup; create: string; card: string; add: string } {
  const group = new TestGroup(ada)
  const create = group.graph.gid
  const card = group.card(ada)
  return { group, create, card, add: group.invite(ada, bob) }
}

function fill(graph: Graph, all: readonly Uint8Array[]): Graph {
  return all.reduce((each, bytes) => addOperation(quick, each, bytes).graph, graph)
}

describe('a graph of operations', () => {
  it('takes each operation once, whatever the order, and keeps its exact bytes', () => {
    const { group, create } = started()
    const all = group.operations.map(({ bytes }) => bytes)
    for (const order of [all, all.toReversed(), [...all, ...all]]) {
      const graph = fill(emptyGraph(create), order)
      expect([...operations(graph)].map(({ id }) => bytesOf(graph, id))).toEqual(all)
      expect(graph.heads).toEqual(group.graph.heads)
      expect(graph.waiting.size).toBe(0)
    }
    expect(addOperation(quick, group.graph, all[1] as Uint8Array)).toEqual({
      graph: group.graph,
      outcome: { kind: 'known' },
    })
  })

  it('says what is missing, and applies what waited as soon as that comes', () => {
    const { group, create, card, add } = started()
    const [first, second, third] = group.operations.map(({ bytes }) => bytes) as [Uint8Array, Uint8Array, Uint8Array]
    const a = addOperation(quick, emptyGraph(create), third)
    expect(a.outcome).toEqual({ kind: 'waiting', missing: [card] })
    const b = addOperation(quick, a.graph, second)
    expect(b.outcome).toEqual({ kind: 'waiting', missing: [create] })
    expect([...missing(b.graph)]).toEqual([create])
    const c = addOperation(quick, b.graph, first)
    expect(c.outcome).toEqual({ kind: 'applied', ids: [create, card, add] })
    expect(a.graph.size + b.graph.size).toBe(0)
  })

  it('lets go of what waited longest when too much waits', () => {
    const { group, card } = started()
    const lost = group.graph
    const rest = new TestGroup(ada)
    rest.graph = lost
    const orphans = Array.from({ length: MAX_WAITING + 1 }, (_, i) => {
      const operation = group.operations[2]
      if (operation === undefined) throw new Error('no operation')
      const parents = [new Uint8Array(32).fill(1 + (i % 200)), new Uint8Array(32).fill(201 + Math.floor(i / 200))]
      return encodeOperation({ ...operation, parents })
    })
    const graph = fill(lost, orphans)
    expect(graph.waiting.size).toBe(MAX_WAITING)
    expect(graph.waiting.has(operationId(quick, orphans[0] as Uint8Array))).toBe(false)
    expect(has(graph, card)).toBe(true)
  })

  it('is a value: adding to one that was added to before leaves the other as it is', () => {
    const { group, add } = started()
    const before = group.graph
    const one = group.write(ada, { kind: 'info', name: 'one' })
    const after = group.graph
    group.graph = before
    group.last.set([...group.last.keys()][0] as string, add)
    const two = group.write(ada, { kind: 'info', name: 'two' })
    expect([has(before, one), has(before, two)]).toEqual([false, false])
    expect([has(after, one), has(after, two)]).toEqual([true, false])
    expect([has(group.graph, one), has(group.graph, two)]).toEqual([false, true])
    const both = addOperation(quick, after, bytesOf(group.graph, two) as Uint8Array).graph
    expect(both.heads).toEqual(new Set([one, two]))
  })

  it('knows what is in the past of what, also across forks', () => {
    const { group, create, card, add } = started()
    const fork = group.write(ada, { kind: 'leave' }, { parents: [], previous: card })
    const more = group.write(ada, { kind: 'leave' }, { parents: [], previous: fork })
    expect(isInPast(group.graph, create, more)).toBe(true)
    expect(isInPast(group.graph, fork, more)).toBe(true)
    expect(isInPast(group.graph, add, more)).toBe(false)
    expect(isInPast(group.graph, more, add)).toBe(false)
    expect(isInPast(group.graph, add, add)).toBe(false)
    expect(operationsAfter(group.graph, [add]).map(({ id }) => id)).toEqual([fork, more])
    expect(operationsAfter(group.graph, ['00'.repeat(32)])).toHaveLength(group.graph.size)
    expect(newestOf(group.graph, [create, add, fork, card]).toSorted()).toEqual([add, fork].sort())
  })

  it('tells a device where its next operation stands', () => {
    const { group, add } = started()
    const by = { account: ada.key.publicKey, did: deviceOf(ada, 1).named.did }
    expect(nextPlace(group.graph, by, NOBODY)).toMatchObject({ parents: [], lamport: 3 })
    expect(toHex(nextPlace(group.graph, by, NOBODY).previous)).toBe(add)
    const card = group.card(bob)
    const place = nextPlace(group.graph, by, NOBODY)
    expect(place.parents.map(toHex)).toEqual([card])
    expect(place.lamport).toBe(4)
  })

  it('names what trusted accounts did first when there are more than sixteen heads, whoever built upon it', () => {
    const { group, add } = started()
    const hidden = group.write(ada, { kind: 'info', name: 'hidden' })
    group.card(bob, { parents: [hidden] })
    const root = [...group.graph.heads][0] as string
    for (let i = 0; i < 40; i++) group.write(bob, { kind: 'info', name: `fork ${i}` }, { parents: [], previous: root })
    expect(group.graph.heads.size).toBe(40)
    const by = { account: cyd.key.publicKey, did: cyd.devices[0]?.named.did as Uint8Array }
    const { parents, lamport } = nextPlace(group.graph, by, new Set([ada.account]))
    expect(parents).toHaveLength(16)
    expect(parents.map(toHex)).toContain(hidden)
    expect(lamport).toBe((find(group.graph, root)?.operation.lamport ?? 0) + 2)
    expect(add).not.toBe(hidden)
  })
})

describe('what is refused changes nothing:', () => {
  const refusals: readonly (readonly [what: string, reason: string, write: (group: TestGroup, add: string) => void])[] =
    [
      [
        'a changed signature',
        'unauthentic',
        (group) => forge(group, ({ signature }) => ({ signature: flip(signature) })),
      ],
      ['another time', 'unauthentic', (group) => forge(group, ({ sentAt }) => ({ sentAt: sentAt + 1 }))],
      ['the key of another device', 'unauthentic', (group) => group.card({ ...bob, devices: [stolen(cyd, bob)] })],
      ['an account record that its account did not sign', 'unauthentic', (group) => group.card(unsigned(bob))],
      [
        'the record of another account',
        'record',
        (group) => group.card({ ...bob, record: recordOf(cyd, bob.devices, 2) }),
      ],
      ['a record without the device', 'record', (group) => group.card({ ...bob, record: without(bob) })],
      ['a card of nobody that was added', 'author', (group) => group.card(cyd)],
      ['a first operation that is no card', 'author', (group) => group.write(bob, { kind: 'leave' })],
      [
        'another device as the own previous',
        'author',
        (group, add) => group.write(bob, { kind: 'leave' }, { parents: [], previous: add }),
      ],
      ['a lamport that is too high', 'lamport', (group) => group.card(bob, { lamport: 9 })],
      ['a removal of what is no add', 'target', (group) => group.remove(ada, [group.graph.gid])],
      ['a removal of what is nowhere', 'target', (group) => group.remove(ada, ['11'.repeat(32)])],
      [
        'a removal of what is not in its past',
        'target',
        (group, add) => group.remove(ada, [add], { parents: [], previous: group.graph.gid }),
      ],
      [
        'a transfer to somebody who was never added',
        'target',
        (group) => group.write(ada, { kind: 'transfer', account: cyd.key.publicKey }),
      ],
      [
        'a transfer to oneself',
        'target',
        (group) => group.write(ada, { kind: 'transfer', account: ada.key.publicKey }),
      ],
      ['an operation of another group', 'foreign', (group) => group.add(new TestGroup(cyd).operations[0] ?? fail())],
      ['bytes', 'malformed', (group) => group.add({ ...(group.operations[0] ?? fail()), bytes: new Uint8Array(80) })],
    ]

  it.each(refusals)('%s (%s)', (_what, reason, write) => {
    const { group, add } = started()
    const before = group.graph
    write(group, add)
    expect(group.outcome).toEqual({ kind: 'refused', reason })
    expect(group.graph).toBe(before)
  })

  it('what one account writes beside its own operations more than 64 times', () => {
    const { group, create } = started()
    const fork = (i: number): string =>
      group.write(ada, { kind: 'info', name: `fork ${i}` }, { parents: [], previous: create })
    for (let i = 1; i < MAX_CHAINS_OF_ACCOUNT; i++) fork(i)
    expect(group.outcome.kind).toBe('applied')
    fork(0)
    expect(group.outcome).toEqual({ kind: 'refused', reason: 'full' })
    group.write(
      ada,
      { kind: 'info', name: 'goes on' },
      { parents: [], previous: [...group.graph.heads].at(-1) ?? null },
    )
    expect(group.outcome.kind).toBe('applied')
  })

  it('what one account writes beyond 4096 operations', () => {
    const { group } = started()
    let previous = group.last.get(toHex(deviceOf(ada, 1).named.did)) ?? ''
    const write = (): string => group.write(ada, { kind: 'leave' }, { parents: [], previous })
    while (group.graph.size < MAX_OPERATIONS_OF_ACCOUNT) previous = write()
    expect(group.outcome.kind).toBe('applied')
    write()
    expect(group.outcome).toEqual({ kind: 'refused', reason: 'full' })
    group.card(bob)
    expect(group.outcome.kind).toBe('applied')
  })

  it('an older record than one in its past, and a device that its past revoked', () => {
    const { group } = started()
    const mine: Member = { ...bob }
    const heads = [...group.graph.heads]
    group.card(mine, { parents: heads })
    const [old] = mine.devices
    const next = deviceOf(mine, 2)
    mine.record = recordOf(mine, [next], 3)
    const renewed = group.card(mine, { device: next })
    expect(group.outcome.kind).toBe('applied')
    group.write(mine, { kind: 'leave' }, { device: old as never, parents: [renewed] })
    expect(group.outcome).toEqual({ kind: 'refused', reason: 'record' })
    for (const seq of [2, 3]) {
      const record = recordOf(mine, [next, deviceOf(mine, 3)], seq)
      group.write(mine, { kind: 'card', record, prekey: PREKEY, route: null }, { device: next })
      expect(group.outcome).toEqual({ kind: 'refused', reason: 'record' })
    }
  })
})

function fail(): never {
  throw new Error('nothing there')
}

function flip(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte))
}

function forge(group: TestGroup, change: (operation: TestGroup['operations'][number]) => object): void {
  const before = group.graph
  group.card(bob)
  group.graph = before
  const card = group.operations.at(-1) ?? fail()
  group.add(decodeOperation(encodeOperation({ ...card, ...change(card) })))
}

function stolen(thief: Member, from: Member): Member['devices'][number] {
  return { key: thief.devices[0]?.key ?? fail(), named: from.devices[0]?.named ?? fail() }
}

function unsigned(who: Member): Member {
  const { bytes } = who.record
  return { ...who, record: { ...who.record, bytes: concat(bytes.subarray(0, -64), flip(bytes.subarray(-64))) } }
}

function without(who: Member): Member['record'] {
  return recordOf(who, [deviceOf(who, 2)], 2)
}
