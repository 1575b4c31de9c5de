import { describe, expect, test } from 'vitest'
import { equalBytes, fromHex, toHex } from '../../../../lib/bytes.ts'
import { type EarlyChange, MAX_EARLY } from '../../../../lib/chat/head.ts'
import { decodeChanges } from '../../../../lib/conversation/changes.ts'
import { decodeRecord } from '../../../../lib/conversation/history.ts'
import { decodePayload, encodePayload, KINDS } from '../../../../lib/conversation/payload.ts'
import { encodeContent } from '../../../../lib/conversation/contents.ts'
import { nextPlace } from '../../../../lib/group/graph.ts'
import { GROUP_FRAME_TYPE } from '../../../../lib/group/group-frame.ts'
import { signOperation } from '../../../../lib/group/operation.ts'
import type { Content as OperationContent } from '../../../../lib/group/operation-content.ts'
import { sealGroupFrame } from '../../../../lib/group/seal-frame.ts'
import { announceChain, createChain, type OwnChain } from '../../../../lib/group/sender-chain.ts'
import { accountId } from '../../../../lib/identity/account.ts'
import { native } from '../../../../node/crypto.ts'
import {
  acquaint,
  expectDone,
  gather,
  groupOf,
  heard,
  latestId,
  membersSeenBy,
  sayTo,
} from '../../../support/group-machines.ts'
import { hostileMember } from '../../../support/hostile-member.ts'
import { selfIn } from '../../../support/insider.ts'
import { createWorld, type Someone, type World } from '../../../support/machines.ts'
import { seededRandom } from '../../../support/random.ts'

interface Four {
  readonly world: World
  readonly ada: Someone
  readonly ben: Someone
  readonly cleo: Someone
  readonly dan: Someone
  readonly people: readonly Someone[]
  readonly gid: Uint8Array
}

/** Ada's group; the others know her alone, and Dan does as he likes. Everybody has said something. */
function four(seed: string): Four {
  const world = createWorld(seed)
  const people = ['ada', 'ben', 'cleo', 'dan'].map((name) => world.person(name)) as [Someone, Someone, Someone, Someone]
  const [ada, ben, cleo, dan] = people
  world.advance(2_000)
  for (const other of [ben, cleo, dan]) acquaint(world, ada, other)
  gather(world, ada, [ben, cleo, dan])
  world.advance(20_000)
  for (const who of people) expectDone(sayTo(who, `I am ${who.name}`))
  world.advance(60_000)
  return { world, ada, ben, cleo, dan, people, gid: groupOf(ada)?.group?.gid ?? new Uint8Array() }
}

const id = (who: Someone): string => groupOf(who)?.id ?? ''

/** How many messages are said to be missing before some. */
function missing(who: Someone): number {
  return [...who.rows.values()]
    .filter(({ range, key }) => range === 'message' && toHex(key).startsWith(id(who)))
    .reduce((sum, { value }) => sum + decodeRecord(value as Uint8Array).missingBefore, 0)
}

function chainOf({ gid, dan }: Four): OwnChain {
  const { did } = selfIn(dan)
  const aid = accountId(native, dan.account)
  return createChain(native, seededRandom('hostile chain'), { gid, aid, did, heads: [], now: Date.UTC(2026, 5, 1, 10) })
}

/** An operation of Dan's that follows what he knew of the group at `graph`. */
function operationOf(four: Four, content: OperationContent, graph = groupOf(four.dan)?.group?.graph): Uint8Array {
  const { deviceKey, did } = selfIn(four.dan)
  if (graph === undefined) throw new Error('dan is in no group')
  const account = four.dan.account
  const place = nextPlace(graph, { account, did }, new Set())
  return signOperation(native, deviceKey, { gid: four.gid, ...place, account, did, content, sentAt: 0 }).bytes
}

