import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openFrame } from '../../lib/session/open.ts'
import { PQ_STEP_MS } from '../../lib/session/pq-step.ts'
import { decodeSession, encodeSession } from '../../lib/session/session-codec.ts'
import { canSeal, storedSkipped } from '../../lib/session/session.ts'
import { native } from '../../node/crypto.ts'
import { seed } from '../support/seed.ts'
import { flipped, makePair, nameOf, NOW, type Side } from '../support/session-pair.ts'
import { hear, say } from '../support/session-talk.ts'

const RUNS = process.env['SLOW'] === '1' ? 20_000 : process.env['QUICK'] === '1' ? 30 : 300

const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('say' as const), initiator: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver' as const), pick: fc.nat(1000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), pick: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), pick: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('damage' as const), pick: fc.nat(1000), at: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), initiator: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 30 }) }) },
)

interface Travelling {
  readonly to: Side
  readonly frame: Uint8Array
  readonly text: string
}

describe(`the ratchet under any order, loss, repetition, damage and restart (SEED=${seed})`, () => {
  test('opens every frame that arrives exactly once, and never takes an honest peer for a clone', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(command, { minLength: 20, maxLength: 120 }), (start, commands) => {
        const pair = makePair(native, start)
        const travelling: Travelling[] = []
        const arrived: Travelling[] = []
        let now = NOW
        let count = 0

        const speak = (from: Side, to: Side) => {
          const mayNot = from.session.send === null && from.session.recv?.next === 0
          if (mayNot || !canSeal(from.session)) return
          const text = `text ${count++}`
          travelling.push({ to, frame: say(pair, from, text, now).frame, text })
        }
        const take = (pick: number) => travelling.splice(pick % travelling.length, 1)[0]
        const deliver = (frame: Travelling | undefined) => {
          if (frame === undefined) return
          expect(hear(pair, frame.to, frame.frame, now)).toMatchObject({ text: frame.text })
          arrived.push(frame)
        }

        for (const step of commands) {
          now += 1000
          if (step.do === 'say') {
            if (step.initiator) speak(pair.alice, pair.bob)
            else speak(pair.bob, pair.alice)
          } else if (step.do === 'deliver') deliver(take(step.pick))
          else if (step.do === 'lose') take(step.pick)
          else if (step.do === 'repeat') {
            const old = arrived[step.pick % arrived.length]
            if (old === undefined) continue
            const before = encodeSession(old.to.session)
            const { result } = hear(pair, old.to, old.frame, now)
            expect(['duplicate', 'refused', 'unreadable']).toContain(result.kind)
            expect(encodeSession(old.to.session)).toEqual(before)
          } else if (step.do === 'damage') {
            const frame = travelling[step.pick % travelling.length]
            if (frame === undefined) continue
            const damaged = flipped(frame.frame, step.at % frame.frame.length, step.at % 8)
            const { kind } = openFrame(native, frame.to.session, damaged, now)
            expect(['refused', 'unreadable', 'needs-skipped']).toContain(kind)
          } else if (step.do === 'restart') {
            const side = step.initiator ? pair.alice : pair.bob
            side.session = decodeSession(encodeSession(side.session))
          } else if (now - NOW < 10 * PQ_STEP_MS) now += step.hours * (PQ_STEP_MS / 24)
        }

        for (const frame of travelling.splice(0)) deliver(frame)
        for (const side of [pair.alice, pair.bob]) {
          const stored = [...side.skipped.keys()].sort()
          expect(storedSkipped(native, side.session).map(nameOf).sort()).toEqual(stored)
        }
        for (let i = 0; i < 3; i++) {
          speak(pair.alice, pair.bob)
          deliver(travelling.pop())
          speak(pair.bob, pair.alice)
          deliver(travelling.pop())
        }
        expect(pair.alice.session.confirmed && pair.bob.session.confirmed).toBe(true)
        expect(pair.alice.session.rootKey).toEqual(pair.bob.session.rootKey)
      }),
      { numRuns: RUNS },
    )
  }, 600_000)

  test('opens nothing that is random bytes', () => {
    const { bob } = makePair(native, 1)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.constantFrom(2, 3), (bytes, type) => {
        bytes[0] = type
        expect(openFrame(native, bob.session, bytes, NOW).kind).toBe('unreadable')
      }),
      { numRuns: RUNS },
    )
  })
})
