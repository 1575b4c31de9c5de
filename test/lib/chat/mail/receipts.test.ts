import { beforeEach, describe, expect, test } from 'vitest'
import { heldRows, readMachine } from '../../../../lib/chat/loading.ts'
import { ask, heard, remoteOf } from '../../../../lib/chat/mail/remotes.ts'
import type { Outcome } from '../../../../lib/chat/mail/state.ts'
import { rowsOfNewAccount } from '../../../../lib/chat/own.ts'
import { createSelf } from '../../../../lib/identity/self.ts'
import { encodeAnswer } from '../../../../lib/mailbox/messages.ts'
import { type KeptBlob, signReceipt } from '../../../../lib/mailbox/receipt.ts'
import { native } from '../../../../node/crypto.ts'
import { NOW } from '../../../support/identity.ts'
import { seededRandom } from '../../../support/random.ts'

const random = seededRandom('receipts of mailboxes')
const key = native.signing.generate(random)
const own = rowsOfNewAccount(native, random, createSelf(native, random, random.bytes(32), NOW), null, NOW)
const rows = heldRows((range) =>
  own.flatMap((row) => (row.range === range && row.value ? [{ key: row.key, value: row.value }] : [])),
)
const keptBlob = (): KeptBlob => ({ queue: random.bytes(32), hash: random.bytes(32), until: NOW + 9 })

/** A mailbox that greeted and was asked three times; what became of each. */
function threeAsked(): {
  outcomes: (Outcome | null)[][]
  verified: () => number
  counted: () => string[]
  says: (numbers: readonly number[], blobs: readonly KeptBlob[], by?: typeof key) => void
} {
  let verified = 0
  const signing: typeof native.signing = {
    ...native.signing,
    verifyCofactorless(...parts) {
      verified++
      return native.signing.verifyCofactorless(...parts)
    },
  }
  const options = { primitives: { ...native, signing }, random, delivery: 'mailbox', publicMode: 'off' } as const
  const machine = readMachine(options, rows, NOW)
  const remote = remoteOf(machine, { peer: random.bytes(38), addresses: [] })
  Object.assign(remote, { phase: 'open', link: 1, greeting: { nonce: random.bytes(32), key: key.publicKey } })
  const outcomes: (Outcome | null)[][] = [[], [], []]
  for (const outcome of outcomes) ask(machine, remote, { kind: 'usage' }, (answer) => outcome.push(answer))
  verified = 0
  return {
    outcomes,
    verified: () => verified,
    counted: () => machine.effects.flatMap((effect) => (effect.kind === 'count' ? effect.reason : [])),
    says(numbers, blobs, by = key) {
      const receipt = signReceipt(native, by, { now: NOW, blobs })
      expect(heard(machine, remote, encodeAnswer({ kind: 'receipt', numbers, receipt }))).toBe(null)
    },
  }
}

describe('a receipt for several blobs', () => {
  let mailbox: ReturnType<typeof threeAsked>
  beforeEach(() => {
    mailbox = threeAsked()
  })

  test('gives each request what it says of its own blob, and is verified once', () => {
    const { outcomes, says, verified } = mailbox
    const [first, second] = [keptBlob(), keptBlob()]
    says([3, 1], [first, second])
    const said = (blob: KeptBlob): Outcome => ({ kind: 'kept', key: key.publicKey, now: NOW, blob })
    expect(outcomes).toEqual([[said(second)], [], [said(first)]])
    expect(verified()).toBe(1)
  })

  test('by another key than the mailbox greeted with is worth nothing to any of them', () => {
    const { outcomes, says, counted } = mailbox
    says([1, 2], [keptBlob(), keptBlob()], native.signing.generate(random))
    expect(outcomes).toEqual([[null], [null], []])
    expect(counted()).toContain('mailbox: receipt unauthentic')
  })

  test('that answers more or fewer requests than it names blobs is worth nothing', () => {
    const { outcomes, says, counted } = mailbox
    says([1, 2], [keptBlob()])
    says([3], [keptBlob(), keptBlob()])
    expect(outcomes).toEqual([[null], [null], [null]])
    expect(counted().filter((reason) => reason === 'mailbox: a receipt for something else')).toHaveLength(2)
  })

  test('answers no request twice, and is not even verified when nobody asked', () => {
    const { outcomes, says, verified, counted } = mailbox
    says([2, 2], [keptBlob(), keptBlob()])
    expect(outcomes.map(({ length }) => length)).toEqual([0, 1, 0])
    says([2, 900], [keptBlob(), keptBlob()])
    expect(verified()).toBe(1)
    expect(counted().filter((reason) => reason === 'mailbox: answers what nobody asked')).toHaveLength(3)
  })
})
