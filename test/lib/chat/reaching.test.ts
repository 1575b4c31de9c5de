import { beforeEach, describe, expect, test } from 'vitest'
import { type Chat, createChat } from '../../../lib/chat.ts'
import type { Effect, Event } from '../../../lib/chat/events.ts'
import { heldRows } from '../../../lib/chat/loading.ts'
import { rowsOfNewAccount } from '../../../lib/chat/own.ts'
import { encodeAccount } from '../../../lib/identity/account.ts'
import { createSelf } from '../../../lib/identity/self.ts'
import { native } from '../../../node/crypto.ts'
import { seededRandom } from '../../support/random.ts'

const NOON = Date.UTC(2026, 5, 1, 12)
const MINUTE = 60_000
const PEER = new Uint8Array(38).fill(5)
const HERE = new Uint8Array(8).fill(1)
const THERE = new Uint8Array(8).fill(2)

type Value = { readonly key: string; readonly value: Uint8Array }

function person(name: string, publicMode: 'account' | 'reachable'): { chat: Chat; account: Uint8Array } {
  const random = seededRandom(name)
  const self = createSelf(native, random, random.bytes(32), NOON)
  const rows = rowsOfNewAccount(native, random, self, name, NOON)
  const chat = createChat(
    { primitives: native, random, delivery: 'outbox', publicMode },
    heldRows((range) => rows.flatMap(({ range: own, key, value }) => (own === range && value ? [{ key, value }] : []))),
    NOON,
  )
  return { chat, account: self.accountRecord.account }
}

/** What Bob publishes when his node is there, within an hour. */
function published(chat: Chat, address: Uint8Array, now: number): readonly Value[] {
  const values: Value[] = []
  let due: number | null = null
  const at = (time: number, event: Event): void => {
    for (const effect of [...chat.handle(event, time), ...chat.handle({ kind: 'settle' }, time)]) {
      // Before it is replaced an own slot is looked into.
      if (effect.kind === 'resolve') at(time, { kind: 'resolved', contact: effect.contact, values: [] })
      if (effect.kind === 'publish') values.push({ key: effect.key, value: effect.value })
      if (effect.kind === 'timer' && effect.key === 'publish') due = effect.at
    }
  }
  at(now, { kind: 'network', peer: PEER, addresses: [address] })
  while (due !== null && due < now + 60 * MINUTE) at(due, { kind: 'timer', key: 'publish' })
  return values
}

let alice: Chat
let contact: string
let earlier: Value
let later: Value
let hidden: Value

function handle(event: Event, now = NOON + 3 * 60 * MINUTE): Effect[] {
  return [...alice.handle(event, now), ...alice.handle({ kind: 'settle' }, now)]
}

/** Where somebody is dialled. */
function dialled(effects: readonly Effect[]): Uint8Array[] {
  return effects.flatMap((effect) =>
    effect.kind === 'connect' ? effect.targets.flatMap(({ addresses }) => addresses) : [],
  )
}

const timersOf = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.kind === 'timer' && effect.at !== null ? [effect.key] : []))

beforeEach(() => {
  alice = person('alice', 'account').chat
  const bob = person('bob', 'reachable')
  handle({ kind: 'network', peer: new Uint8Array(38), addresses: [] })
  const effects = handle({ kind: 'command', id: 1, command: { kind: 'add', link: encodeAccount(bob.account) } })
  const looked = effects.find((effect) => effect.kind === 'resolve')
  if (looked === undefined) throw new Error('nothing is looked up')
  contact = looked.contact
  const first = (values: readonly Value[]): Value => {
    const found = values.find(({ key }) => looked.keys.includes(key))
    if (found === undefined) throw new Error('nothing that was published is looked up')
    return found
  }
  earlier = first(published(bob.chat, HERE, NOON))
  later = first(published(bob.chat, THERE, NOON + 60 * MINUTE))
  hidden = first(published(person('bob', 'account').chat, HERE, NOON))
})

describe('somebody who is looked up', () => {
  test('is dialled at the first answer, and once', () => {
    expect(dialled(handle({ kind: 'found', contact, ...earlier }))).toEqual([HERE])
    expect(dialled(handle({ kind: 'found', contact, ...earlier }))).toEqual([])
    expect(dialled(handle({ kind: 'resolved', contact, values: [earlier] }))).toEqual([])
  })

  test('is dialled at once where a later answer says that they are, if the first one was old', () => {
    handle({ kind: 'found', contact, ...earlier })
    expect(dialled(handle({ kind: 'resolved', contact, values: [earlier, later] }))).toEqual([THERE])
  })

  test('is dialled there too when the old place has failed already', () => {
    handle({ kind: 'found', contact, ...earlier })
    expect(timersOf(handle({ kind: 'unreachable', contact }))).toEqual([`reach:${contact}`])
    expect(dialled(handle({ kind: 'resolved', contact, values: [earlier, later] }))).toEqual([THERE])
  })

  test('is not dialled at an older place than the first answer named', () => {
    handle({ kind: 'found', contact, ...later })
    expect(dialled(handle({ kind: 'resolved', contact, values: [earlier, later] }))).toEqual([])
  })

  test('is waited for when the first answer names no place, until all answers are there', () => {
    const effects = handle({ kind: 'found', contact, ...hidden })
    expect(dialled(effects)).toEqual([])
    expect(timersOf(effects)).toEqual([])
    expect(timersOf(handle({ kind: 'resolved', contact, values: [hidden] }))).toEqual([`reach:${contact}`])
  })

  test('is not dialled any more once they were blocked', () => {
    handle({ kind: 'found', contact, ...earlier })
    handle({ kind: 'command', id: 2, command: { kind: 'block', contact } })
    expect(dialled(handle({ kind: 'resolved', contact, values: [earlier, later] }))).toEqual([])
  })

  test('is not dialled for a value that is not theirs', () => {
    const value = earlier.value.slice()
    value[value.length - 1] = (value.at(-1) as number) ^ 1
    expect(dialled(handle({ kind: 'found', contact, key: earlier.key, value }))).toEqual([])
    expect(dialled(handle({ kind: 'found', contact, key: 'another', value: earlier.value }))).toEqual([])
  })
})
