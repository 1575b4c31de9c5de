import { describe, expect, test } from 'vitest'
import { type ContactRow, decodeContactRow, encodeContactRow, newContactRow } from '../../../lib/chat/contact-row.ts'
import { decodeHead, encodeHead, NEW_HEAD } from '../../../lib/chat/head.ts'
import { decodeOutbox, encodeOutbox, type OutboxEntry } from '../../../lib/chat/outbox.ts'
import {
  decodeDrive,
  decodeEntry,
  decodeSeenPrefix,
  encodeDrive,
  encodeEntry,
  encodeSeenPrefix,
} from '../../../lib/chat/session-entry.ts'
import { ProtocolError } from '../../../lib/errors.ts'
import { sessionsOf } from '../../support/chaos.ts'
import { acquaint, createWorld } from '../../support/machines.ts'

const bytes = (length: number) => new Uint8Array(length).fill(length)
const row: ContactRow = {
  ...newContactRow(bytes(32), 'bob', 'blocked', 7),
  claimedName: 'Bob',
  before: 'pending',
  verified: 'code',
  hello: 'hello',
  cameBy: bytes(16),
  inviteSecret: bytes(32),
  contactSecret: bytes(32),
  accountPin: bytes(40),
  devicePins: [{ secretHash: bytes(16), pin: bytes(60) }],
  device: { did: bytes(16), dsk: bytes(32), ik: bytes(32) },
  prekey: bytes(1_200),
  unconfirmedDevice: true,
  place: { peer: bytes(38), addresses: [bytes(8), bytes(9)] },
  lastGen: 9,
  startedAt: 8,
}
const entry: OutboxEntry = {
  counter: 5,
  order: 6,
  id: bytes(16),
  target: null,
  isVoid: false,
  sealed: { session: bytes(32), chain: 4 },
  payload: null,
  left: true,
  saved: true,
  leftAt: 0,
}

function session(): Uint8Array {
  const world = createWorld(71)
  const [alice, bob] = [world.person('alice'), world.person('bob')]
  world.advance(2_000)
  acquaint(world, alice, bob)
  const [first] = sessionsOf(alice, bob)
  if (first === undefined) throw new Error('no session')
  return encodeEntry({ ...first, weak: [bytes(3)] })
}

/** A row, and what reading and writing it again makes of it. */
const ROWS: readonly [string, () => Uint8Array, (stored: Uint8Array) => Uint8Array | null][] = [
  ['contact', () => encodeContactRow(row), (stored) => encodeContactRow(decodeContactRow(stored))],
  [
    'new contact',
    () => encodeContactRow(newContactRow(bytes(32), '', 'requested', 0)),
    (stored) => encodeContactRow(decodeContactRow(stored)),
  ],
  ['head', () => encodeHead(NEW_HEAD), (stored) => encodeHead(decodeHead(stored))],
  ['session', session, (stored) => encodeEntry(decodeEntry(stored))],
  [
    'drive',
    () => encodeDrive({ chain: 2, bytes: bytes(99), attempts: 0 }) as Uint8Array,
    (stored) => encodeDrive(decodeDrive(stored)),
  ],
  [
    'prefix',
    () => encodeSeenPrefix({ contact: bytes(16), until: 9, answer: bytes(9) }),
    (stored) => encodeSeenPrefix(decodeSeenPrefix(stored)),
  ],
  ['message that left', () => encodeOutbox(entry, bytes(300)), again],
  ['message that left and waits again', () => encodeOutbox({ ...entry, sealed: null }, null), again],
  ['message that never left', () => encodeOutbox({ ...entry, sealed: null, left: false }, null), again],
]

function again(stored: Uint8Array): Uint8Array {
  const read = decodeOutbox(5, stored)
  return encodeOutbox(read.entry, read.frame)
}

describe.each(ROWS)('the row of a %s', (_name, make, roundtrip) => {
  test('is read as it was written', () => {
    const stored = make()
    expect(roundtrip(stored)).toEqual(stored)
  })

  test('that is cut off or longer is refused', () => {
    const stored = make()
    const step = Math.max(1, Math.floor(stored.length / 200))
    for (let length = 0; length < stored.length; length += step) {
      expect(() => roundtrip(stored.slice(0, length))).toThrow(ProtocolError)
    }
    expect(() => roundtrip(new Uint8Array([...stored, 0]))).toThrow(ProtocolError)
  })
})
