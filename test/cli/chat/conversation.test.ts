import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import '../../support/seed.ts'
import { readEntered } from '../../../cli/chat/commands.ts'
import { type Conversation, createConversation, ranges } from '../../../cli/chat/conversation.ts'
import { newcomers } from '../../../cli/chat/feed.ts'
import { MAX_MESSAGE_BYTES, partsOf } from '../../../cli/chat/parts.ts'
import { nearest } from '../../../cli/nearest.ts'
import type { Message } from '../../../node/api.ts'
import { fakeAccount, ME } from '../../support/fake-node.ts'

const BOB = fakeAccount('b')
const at = new Date(2026, 7, 1, 9, 5).getTime()

function message(id: string, fields: Partial<Message> = {}): Message {
  return { id, conversation: BOB, from: BOB, text: id, kind: 'text', at, state: 'delivered', states: {}, ...fields }
}

function own(id: string, state: Message['state'], fields: Partial<Message> = {}): Message {
  return message(id, { from: ME, state, ...fields })
}

function open(everyState = false): Conversation {
  return createConversation({
    me: ME,
    nameOf: (account) => (account === ME ? 'me' : 'bob'),
    paint: (_, text) => text,
    everyState,
  })
}

describe('a conversation', () => {
  test('shows each message once, under a number and its day', () => {
    const talk = open()
    expect(talk.show(message('hi'), 'now')).toEqual(['--- 2026-08-01 ---', '09:05 [1] bob: hi'])
    expect(talk.show(message('hi'), 'now')).toEqual([])
    expect(talk.show(message('x', { replyTo: 'hi' }), 'now')).toEqual(['09:05 [2] bob (to [1]): x'])
    expect(talk.show(message('y', { replyTo: 'unknown', missing: 2 }), 'now')).toEqual([
      '  (2 missing here)',
      '09:05 [3] bob (to an older one): y',
    ])
    expect(talk.show(message('z', { kind: 'deleted' }), 'history')).toEqual(['09:05 [4] bob: (deleted)'])
  })

  test('corrects a state that stands printed, and says nothing of others but a bad end', () => {
    const talk = open()
    expect(talk.show(own('old', 'queued'), 'history').at(-1)).toBe('09:05 [1] me: old (queued)')
    expect(talk.show(own('new', 'queued'), 'now')).toEqual(['09:05 [2] me: new'])
    expect(talk.status()).toBe('[2] queued')
    expect(talk.update([own('old', 'delivered'), own('new', 'delivered')])).toEqual(['  [1] delivered'])
    expect(talk.status()).toBe('[1-2] delivered')
    expect(talk.update([own('new', 'failed', { reason: 'the disk\x1b[2J' })])).toEqual(['  [2] failed: the disk[2J'])
    expect(talk.update([own('new', 'failed')])).toEqual([])
  })

  test('says every state as a line where there is no other place, several messages at once', () => {
    const talk = open(true)
    for (const id of ['a', 'b', 'c', 'd']) talk.show(own(id, 'queued'), 'now')
    const read = ['a', 'b', 'd'].map((id) => own(id, 'read'))
    expect(talk.update([...read, own('c', 'delivered')])).toEqual(['  [1-2, 4] read', '  [3] delivered'])
    expect(talk.update(read)).toEqual([])
  })

  test('says what was edited, deleted, reacted to and erased, without a word that commands the terminal', () => {
    const talk = open()
    talk.show(message('a'), 'now')
    expect(talk.update([message('a', { text: 'b\x1b[2J\nc', edited: 1 })])).toEqual(['  [1] edited by bob: b[2J\n  c'])
    expect(talk.update([message('a', { text: 'b\x1b[2J\nc', reactions: { [BOB]: '\x07👍', [ME]: '🎉' } })])).toEqual([
      '  [1] bob: 👍',
      '  [1] me: 🎉',
    ])
    expect(talk.update([message('a', { text: 'b\x1b[2J\nc' })])).toEqual([
      '  [1] bob took the reaction back',
      '  [1] me took the reaction back',
    ])
    expect(talk.update([message('a', { kind: 'deleted' })])).toEqual(['  [1] deleted by bob'])
    expect(talk.erase(['a', 'unknown'])).toEqual(['  [1] erased'])
    expect(talk.find(1)).toBeUndefined()
  })
})