function payload(
  gid: Uint8Array,
  text: string,
  counter: number,
  messageId: Uint8Array = seededRandom(text).bytes(16),
): Uint8Array {
  return encodePayload({
    kind: KINDS.text,
    id: messageId,
    conversation: gid,
    counter,
    previousHash: new Uint8Array(32),
    lamport: 100 + counter,
    sentAt: 0,
    expiresAfter: 0,
    content: encodeContent({ kind: 'text', text, replyTo: null }),
  })
}

function editOf(gid: Uint8Array, target: Uint8Array, counter: number): Uint8Array {
  return encodePayload({
    kind: KINDS.edit,
    id: seededRandom(`edit ${counter}`).bytes(16),
    conversation: gid,
    counter,
    previousHash: new Uint8Array(32),
    lamport: 100 + counter,
    sentAt: 0,
    expiresAfter: 0,
    content: encodeContent({ kind: 'edit', target, text: 'not this' }),
  })
}

function expectAllWell({ world, ada, ben, cleo }: Four): void {
  const before = heard(ben).length
  for (const who of [ada, ben, cleo]) expectDone(sayTo(who, `still ${who.name}`))
  world.advance(120_000)
  const texts = heard(ada)
  expect(texts).toHaveLength(before + 3)
  expect(new Set(texts).size).toBe(texts.length)
  for (const who of [ben, cleo]) expect(heard(who)).toEqual(texts)
  for (const who of [ada, ben, cleo]) expect([who.name, missing(who)]).toEqual([who.name, 0])
}

