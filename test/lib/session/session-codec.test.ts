import { describe, expect, test } from 'vitest'
import { toHex } from '../../../lib/bytes.ts'
import { ProtocolError } from '../../../lib/errors.ts'
import { PQ_STEP_MS, pqAnswer, pqOffer, receivePqAnswer, receivePqOffer } from '../../../lib/session/pq-step.ts'
import { decodeSession, encodeSession, MAX_SESSION_BYTES } from '../../../lib/session/session-codec.ts'
import type { Session } from '../../../lib/session/session.ts'
import { wipeReplaced, wipeSession } from '../../../lib/session/wipe.ts'
import { decode, encode, type WireValue } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { primitivesUnderTest } from '../../support/random.ts'
import { confirmedPair, flipped, makePair, NOW, type Pair, read, type Side, seal } from '../../support/session-pair.ts'

/** Every state that a session goes through, one after the other. `between` may put another state in place of one. */
function script(pair: Pair, between: (side: Side) => void): void {
  const { primitives, random, alice, bob } = pair
  const both = () => {
    between(alice)
    between(bob)
  }
  const pass = (from: Side, to: Side, text: string) => {
    const { frame } = seal(pair, from, text)
    both()
    expect(read(pair, to, frame)).toBe(text)
    both()
  }
  const late: Uint8Array[] = []
  const lose = (from: Side) => {
    late.push(seal(pair, from, 'late').frame)
    both()
  }
  both()
  lose(alice)
  pass(alice, bob, 'a')
  lose(bob)
  pass(bob, alice, 'b')
  pass(alice, bob, 'c')
  const offer = pqOffer(primitives, random, alice.session, NOW + PQ_STEP_MS)
  if (offer === null) throw new Error('expected an offer')
  alice.session = offer.session
  both()
  bob.session = receivePqOffer(primitives, random, bob.session, offer.content, 2)
  both()
  const answer = pqAnswer(bob.session)
  if (answer === null) throw new Error('expected an answer')
  bob.session = answer.session
  pass(bob, alice, 'd')
  alice.session = receivePqAnswer(primitives, alice.session, answer.content)
  both()
  lose(alice)
  pass(alice, bob, 'e')
  pass(bob, alice, 'f')
  lose(alice)
  pass(alice, bob, 'g')
  expect(late.map((frame, i) => read(pair, i === 1 ? alice : bob, frame))).toEqual(late.map(() => 'late'))
  both()
}

const outcome = (bytes: Uint8Array) => {
  try {
    return decodeSession(bytes)
  } catch (error) {
    return error instanceof ProtocolError ? error.code : error
  }
}

describe.each(primitivesUnderTest)('a stored session on $name primitives', (primitives) => {
  test('goes on after every step as if it had never been stored', () => {
    script(makePair(primitives, 1), (side) => {
      const row = encodeSession(side.session)
      const back = decodeSession(row)
      expect(encodeSession(back)).toEqual(row)
      expect(back.confirmed).toBe(side.session.confirmed)
      side.session = back
    })
  })
})

