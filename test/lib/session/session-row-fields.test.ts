import { describe, expect, test } from 'vitest'
import { PQ_STEP_MS, pqAnswer, pqOffer, receivePqAnswer, receivePqOffer } from '../../../lib/session/pq-step.ts'
import { decodeSession, encodeSession, MAX_SESSION_BYTES } from '../../../lib/session/session-codec.ts'
import type { Session } from '../../../lib/session/session.ts'
import { wipeReplaced, wipeSession } from '../../../lib/session/wipe.ts'
import { decode, encode, type WireValue } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { confirmedPair, makePair, NOW, read, seal, sealMany } from '../../support/session-pair.ts'
import { refusal } from '../../support/strict-decoder.ts'

type Fields = readonly WireValue[]
const KEY = new Uint8Array(32).fill(1)

/** Sessions of every phase: which opening, which PQ state, which chains. */
function phases() {
  const pair = makePair(native, 1)
  const { alice, bob, random } = pair
  const asked = alice.session
  const heard = bob.session
  read(pair, bob, seal(pair, alice, 'a').frame)
  seal(pair, bob, 'lost')
  const b = seal(pair, bob, 'b')
  const answered = bob.session
  read(pair, alice, b.frame)
  const confirmed = alice.session
  read(pair, bob, seal(pair, alice, 'c').frame)
  const offer = pqOffer(native, random, alice.session, NOW + PQ_STEP_MS)
  if (offer === null) throw new Error('expected an offer')
  const offered = offer.session
  bob.session = receivePqOffer(native, random, bob.session, offer.content, 2)
  const answer = pqAnswer(bob.session)
  if (answer === null) throw new Error('expected an answer')
  const answering = answer.session
  const agreed = receivePqAnswer(native, offered, answer.content)
  const long = confirmedPair(native, 2)
  for (let i = 0; i < 3; i++) {
    const [, two, , four] = sealMany(long, long.alice, 5)
    for (const sent of [two, four]) read(long, long.bob, sent?.frame ?? KEY)
    read(long, long.alice, seal(long, long.bob, 'turn').frame)
  }
  return { asked, heard, answered, confirmed, offered, answering, agreed, long: long.bob.session }
}

const fieldsOf = (session: Session): Fields => decode(encodeSession(session), MAX_SESSION_BYTES) as Fields

/** The row with another value at a path. */
function changed(value: WireValue, path: readonly number[], to: WireValue): WireValue {
  const [at, ...rest] = path
  if (at === undefined) return to
  return (value as Fields).with(at, changed((value as Fields)[at] ?? null, rest, to))
}

const verdict = (row: WireValue) => refusal(() => decodeSession(encode(row)))

/** Every path into the row with what stands there. */
function* nodes(value: WireValue, path: readonly number[] = []): Generator<readonly [readonly number[], WireValue]> {
  yield [path, value]
  if (Array.isArray(value)) for (const [i, item] of (value as Fields).entries()) yield* nodes(item, [...path, i])
}

// Places in the row.
const OWN = 12
const PEER = 13
const OPENING = 14
const SEND = 15
const RECV = 16
const PAST = 17
const PQ = 18
const PREFIX = 9
const [INDEX, , , PN, NEXT, SALTS, RUNS] = [0, 1, 2, 3, 4, 5, 6]