describe('a member', () => {
  test('who repeats what others sent has nothing shown twice', () => {
    const all = four('repeats')
    const { world, ben, cleo, dan, gid } = all
    const frames = ben.sends.filter(({ bytes }) => bytes[0] === GROUP_FRAME_TYPE).map(({ bytes }) => bytes)
    expect(frames.length).toBeGreaterThan(0)
    const before = heard(cleo)
    const { send } = hostileMember(dan, cleo, gid, () => world.now)
    for (let i = 0; i < 50; i++) for (const frame of frames) send(frame.slice())
    world.advance(5_000)
    expect(heard(cleo)).toEqual(before)
    expectAllWell(all)
  })

  test('who lies in receipts makes nobody lose or see twice what others wrote, nor see that something is missing', () => {
    const all = four('receipts')
    const { world, ada, ben, cleo, dan, gid } = all
    const { did } = selfIn(ada)
    // cleo hears nothing for now, so that what ada says waits
    const { faults } = world
    world.faults = { ...faults, deliver: (_from, to) => to !== cleo }
    expectDone(sayTo(ada, 'waits for cleo'))
    world.advance(10_000)
    const liar = hostileMember(dan, ada, gid, () => world.now)
    for (const counter of [50, 1_000, 2 ** 30, 2 ** 39, 2 ** 40 - 1]) {
      const delivered = [[1, counter]] as const
      liar.say(
        [{ kind: 'receipt', entries: [{ author: did, conversation: gid, delivered, read: [] }] }],
        new Uint8Array(),
      )
      world.advance(1_000)
    }
    world.faults = faults
    world.advance(120_000)
    for (const who of [ada, ben, cleo]) expect(heard(who).filter((text) => text === 'waits for cleo')).toHaveLength(1)
    expectAllWell(all)
  })

  test('who lies about how far the chains of others are costs them nothing but an answer', () => {
    const all = four('progress')
    const { world, ada, dan, gid } = all
    const own = groupOf(ada)?.group?.own
    const liar = hostileMember(dan, ada, gid, () => world.now)
    const keysSent = (): number => groupOf(ada)?.group?.row.past.length ?? 0
    const before = keysSent()
    for (let i = 0; i < 100; i++) {
      const chain = groupOf(ada)?.group?.own?.id ?? own?.id ?? new Uint8Array(16)
      liar.say([{ kind: 'group-have', heads: [], chains: [{ chain, next: 400 }] }])
      sayTo(ada, `word ${i}`)
      world.advance(100)
    }
    world.advance(60_000)
    // a new chain for each would be new keys for everybody
    expect(keysSent() - before).toBeLessThan(10)
    expectAllWell(all)
  })

  test('who hands out what it calls the chain of somebody else speaks for itself alone', () => {
    const all = four('chains')
    const { world, ben, cleo, dan, gid } = all
    const chain = chainOf(all)
    const stolen = [...(groupOf(dan)?.group?.chains.values() ?? [])].find(({ did }) =>
      did.every((byte, i) => byte === selfIn(ben).did[i]),
    )
    if (stolen === undefined) throw new Error('dan was handed no chain of ben')
    const liar = hostileMember(dan, cleo, gid, () => world.now)
    liar.say([{ kind: 'group-keys', announcement: announceChain(chain, null) }])
    liar.say([
      {
        kind: 'group-keys',
        announcement: {
          ...announceChain(chain, null),
          publicKey: stolen.publicKey,
          headerKey: stolen.headerKey.slice(),
        },
      },
    ])
    const sealed = sealGroupFrame(native, seededRandom('seal'), chain, payload(gid, 'I am ben', 2), [])
    liar.send(sealed.frame)
    world.advance(5_000)
    const row = [...cleo.rows.values()]
      .filter(({ range }) => range === 'message')
      .map(({ value }) => decodeRecord(value as Uint8Array))
      .find((record) => record.payload.length > 0 && decodePayload(record.payload).lamport === 102)
    expect(groupOf(cleo)?.group?.authors.get(toHex(row?.author ?? new Uint8Array()))?.account).toEqual(dan.account)
    expectDone(sayTo(ben, 'I am ben myself'))
    world.advance(5_000)
    expect(heard(cleo)).toContain('I am ben myself')
  })

  test('who writes a message of the id of another has that one shown all the same, however late it comes', () => {
    const all = four('ids')
    const { world, ben, cleo, dan, gid } = all
    const { faults } = world
    world.faults = { ...faults, deliver: (_from, to) => to !== cleo, gossip: (_from, to) => to !== cleo }
    expectDone(sayTo(ben, 'comes late'))
    const late = latestId(ben)
    world.advance(500)
    world.faults = faults
    expectDone(sayTo(ben, 'comes first'))
    world.advance(500)
    expect(heard(cleo)).toContain('comes first')
    expect(heard(cleo)).not.toContain('comes late')
    const chain = chainOf(all)
    const thief = hostileMember(dan, cleo, gid, () => world.now)
    thief.say([{ kind: 'group-keys', announcement: announceChain(chain, null) }])
    const stolen = payload(gid, 'I was first', 2, late)
    thief.send(sealGroupFrame(native, seededRandom('seal'), chain, stolen, []).frame)
    world.advance(120_000)
    expect(heard(cleo)).toContain('I was first')
    expect(heard(cleo)).toContain('comes late')
  })

  test('who changes messages that never were has nothing forgotten that others changed', () => {
    const all = four('early changes')
    const { world, ben, cleo, dan, gid } = all
    const { faults } = world
    world.faults = { ...faults, deliver: (_from, to) => to !== cleo, gossip: (_from, to) => to !== cleo }
    const late = expectDone(sayTo(ben, 'comes late'))
    if (late.kind !== 'message') throw new Error('no message')
    world.advance(500)
    world.faults = faults
    expectDone(ben.command({ kind: 'edit', contact: id(ben), message: late.id, text: 'changed before it came' }))
    world.advance(500)
    const authorOf = ({ by }: EarlyChange) => groupOf(cleo)?.group?.authors.get(toHex(by ?? new Uint8Array()))?.account
    const early = () =>
      groupOf(cleo)?.head.early.filter((each) => equalBytes(authorOf(each) ?? new Uint8Array(), ben.account))
    expect(early()).toHaveLength(1)
    const chain = chainOf(all)
    const liar = hostileMember(dan, cleo, gid, () => world.now)
    liar.say([{ kind: 'group-keys', announcement: announceChain(chain, null) }])
    let sealing = chain
    for (let i = 0; i < 2 * MAX_EARLY; i++) {
      const target = i === 0 ? late.id : seededRandom(`never ${i}`).bytes(16)
      const sealed = sealGroupFrame(native, seededRandom(`seal ${i}`), sealing, editOf(gid, target, 2 + i), [])
      sealing = sealed.chain
      liar.send(sealed.frame)
    }
    world.advance(100)
    expect(groupOf(cleo)?.head.early).toHaveLength(MAX_EARLY)
    expect(early()).toHaveLength(1)
    cleo.restart()
    world.advance(120_000)
    expect(heard(cleo)).toContain('comes late')
    const rows = [...cleo.rows.values()].filter(
      ({ range, key }) => range === 'change' && toHex(key).endsWith(toHex(late.id)),
    )
    const texts = rows.flatMap(({ value }) => decodeChanges(value as Uint8Array)).map(({ content }) => content)
    expect(texts).toContainEqual(expect.objectContaining({ kind: 'edit', text: 'changed before it came' }))
  })

  test('who floods with comparisons and questions gets a bounded answer', () => {
    const all = four('flood')
    const { world, cleo, dan, gid } = all
    for (let i = 0; i < 20; i++) sayTo(all.ben, `text ${i}`)
    world.advance(30_000)
    const liar = hostileMember(dan, cleo, gid, () => world.now)
    const chains = [...(groupOf(cleo)?.group?.chains.values() ?? [])].map(({ id: chain }) => chain)
    const before = cleo.sends.reduce((sum, { bytes }) => sum + bytes.length, 0)
    for (let i = 0; i < 400; i++) {
      liar.say([
        { kind: 'group-have', heads: [], chains: chains.map((chain) => ({ chain, next: 0 })) },
        { kind: 'group-want', operations: [], frames: chains.map((chain) => ({ chain, from: 0, to: 199 })) },
      ])
      world.advance(10)
    }
    const bytes = cleo.sends.reduce((sum, each) => sum + each.bytes.length, 0) - before
    expect(bytes).toBeLessThan(1.5 * (1 << 20))
    expectAllWell(all)
  })

  test('who sends frames of chains that nobody knows has a bounded number of them kept', () => {
    const all = four('unknown')
    const { world, cleo, dan, gid } = all
    const chain = chainOf(all)
    const { send } = hostileMember(dan, cleo, gid, () => world.now)
    const { frame } = sealGroupFrame(native, seededRandom('seal'), chain, payload(gid, 'nobody reads this', 2), [])
    for (let i = 0; i < 1_000; i++) {
      const other = frame.slice()
      other.set(seededRandom(`chain ${i}`).bytes(16), 1)
      send(other)
    }
    world.advance(5_000)
    expect(heard(cleo)).not.toContain('nobody reads this')
    expectAllWell(all)
  })
})