test('what happened to a group is said without a number, and a message there with how many it is', () => {
  const carol = fakeAccount('c')
  const members = (...states: readonly Message['state'][]): Message['states'] => ({
    members: Object.fromEntries(states.map((state, at) => [fakeAccount('bcd'[at] ?? ''), { state }])),
  })
  const talk = open(true)
  const change = { what: 'added', accounts: [carol], role: 'member' } as const
  expect(talk.show(message('op', { kind: 'group-op', change }), 'now').at(-1)).toBe('09:05 * bob added bob')
  expect(talk.show(own('op2', 'read', { kind: 'group-op', change: { what: 'left' } }), 'now')).toEqual([
    '09:05 * You left',
  ])
  expect(talk.show(own('a', 'queued', { states: members('queued', 'queued') }), 'now')).toEqual([
    '09:05 [1] me: a (queued)',
  ])
  expect(talk.update([own('a', 'queued', { states: members('delivered', 'queued') })])).toEqual([
    '  [1] delivered to 1 of 2',
  ])
  expect(talk.status()).toBe('[1] delivered to 1 of 2')
  expect(talk.update([own('a', 'delivered', { states: members('delivered', 'read') })])).toEqual([
    '  [1] read by 1 of 2',
  ])
  expect(talk.update([own('a', 'read', { states: members('read', 'read') })])).toEqual(['  [1] read'])
  expect(talk.find(1)).toMatchObject({ id: 'a' })
})

test('what came while nobody listened is what stands behind something that was shown, not what is older', () => {
  const all = ['old', 'older', 'shown', 'new', 'shown too', 'newer'].map((id) => message(id))
  const ids = (known: readonly string[]): string[] => newcomers(all, (id) => known.includes(id)).map(({ id }) => id)
  expect(ids(['shown', 'shown too'])).toEqual(['new', 'newer'])
  expect(ids([])).toHaveLength(6)
})

test('numbers are said as ranges', () => {
  expect(ranges([3, 1, 2, 7, 9, 10])).toBe('1-3, 7, 9-10')
})

describe('what is entered', () => {
  test.each([
    ['hello', { kind: 'text', text: 'hello' }],
    ['//shrug', { kind: 'text', text: '/shrug' }],
    ['//a\nb', { kind: 'text', text: '/a\nb' }],
    ['  ', { kind: 'nothing' }],
    ['/QUIT', { kind: 'command', name: 'quit' }],
    ['/react 3 👍', { kind: 'command', name: 'react' }],
  ])('%j is understood', (line, expected) => {
    expect(readEntered(line)).toMatchObject(expected)
  })

  test.each([
    ['/hepl', 'Did you mean /help?'],
    ['/reatc 👍', 'Did you mean /react?'],
    ['/frobnicate', '/help lists them.'],
  ])('%j is refused and says: %s', (line, why) => {
    expect(() => readEntered(line)).toThrow(why)
  })
})

test('a text of several lines is no command, whatever it begins with', () => {
  for (const line of ['/quit\nrm -rf', '/delete\n1']) expect(() => readEntered(line)).toThrow('so it is no command')
  expect(readEntered('/quit\n')).toMatchObject({ kind: 'command', name: 'quit' })
})

test('a long text is cut into messages that fit and hold all of it, at line ends and spaces where there are any', () => {
  expect(partsOf('aaa bbb\nccc ddd', 8)).toEqual(['aaa bbb', 'ccc ddd'])
  expect(partsOf('aaa bbb ccc', 8)).toEqual(['aaa bbb', 'ccc'])
  expect(partsOf('x'.repeat(20), 8)).toEqual(['xxxxxxxx', 'xxxxxxxx', 'xxxx'])
  expect(partsOf(`👩‍👩‍👧${'\u0301'.repeat(50)}`, 16).join('')).toBe(`👩‍👩‍👧${'\u0301'.repeat(50)}`)
  const text = fc.string({ unit: fc.constantFrom('a', ' ', '\n', 'ü', '日', '👩‍👩‍👧', 'e\u0301'), maxLength: 300 })
  fc.assert(
    fc.property(text, fc.integer({ min: 8, max: 60 }), (text, max) => {
      const parts = partsOf(text, max)
      for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(max)
      expect(parts.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
    }),
  )
  expect(MAX_MESSAGE_BYTES).toBe(8192)
})

test('a slip of the fingers is known, another word is not', () => {
  const words = ['send', 'status', 'contacts', 'completion']
  expect(
    ['sned', 'staus', 'contact', 'compltion', 'x', 'frobnicate', 'y'.repeat(1000)].map((word) => nearest(word, words)),
  ).toEqual(['send', 'status', 'contacts', 'completion', undefined, undefined, undefined])
})
