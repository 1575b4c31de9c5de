import { expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { heldRows, readMachine } from '../../../../lib/chat/loading.ts'
import type { Machine } from '../../../../lib/chat/machine.ts'
import { contactOf } from '../../../../lib/chat/machine.ts'
import { NEW_HEAD } from '../../../../lib/chat/head.ts'
import { newContactRow } from '../../../../lib/chat/contact-row.ts'
import { doubt, isBelieved } from '../../../../lib/chat/mail/links.ts'
import { rowsOfNewAccount } from '../../../../lib/chat/own.ts'
import { createSelf } from '../../../../lib/identity/self.ts'
import type { Row } from '../../../../lib/rows.ts'
import { native } from '../../../../node/crypto.ts'
import { NOW } from '../../../support/identity.ts'
import { seededRandom } from '../../../support/random.ts'

const HOUR = 3_600_000
const random = seededRandom('doubt')
const options = { primitives: native, random, delivery: 'mailbox', publicMode: 'off' } as const
const own = rowsOfNewAccount(native, random, createSelf(native, random, random.bytes(32), NOW), null, NOW)

function read(rows: readonly Row[], now: number): Machine {
  const stored = heldRows((range) =>
    rows.flatMap((row) => (row.range === range && row.value ? [{ key: row.key, value: row.value }] : [])),
  )
  return readMachine(options, stored, now)
}

test('a mailbox that did not produce what it had a receipt for is not believed for a day, whatever restarts meanwhile', () => {
  const machine = read(own, NOW)
  const contact = contactOf(random.bytes(16), newContactRow(random.bytes(32), 'bob', 'accepted', NOW), NEW_HEAD)
  const [liar, honest] = [toHex(random.bytes(38)), toHex(random.bytes(38))]
  contact.mail.stored.set(7, new Map([[liar, { until: NOW + HOUR, loose: null }]]))
  doubt(machine, contact, 7)
  expect([isBelieved(machine, liar), isBelieved(machine, honest)]).toEqual([false, true])
  const saved = machine.effects.flatMap((effect) => (effect.kind === 'save' ? effect.rows : []))
  const believed = (now: number): boolean => isBelieved(read([...own, ...saved], now), liar)
  expect([NOW + 1, NOW + 23 * HOUR, NOW + 25 * HOUR].map(believed)).toEqual([false, false, true])
  // a clock that went back two days since
  expect(believed(NOW - 48 * HOUR)).toBe(true)
})