describe('who is a member no more', () => {
  test('cannot come back by operations from before, nor be heard', () => {
    const all = four('backdates')
    const { world, ada, ben, cleo, dan, gid, people } = all
    expectDone(ada.command({ kind: 'group-role', group: id(ada), account: toHex(dan.account), role: 'admin' }))
    world.advance(10_000)
    expect(membersSeenBy(ben, people)).toContain('dan admin')
    const graph = groupOf(dan)?.group?.graph
    const chain = chainOf(all)
    const toBen = hostileMember(dan, ben, gid, () => world.now)
    const toAda = hostileMember(dan, ada, gid, () => world.now)
    for (const other of [toBen, toAda]) other.say([{ kind: 'group-keys', announcement: announceChain(chain, null) }])
    const fork = [
      operationOf(all, { kind: 'add', account: dan.account, role: 'member' }, graph),
      operationOf(all, { kind: 'info', name: 'mine' }, graph),
    ]
    expectDone(ada.command({ kind: 'group-remove', group: id(ada), account: toHex(dan.account) }))
    world.advance(20_000)
    for (const who of [ada, ben, cleo]) expect(membersSeenBy(who, people)).not.toContain('dan admin')
    const sealed = sealGroupFrame(native, seededRandom('seal'), chain, payload(gid, 'I am back', 2), [])
    // ada is a contact of his, so there is a way
    toAda.say([{ kind: 'group-ops', operations: fork }])
    toAda.say([{ kind: 'group-keys', announcement: announceChain(sealed.chain, null) }])
    toAda.send(sealed.frame)
    world.advance(60_000)
    for (const who of [ada, ben, cleo]) {
      expect(membersSeenBy(who, people).join()).not.toContain('dan')
      expect(groupOf(who)?.group?.view.name).toBe('trip')
      expect(heard(who)).not.toContain('I am back')
    }
    expectAllWell(all)
  })
})