describe('the row of a session', () => {
  const rows: Uint8Array[] = []
  script(makePair(native, 1), ({ session }) => rows.push(encodeSession(session)))
  const distinct = [...new Map(rows.map((row) => [toHex(row), row])).values()]

  test('is small once the session is confirmed', () => {
    expect(encodeSession(confirmedPair(native, 1).bob.session).length).toBeLessThan(650)
  })

  test('is refused when it is cut anywhere or goes on', () => {
    for (const row of distinct) {
      for (let length = 0; length < row.length; length += length < 400 ? 1 : 41) {
        expect(outcome(row.subarray(0, length))).toBe('malformed')
      }
      expect(outcome(Uint8Array.from([...row, 0]))).toBe('malformed')
    }
  })

  test('with a flipped bit is refused or another row, and never a surprise', () => {
    for (const row of distinct) {
      for (let at = 0; at < row.length; at += at < 400 ? 1 : 41) {
        const changed = flipped(row, at, at % 8)
        const result = outcome(changed)
        if (typeof result === 'string') expect(['malformed', 'newer-version']).toContain(result)
        else expect(encodeSession(result as Session)).toEqual(changed)
      }
    }
  })

  test('is refused when its parts do not belong together', () => {
    const [initiator, responder] = [makePair(native, 1).alice, makePair(native, 1).bob].map(({ session }) => {
      return decode(encodeSession(session), MAX_SESSION_BYTES) as readonly (number | Uint8Array | null)[]
    })
    if (initiator === undefined || responder === undefined) throw new Error('expected rows')
    const changed = (row: typeof initiator, at: number, value: number | Uint8Array | null) =>
      outcome(encode(row.map((field, i) => (i === at + 2 ? value : field))))
    expect(changed(initiator, 0, 0)).toBeTypeOf('object')
    expect(changed(initiator, 0, 1)).toBe('malformed')
    for (const at of [7, 10, 12, 13]) expect(changed(initiator, at, null)).toBe('malformed')
    for (const at of [11, 12, 14]) expect(changed(responder, at, null)).toBe('malformed')
    expect(changed(responder, 7, new Uint8Array(10))).toBe('malformed')
    expect(changed(responder, 16, initiator[18] ?? null)).toBe('malformed')
  })

  test('is refused when it names more skipped frames than are ever kept', () => {
    const row = decode(encodeSession(confirmedPair(native, 1).bob.session), MAX_SESSION_BYTES) as readonly WireValue[]
    const withRun = (to: number) => {
      const chain = row[16] as readonly WireValue[]
      const skipped = chain.map((field, i) =>
        i === 4 ? to : i === 5 ? new Uint8Array(0) : i === 6 ? [[0, to, 1]] : field,
      )
      return outcome(encode(row.map((field, i) => (i === 16 ? skipped : field))))
    }
    expect(withRun(2000)).toBeTypeOf('object')
    expect(withRun(2001)).toBe('malformed')
    expect(withRun(2 ** 32 - 1)).toBe('malformed')
  })

  test('is refused when it was wiped, for the machine could seal nothing in it', () => {
    const fields = decode(encodeSession(confirmedPair(native, 1).alice.session), MAX_SESSION_BYTES) as WireValue[]
    expect(outcome(encode(fields.with(10, new Uint8Array(32))))).toBe('malformed')
    const send = fields[15] as WireValue[]
    expect(outcome(encode(fields.with(15, send.with(1, new Uint8Array(32)))))).toBe('malformed')
    expect(outcome(encode(fields))).toBeTypeOf('object')
  })

  test('is not what it was read into: wiping one leaves the other', () => {
    const row = encodeSession(confirmedPair(native, 1).bob.session)
    const copy = row.slice()
    wipeSession(decodeSession(row))
    expect(row).toEqual(copy)
    // A Buffer's slices share its memory.
    const buffer = Buffer.from(row)
    wipeSession(decodeSession(buffer))
    expect(Uint8Array.from(buffer)).toEqual(copy)
  })
})

describe('wiping', () => {
  test('takes every secret that the next state does not have, and none that it has', () => {
    const pair = makePair(native, 1)
    const states = new Map<Side, Session>()
    script(pair, (side) => {
      const before = states.get(side)
      if (before !== undefined && before !== side.session) wipeReplaced(before, side.session)
      states.set(side, side.session)
    })
  })

  test('of a turn leaves no key of the turn before', () => {
    const pair = confirmedPair(native, 1)
    const { session } = pair.alice
    seal(pair, pair.alice, 'x')
    const oldChainKey = session.send?.chainKey.slice() ?? new Uint8Array()
    const oldRoot = session.rootKey.slice()
    read(pair, pair.alice, seal(pair, pair.bob, 'turn').frame)
    seal(pair, pair.alice, 'turn')
    const row = toHex(encodeSession(pair.alice.session))
    expect(row).not.toContain(toHex(oldChainKey))
    expect(row).not.toContain(toHex(oldRoot))
    wipeReplaced(session, pair.alice.session)
    expect(session.rootKey).toEqual(new Uint8Array(32))
    expect(session.send?.chainKey).toEqual(new Uint8Array(32))
    expect(session.linkKey).toEqual(pair.bob.session.linkKey)
  })

  test('of a session takes all of it', () => {
    const { bob } = confirmedPair(native, 1)
    const { rootKey, linkKey, recv, nextHeaderKey } = bob.session
    wipeSession(bob.session)
    for (const secret of [rootKey, linkKey, recv?.chainKey, recv?.headerKey, nextHeaderKey]) {
      expect(secret).toEqual(new Uint8Array(32))
    }
  })

  test('the ML-KEM key and the identity key are out of the row once chain 1 opened', () => {
    const pair = makePair(native, 1)
    const { opening } = pair.alice.session
    if (opening?.kind !== 'asked') throw new Error('expected an unanswered session')
    const secrets = [opening.kemSeed, pair.keys.alice.ik.exportPrivate()].map(toHex)
    const held = () => secrets.filter((secret) => toHex(encodeSession(pair.alice.session)).includes(secret))
    expect(held()).toEqual(secrets)
    read(pair, pair.bob, seal(pair, pair.alice, 'a').frame)
    read(pair, pair.alice, seal(pair, pair.bob, 'b').frame)
    expect(held()).toEqual([])
  })
})