describe('a row of a session', () => {
  const sessions = phases()
  const rows = Object.values(sessions).map(fieldsOf)
  const { asked, heard, answered, confirmed, long } = sessions
  const [askedRow, heardRow, answeredRow, confirmedRow, longRow] = [asked, heard, answered, confirmed, long].map(
    fieldsOf,
  ) as [Fields, Fields, Fields, Fields, Fields]

  test('is refused with a value of another type anywhere, and with a key, seed or id of another size', () => {
    for (const row of rows) {
      expect(verdict(row)).toBe('accepted')
      for (const [path, value] of nodes(row)) {
        expect([path, verdict(changed(row, path, true))]).toEqual([path, 'malformed'])
        const sized = path.at(-1) !== SALTS || path.length === 1
        if (!(value instanceof Uint8Array) || !sized || path[0] === PREFIX) continue
        for (const length of [value.length - 1, value.length + 1]) {
          expect([path, length, verdict(changed(row, path, new Uint8Array(length)))]).toEqual([
            path,
            length,
            'malformed',
          ])
        }
      }
    }
  })

  test('is refused with a field too many or too few in any of its arrays', () => {
    for (const row of rows) {
      for (const [path, value] of nodes(row)) {
        const list = (path.length === 1 && path[0] === PAST) || path.at(-1) === RUNS
        if (!Array.isArray(value) || list) continue
        const items = value as Fields
        expect([path, verdict(changed(row, path, [...items, 0]))]).toEqual([path, 'malformed'])
        expect([path, verdict(changed(row, path, items.slice(0, -1)))]).toEqual([path, 'malformed'])
      }
    }
  })

  test('holds numbers up to their limits', () => {
    const U32 = 2 ** 32 - 1
    for (const [path, most] of [
      [[SEND, 4], U32],
      [[SEND, 5], U32],
      [[SEND, 6], 255],
      [[RECV, PN], U32],
      [[RECV, NEXT], U32 + 1],
      [[PAST, 0, PN], U32],
      [[PAST, 0, NEXT], U32 + 1],
      [[PQ, 1], 255],
    ] as const) {
      expect([path, verdict(changed(longRow, path, most))]).toEqual([path, 'accepted'])
      expect([path, verdict(changed(longRow, path, most + 1))]).toEqual([path, 'malformed'])
    }
    expect(verdict(changed(longRow, [PQ, 1], 0))).toBe('malformed')
    expect(verdict(changed(askedRow, [2], 2))).toBe('malformed')
    expect(verdict(changed(askedRow, [PREFIX], new Uint8Array(3183)))).toBe('accepted')
    expect(verdict(changed(askedRow, [PREFIX], new Uint8Array(3184)))).toBe('malformed')
  })

  test('names chains below 2^32, the offers and answers of the PQ step included', () => {
    const offered = fieldsOf(sessions.offered)
    const answering = fieldsOf(sessions.answering)
    for (const [row, path] of [
      [offered, [PQ, 3]],
      [answering, [PQ, 4]],
    ] as const) {
      expect(verdict(changed(row, path, 2 ** 32 - 1))).toBe('accepted')
      expect(verdict(changed(row, path, 2 ** 32))).toBe('malformed')
    }
    const far = changed(changed(longRow, [SEND, INDEX], 2 ** 32 - 1), [RECV, INDEX], 2 ** 32 - 2)
    expect(verdict(far)).toBe('accepted')
    expect(verdict(changed(far, [RECV, INDEX], 2 ** 32))).toBe('malformed')
    expect(verdict(changed(changed(longRow, [SEND, INDEX], 2 ** 32 + 1), [RECV, INDEX], 2 ** 32))).toBe('malformed')
  })

  test('has at most 64 chains that were left, 2000 runs and 4096 salts in each', () => {
    const { past } = long
    const chain = fieldsOf({ ...long, past: past.slice(0, 1) })[PAST] as readonly [Fields]
    const descending = (count: number) =>
      Array.from({ length: count }, (_, i) => chain[0].with(INDEX, 2 * (count - 1 - i)))
    const newest = changed(changed(longRow, [SEND, INDEX], 201), [RECV, INDEX], 200)
    expect(verdict(changed(newest, [PAST], descending(64)))).toBe('accepted')
    expect(verdict(changed(newest, [PAST], descending(65)))).toBe('malformed')
    const runs = (count: number) => Array.from({ length: count }, (_, i) => [2 * i, 2 * i + 1, 0])
    const wide = changed(longRow, [RECV, NEXT], 10_000)
    expect(verdict(changed(wide, [RECV, RUNS], runs(2000)))).toBe('accepted')
    expect(verdict(changed(wide, [RECV, RUNS], runs(2001)))).toBe('malformed')
    expect(verdict(changed(wide, [RECV, SALTS], new Uint8Array(4 * 4096)))).toBe('accepted')
    expect(verdict(changed(wide, [RECV, SALTS], new Uint8Array(4 * 4097)))).toBe('malformed')
  })

  test('has salts for the last numbers of a chain only, four bytes each', () => {
    const short = changed(changed(longRow, [RECV, NEXT], 3), [RECV, RUNS], [])
    for (const [bytes, expected] of [
      [0, 'accepted'],
      [4, 'accepted'],
      [12, 'accepted'],
      [13, 'malformed'],
      [6, 'malformed'],
      [16, 'malformed'],
    ] as const) {
      expect([bytes, verdict(changed(short, [RECV, SALTS], new Uint8Array(bytes)))]).toEqual([bytes, expected])
    }
  })

  test('has ascending runs of skipped numbers, none empty, all below the next number', () => {
    const chain = changed(changed(longRow, [RECV, NEXT], 10), [RECV, SALTS], new Uint8Array(0))
    for (const [runs, expected] of [
      [[[0, 10, 5]], 'accepted'],
      [
        [
          [0, 4, 5],
          [4, 9, 5],
        ],
        'accepted',
      ],
      [
        [
          [0, 4, 5],
          [3, 9, 5],
        ],
        'malformed',
      ],
      [
        [
          [4, 9, 5],
          [0, 4, 5],
        ],
        'malformed',
      ],
      [[[4, 4, 5]], 'malformed'],
      [[[5, 4, 5]], 'malformed'],
      [[[9, 11, 5]], 'malformed'],
    ] as const) {
      expect([runs, verdict(changed(chain, [RECV, RUNS], runs))]).toEqual([runs, expected])
    }
  })

  test("has its chains in order, its own and the peer's ones apart", () => {
    const chain = (longRow[PAST] as readonly [Fields])[0]
    const past = (...indices: number[]) =>
      changed(
        longRow,
        [PAST],
        indices.map((index) => chain.with(INDEX, index)),
      )
    const [send, recv] = [longRow[SEND], longRow[RECV]].map((fields) => (fields as Fields)[INDEX] as number) as [
      number,
      number,
    ]
    expect(send - recv).toBe(1)
    expect(verdict(past(recv - 2, recv - 4))).toBe('accepted')
    for (const wrong of [[recv], [recv + 2], [recv - 1], [recv - 2, recv - 2], [recv - 4, recv - 2]]) {
      expect([wrong, verdict(past(...wrong))]).toEqual([wrong, 'malformed'])
    }
    expect(verdict(changed(askedRow, [PAST], [chain.with(INDEX, 1)]))).toBe('malformed')
    for (const index of [send + 2, send - 4, send + 1]) {
      expect([index, verdict(changed(longRow, [SEND, INDEX], index))]).toEqual([index, 'malformed'])
    }
    expect(verdict(changed(heardRow, [RECV, INDEX], 1))).toBe('malformed')
    expect(verdict(changed(askedRow, [SEND, INDEX], 4))).toBe('malformed')
  })

  test('has the parts of its phase and no others', () => {
    const kinds = { asked: askedRow[OPENING], heard: heardRow[OPENING], answered: answeredRow[OPENING], none: null }
    for (const [own, row] of [
      ['asked', askedRow],
      ['heard', heardRow],
      ['answered', answeredRow],
      ['none', confirmedRow],
      ['none', longRow],
    ] as const) {
      for (const [kind, opening] of Object.entries(kinds)) {
        const expected = kind === own ? 'accepted' : 'malformed'
        expect([own, kind, verdict(changed(row, [OPENING], opening ?? null))]).toEqual([own, kind, expected])
      }
      if (own !== 'asked') expect(verdict(changed(row, [PREFIX], askedRow[PREFIX] ?? null))).toBe('malformed')
    }
    expect(verdict(changed(heardRow, [OWN], KEY))).toBe('malformed')
    expect(verdict(changed(askedRow, [PEER], KEY))).toBe('malformed')
    expect(verdict(changed(longRow, [PEER], null))).toBe('malformed')
    expect(verdict(changed(longRow, [OWN], null))).toBe('malformed')
    expect(verdict(changed(longRow, [RECV], null))).toBe('malformed')
    const without = (row: WireValue, ...places: number[]) =>
      places.reduce<WireValue>((rest, place) => changed(rest, [place], null), row)
    expect(verdict(without(askedRow, SEND, OWN))).toBe('malformed')
    expect(verdict(without(askedRow, SEND))).toBe('malformed')
    expect(verdict(without(heardRow, RECV, PEER))).toBe('malformed')
    const unheard = changed(without(heardRow, RECV, PEER), [OPENING], askedRow[OPENING] ?? null)
    expect(verdict(changed(unheard, [PREFIX], askedRow[PREFIX] ?? null))).toBe('malformed')
    const initiators = ['confirmed', 'offered', 'agreed'] as const
    const states = initiators.map((name) => fieldsOf(sessions[name])[PQ] ?? null)
    for (const pq of states) {
      expect(verdict(changed(confirmedRow, [PQ], pq))).toBe('accepted')
      expect(verdict(changed(longRow, [PQ], pq))).toBe('malformed')
    }
    for (const pq of [sessions.long, sessions.answering].map((session) => fieldsOf(session)[PQ] ?? null)) {
      expect(verdict(changed(confirmedRow, [PQ], pq))).toBe('malformed')
      expect(verdict(changed(longRow, [PQ], pq))).toBe('accepted')
    }
  })

  test('gives back every part of the session, and the opened ones as confirmed', () => {
    for (const session of Object.values(sessions)) {
      const back = decodeSession(encodeSession(session))
      for (const part of [
        'role',
        'id',
        'gen',
        'createdAt',
        'confirmed',
        'pq',
        'past',
        'prefixHash',
        'linkKey',
      ] as const)
        expect(fieldsOf({ ...session, [part]: back[part] })).toEqual(fieldsOf(session))
      expect([back.role, back.confirmed, back.peer?.bytes]).toEqual([
        session.role,
        session.confirmed,
        session.peer?.bytes,
      ])
    }
  })
})

