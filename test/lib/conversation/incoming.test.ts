import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  applyHeartbeat,
  applyPayload,
  decodeIncoming,
  encodeIncoming,
  gaps,
  type IncomingState,
  markRead,
  MAX_SEEN_RANGES,
  missingBefore,
  NEW_INCOMING,
  RECENT_COUNTERS,
  unreadCount,
} from '../../../lib/conversation/incoming.ts'
import {
  ephemeralPayload,
  jumpTo,
  NEW_OUTGOING,
  nextPayload,
  type OutgoingState,
} from '../../../lib/conversation/outgoing.ts'
import { KINDS, type Payload } from '../../../lib/conversation/payload.ts'
import { MAX_COUNTER } from '../../../lib/conversation/ranges.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import { expectStrictDecoder } from '../../support/strict-decoder.ts'
import '../../support/seed.ts'

interface Written {
  readonly payload: Payload
  readonly bytes: Uint8Array
}

/** What an author writes, one after the other; `life` makes other payloads of the same numbers. */
function write(count: number, life = 0, from: OutgoingState = NEW_OUTGOING): readonly Written[] {
  let state = from
  return Array.from({ length: count }, () => {
    const next = nextPayload(portable, state, {
      kind: KINDS.text,
      id: new Uint8Array(16).fill(life),
      content: new Uint8Array(0),
      conversation: new Uint8Array(0),
      sentAt: 0,
      expiresAfter: 0,
      seenLamport: 0,
    })
    state = next.state
    return next
  })
}

const apply = (state: IncomingState, { payload, bytes }: Written) => applyPayload(portable, state, payload, bytes)

function applyNew(
  state: IncomingState,
  written: Written | undefined,
): Extract<ReturnType<typeof apply>, { kind: 'new' }> {
  const applied = written && apply(state, written)
  if (applied?.kind !== 'new') throw new Error(`expected a new payload, got ${applied?.kind}`)
  return applied
}

const readAll = (state: IncomingState, all: readonly (Written | undefined)[]) =>
  all.reduce((before, written) => applyNew(before, written).state, state)

const at = (counter: number): Written => {
  const [written] = write(1, 0, { ...NEW_OUTGOING, counter: counter - 1 })
  return written as Written
}

