import { expect, test } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import { hostileBob } from '../../support/hostile-costs.ts'
import { seededRandom } from '../../support/random.ts'

test('a peer who opens link after link costs 8 rounds of proofs and 16 handshakes in a minute, as on one link', () => {
  const { machine, operations, sessions, stranger } = hostileBob()
  const random = seededRandom('tolls')
  const before = { ...operations }
  for (let i = 0; i < 50; i++) {
    machine.open(`${i}`, 'one peer')
    for (let n = 0; n < 8; n++) machine.hear(`${i}`, concat(Uint8Array.of(4), random.bytes(16)))
  }
  expect(operations.hmac - before.hmac).toBeLessThanOrEqual(8 * sessions)
  for (let i = 0; i < 40; i++) {
    machine.open(`again ${i}`, 'one peer')
    machine.hear(`again ${i}`, stranger())
  }
  expect(operations.decapsulate - before.decapsulate).toBeLessThanOrEqual(16)
  expect(machine.dropped.get('link: proof refused')).toBe(392)
})