describe('wiping a session', () => {
  /** What an eavesdropper or the peer knows anyway. */
  const PUBLIC = new Set(['id', 'peerDid', 'prefixHash', 'prefix', 'bytes', 'r', 'ct', 'encapsulationKey'])

  /** Every array of bytes in a session that is secret, however deep; the pairs of the primitives keep theirs hidden. */
  function secrets(value: unknown, name = ''): Uint8Array[] {
    if (value instanceof Uint8Array) return PUBLIC.has(name) ? [] : [value]
    if (typeof value !== 'object' || value === null || name === 'salts') return []
    return Object.entries(value).flatMap(([key, item]) => secrets(item, key))
  }

  const stored = (session: Session) => decodeSession(encodeSession(session))
  const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0)

  test('overwrites every secret of every phase and nothing that is public', () => {
    for (const [phase, session] of Object.entries(phases())) {
      const row = stored(session)
      // The responder holds the initiator's identity key, which is public, under the name that a private one has.
      const heard = row.opening?.kind === 'heard' ? row.opening.identity : null
      const held = secrets(row).filter((bytes) => bytes !== heard)
      expect(held.length).toBeGreaterThan(4)
      wipeSession(row)
      expect([phase, held.filter((bytes) => !isZero(bytes)).length]).toEqual([phase, 0])
      for (const known of [row.id, row.peerDid, row.prefixHash, heard ?? KEY]) expect(isZero(known)).toBe(false)
    }
  })

  test('of what is replaced overwrites all secrets that the next state does not hold, and no other', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const steps = [
      () => void seal(pair, alice, 'lost'),
      () => void read(pair, bob, seal(pair, alice, 'x').frame),
      () => void read(pair, alice, seal(pair, bob, 'turn').frame),
      () => void read(pair, bob, seal(pair, alice, 'turn').frame),
    ]
    for (const step of [...steps, ...steps]) {
      for (const side of [alice, bob]) side.session = stored(side.session)
      const before = [alice.session, bob.session]
      step()
      for (const [i, after] of [alice.session, bob.session].entries()) {
        const old = before[i] as Session
        const kept = new Set(secrets(after))
        const copies = [...kept].map((bytes) => bytes.slice())
        const gone = secrets(old).filter((bytes) => !kept.has(bytes))
        if (old !== after) expect(gone.length).toBeGreaterThan(0)
        wipeReplaced(old, after)
        expect(gone.every(isZero)).toBe(true)
        expect([...kept]).toEqual(copies)
      }
    }
  })
})