describe('a reader', () => {
  const six = write(6)

  test('sees an unbroken conversation without gaps and with its chain proved', () => {
    let state = NEW_INCOMING
    for (const written of six) {
      const applied = applyNew(state, written)
      expect(applied).toMatchObject({ missingBefore: 0, chain: 'ok' })
      state = applied.state
    }
    expect(state).toMatchObject({ seen: [[1, 6]], latestKnown: 6, lamport: 6 })
    expect(gaps(state, 10)).toEqual([])
  })

  test('shows a gap, asks for it, and fills it from a late arrival', () => {
    const state = readAll(NEW_INCOMING, [six[0], six[1]])
    const jumped = applyNew(state, six[4])
    expect(jumped).toMatchObject({ missingBefore: 2, chain: 'unknown' })
    expect(gaps(jumped.state, 10)).toEqual([[3, 4]])
    const late = applyNew(jumped.state, six[3])
    expect(late).toMatchObject({ missingBefore: 1, chain: 'unknown' })
    const filled = applyNew(late.state, six[2])
    expect(filled).toMatchObject({ missingBefore: 0, chain: 'ok' })
    expect(filled.state).toMatchObject({ seen: [[1, 5]], lamport: 5 })
    expect(gaps(filled.state, 10)).toEqual([])
    expect(missingBefore(filled.state.seen, 5)).toBe(0)
    expect(applyNew(filled.state, six[5]).chain).toBe('ok')
  })

  test('notices the loss of the first message', () => {
    expect(applyNew(NEW_INCOMING, six[1])).toMatchObject({ missingBefore: 1, chain: 'unknown' })
  })

  test('a heartbeat shows what is missing at the end, and says nothing new twice', () => {
    const state = applyHeartbeat(readAll(NEW_INCOMING, six), 9)
    expect(gaps(state, 10)).toEqual([[7, 9]])
    expect(applyHeartbeat(state, 9)).toBe(state)
    expect(applyHeartbeat(state, 4)).toBe(state)
  })

  test('asks for the latest first, and never for more than the limit, whatever the author claims', () => {
    const state = applyHeartbeat(readAll(NEW_INCOMING, [six[1], six[3]]), 6)
    expect(gaps(state, 3)).toEqual([
      [3, 3],
      [5, 6],
    ])
    expect(gaps(state, 1)).toEqual([[6, 6]])
    expect(gaps(applyHeartbeat(state, MAX_COUNTER), 100)).toEqual([[MAX_COUNTER - 99, MAX_COUNTER]])
    expect(gaps(state, 0)).toEqual([])
  })

  test('knows a duplicate, recent or old', () => {
    const many = write(RECENT_COUNTERS + 5)
    const state = readAll(NEW_INCOMING, many)
    for (const written of many) expect(apply(state, written)).toEqual({ kind: 'seen' })
  })

  test('tells a device that went back in time from a duplicate', () => {
    const state = readAll(NEW_INCOMING, six)
    for (const other of write(6, 1)) expect(apply(state, other)).toEqual({ kind: 'conflict', highest: 6 })
    const [next] = write(1, 1, jumpTo(NEW_OUTGOING, 6))
    expect(applyNew(state, next)).toMatchObject({ missingBefore: 0, chain: 'unknown' })
  })

  test('says when the chain does not fit', () => {
    const state = readAll(NEW_INCOMING, six.slice(0, 3))
    expect(applyNew(state, write(4, 1)[3]).chain).toBe('broken')
  })

  test('does not lose its memory over a jump to the highest counter', () => {
    const far = at(MAX_COUNTER)
    const applied = applyNew(readAll(NEW_INCOMING, six), far)
    expect(applied.missingBefore).toBe(MAX_COUNTER - 7)
    expect(apply(applied.state, far)).toEqual({ kind: 'seen' })
    expect(decodeIncoming(encodeIncoming(applied.state))).toEqual(applied.state)
  })

  test('an author that leaves holes without end loses the lowest one, and nothing becomes unread by that', () => {
    let state = NEW_INCOMING
    for (let i = 1; i <= MAX_SEEN_RANGES + 3; i++) state = applyNew(state, at(2 * i)).state
    expect(state.seen.length).toBe(MAX_SEEN_RANGES)
    expect(state.seen[0]).toEqual([2, 8])
    expect(unreadCount(state)).toBe(MAX_SEEN_RANGES + 3)
    expect(decodeIncoming(encodeIncoming(state))).toEqual(state)
  })

  test('leaves the state that it was given alone', () => {
    const state = readAll(NEW_INCOMING, six.slice(0, 3))
    const copy = structuredClone(state)
    apply(state, six[5] as Written)
    apply(state, six[1] as Written)
    expect(state).toEqual(copy)
  })

  test('refuses to count what has no number', () => {
    const typing = ephemeralPayload({
      kind: KINDS.typing,
      id: new Uint8Array(16),
      content: new Uint8Array(0),
      conversation: new Uint8Array(0),
      sentAt: 0,
    })
    expect(() => apply(NEW_INCOMING, typing)).toThrow(TypeError)
  })

  test('ends with the same state in whatever order and how often payloads arrive', () => {
    const twelve = write(12)
    const whole = readAll(NEW_INCOMING, twelve)
    const order = fc.shuffledSubarray([...twelve, ...twelve], { minLength: 24, maxLength: 24 })
    fc.assert(
      fc.property(order, (arrivals) => {
        let state = NEW_INCOMING
        let applied = 0
        for (const written of arrivals) {
          const result = apply(state, written)
          if (result.kind !== 'new') continue
          expect(result.chain).not.toBe('broken')
          applied++
          state = result.state
        }
        expect(applied).toBe(12)
        expect(state).toEqual(whole)
      }),
    )
  })
})

describe('reading', () => {
  const five = write(5)

  test('marks what is there up to a counter, once', () => {
    const state = readAll(NEW_INCOMING, [five[0], five[1], five[3]])
    expect(unreadCount(state)).toBe(3)
    const first = markRead(state, 4)
    expect(first.newlyRead).toEqual([
      [1, 2],
      [4, 4],
    ])
    expect(unreadCount(first.state)).toBe(0)
    expect(markRead(first.state, 4)).toEqual({ state: first.state, newlyRead: [] })
    const late = readAll(first.state, [five[2], five[4]])
    expect(unreadCount(late)).toBe(2)
    expect(markRead(late, 4).newlyRead).toEqual([[3, 3]])
  })
})

test('the stored state of a reader is read strictly', () => {
  const { state } = markRead(readAll(NEW_INCOMING, [...write(3), at(9)]), 2)
  for (const value of [NEW_INCOMING, state]) {
    expectStrictDecoder({ value, encode: encodeIncoming, decode: decodeIncoming, maxBytes: 128 * 1024 })
  }
})
