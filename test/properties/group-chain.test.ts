import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeOwnChain, decodePeerChain, encodeOwnChain, encodePeerChain } from '../../lib/group/chain-rows.ts'
import { MAX_GROUP_CHAIN_FRAMES } from '../../lib/group/sender-chain.ts'
import { skippedCount } from '../../lib/session/received-chain.ts'
import { native } from '../../node/crypto.ts'
import { makeAuthor, makeReader, type Reader, speak, take, textIn } from '../support/group-chain.ts'
import { seed } from '../support/seed.ts'
import { flipped } from '../support/session-pair.ts'

const RUNS = process.env['SLOW'] === '1' ? 1_500 : process.env['QUICK'] === '1' ? 20 : 60

const reader = fc.nat(2)
const pick = fc.nat(1000)
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('say' as const) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('deliver' as const), reader, pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), reader, pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), reader, pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('damage' as const), reader, pick, at: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), reader }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('join' as const) }) },
)

interface Travelling {
  readonly frame: Uint8Array
  readonly text: string
  readonly n: number
}

/** A member with what is on its way to it and what it has opened. */
interface Member {
  readonly reader: Reader
  readonly joined: number
  readonly coming: Travelling[]
  readonly opened: Travelling[]
}

describe(`a sender chain under any order, loss, repetition, damage and restart (SEED=${seed})`, () => {
  test('opens every frame once at every member who was there, with nothing kept for what is done', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(command, { minLength: 20, maxLength: 120 }), (start, commands) => {
        const author = makeAuthor(native, start)
        const all: Travelling[] = []
        const join = (): Member => ({
          reader: makeReader(author),
          joined: author.chain.n,
          coming: [...all],
          opened: [],
        })
        const members = [join(), join()]
        let count = 0
        const deliver = (member: Member, frame: Travelling | undefined) => {
          if (frame === undefined) return
          const isFirst = !member.opened.includes(frame)
          const expected = frame.n < member.joined ? 'refused: before' : isFirst ? frame.text : 'duplicate'
          const before = encodePeerChain(member.reader.chain)
          expect(textIn(member.reader, frame.frame)).toBe(expected)
          if (expected === frame.text) member.opened.push(frame)
          else expect(encodePeerChain(member.reader.chain)).toEqual(before)
        }

        for (const step of commands) {
          if (step.do === 'say') {
            const text = `text ${count++}`
            const { frame, n } = speak(author, text)
            all.push({ frame, text, n })
            for (const { coming } of members) coming.push({ frame, text, n })
            continue
          }
          if (step.do === 'join') {
            if (members.length < 3) members.push(join())
            continue
          }
          const member = members[step.reader]
          if (member === undefined) continue
          const { reader: state, coming, opened } = member
          if (step.do === 'deliver') deliver(member, coming.splice(step.pick % (coming.length || 1), 1)[0])
          else if (step.do === 'lose') coming.splice(step.pick % (coming.length || 1), 1)
          else if (step.do === 'repeat') deliver(member, opened[step.pick % opened.length])
          else if (step.do === 'restart') {
            state.chain = decodePeerChain(encodePeerChain(state.chain))
            author.chain = decodeOwnChain(native, encodeOwnChain(author.chain))
          } else {
            const frame = [...coming, ...opened][step.pick % (coming.length + opened.length)]
            if (frame === undefined) continue
            const before = encodePeerChain(state.chain)
            const damaged = flipped(frame.frame, step.at % frame.frame.length, step.at % 8)
            expect(['unreadable', 'refused', 'duplicate']).toContain(take(state, damaged).kind)
            expect(encodePeerChain(state.chain)).toEqual(before)
          }
        }
        for (const member of members) {
          while (member.coming.length > 0) deliver(member, member.coming.shift())
          expect(member.reader.skipped.size).toBe(skippedCount(member.reader.chain))
          expect(new Set(member.opened.map(({ n }) => n)).size).toBe(member.opened.length)
        }
      }),
      { numRuns: RUNS, seed },
    )
  }, 600_000)

  test('can be read from its last frame on backwards', () => {
    const author = makeAuthor(native, 'backwards')
    const member = makeReader(author)
    const frames = Array.from({ length: MAX_GROUP_CHAIN_FRAMES }, (_, i) => speak(author, `${i}`).frame)
    for (const [i, frame] of [...frames.entries()].reverse()) expect(textIn(member, frame)).toBe(`${i}`)
    expect(member.skipped.size).toBe(0)
    for (const frame of frames) expect(take(member, frame).kind).toBe('duplicate')
  })
})