describe('an owner who names two successors', () => {
  test('freezes the group for everybody, who see whom, and writes no more', () => {
    const all = four('two successors')
    const { world, ada, ben, cleo, dan, gid, people } = all
    const { deviceKey, did } = selfIn(ada)
    const graph = groupOf(ada)?.group?.graph
    if (graph === undefined) throw new Error('no group')
    const place = nextPlace(graph, { account: ada.account, did }, new Set())
    const transfer = (heir: Someone): Uint8Array =>
      signOperation(native, deviceKey, {
        gid,
        ...place,
        account: ada.account,
        did,
        content: { kind: 'transfer', account: heir.account },
        sentAt: 0,
      }).bytes
    hostileMember(ada, ben, gid, () => world.now).say([{ kind: 'group-ops', operations: [transfer(ben)] }])
    hostileMember(ada, cleo, gid, () => world.now).say([{ kind: 'group-ops', operations: [transfer(cleo)] }])
    world.advance(60_000)
    for (const who of [ben, cleo, dan]) {
      const { frozen } = groupOf(who)?.group?.view ?? { frozen: null }
      expect(frozen?.successors.map((each) => people.find((one) => toHex(one.account) === each)?.name)).toEqual(
        [ben, cleo].sort((a, b) => (toHex(a.account) < toHex(b.account) ? -1 : 1)).map(({ name }) => name),
      )
      expect(sayTo(who, 'anybody?')).toMatchObject({ kind: 'refused' })
    }
    expect(fromHex(toHex(gid))).toEqual(gid)
  })
})

describe('who carries what others say', () => {
  test('and leaves something out is found out: a message is missing, and is asked for', () => {
    const all = four('leaves out')
    const { world, ada, ben, cleo, dan } = all
    ada.online = false
    ada.restart()
    // ben and cleo hear each other through dan alone, who keeps the first frame to himself
    const apart = (a: Someone, b: Someone): boolean => [a, b].includes(ben) && [a, b].includes(cleo)
    world.reset(ben, cleo)
    const { faults } = world
    const sent = ben.sends.length
    const isFirst = (bytes: Uint8Array): boolean => {
      const first = ben.sends.slice(sent).find((each) => each.bytes[0] === GROUP_FRAME_TYPE)
      return first !== undefined && toHex(first.bytes) === toHex(bytes)
    }
    world.faults = {
      ...faults,
      reachable: (a, b) => !apart(a, b),
      deliver: (a, b, bytes) => !apart(a, b) && !(a === dan && b === cleo && isFirst(bytes)),
      gossip: (a, b, bytes) => !apart(a, b) && !(a === dan && b === cleo && isFirst(bytes)),
    }
    world.advance(30_000)
    expectDone(sayTo(ben, 'left out'))
    expectDone(sayTo(ben, 'passed on'))
    world.advance(60_000)
    expect(heard(cleo)).toContain('passed on')
    expect(heard(cleo)).not.toContain('left out')
    expect(missing(cleo)).toBe(1)
    world.faults = faults
    ada.online = true
    ada.restart()
    world.advance(1_200_000)
    expect(heard(cleo).slice(-2)).toEqual(['left out', 'passed on'])
  })
})
