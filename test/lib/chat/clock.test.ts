import { describe, expect, test } from 'vitest'
import { type Chat, createChat } from '../../../lib/chat.ts'
import type { Effect, Event } from '../../../lib/chat/events.ts'
import { heldRows } from '../../../lib/chat/loading.ts'
import { rowsOfNewAccount } from '../../../lib/chat/own.ts'
import { createSelf } from '../../../lib/identity/self.ts'
import { native } from '../../../node/crypto.ts'
import { seededRandom } from '../../support/random.ts'

const NOON = Date.UTC(2026, 5, 1, 12)
const HOUR = 3_600_000

/** One person alone with a network, whose timers are looked at. */
function alone(): {
  readonly chat: Chat
  /** Handles an event and gives what is done, with the end of the turn. */
  at(now: number, event: Event): Effect[]
  /** When the timer of the slots fires. */
  due(): number
} {
  const random = seededRandom('alone')
  const self = createSelf(native, random, random.bytes(32), NOON)
  const rows = rowsOfNewAccount(native, random, self, 'alice', NOON)
  const chat = createChat(
    { primitives: native, random, delivery: 'outbox', publicMode: 'account' },
    heldRows((range) => rows.flatMap(({ range: own, key, value }) => (own === range && value ? [{ key, value }] : []))),
    NOON,
  )
  let due = Number.NaN
  return {
    chat,
    at(now, event) {
      const effects = [...chat.handle(event, now), ...chat.handle({ kind: 'settle' }, now)]
      for (const effect of effects)
        if (effect.kind === 'timer' && effect.key === 'publish') due = effect.at ?? Number.NaN
      return effects
    },
    due: () => due,
  }
}

const NETWORK: Event = { kind: 'network', peer: new Uint8Array(38), addresses: [new Uint8Array(8)] }
const FIRED: Event = { kind: 'timer', key: 'publish' }
const HOURLY: Event = { kind: 'timer', key: 'upkeep' }

function published(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'publish' ? [effect.key] : []))
}

describe('the slots of somebody whose clock does not go as it should', () => {
  test('are published once each while it stands still, and the timer does not fire without end', () => {
    const { at, due } = alone()
    at(NOON, NETWORK)
    const keys: string[] = []
    let fired = 0
    while (due() < NOON + HOUR && fired < 100) {
      fired++
      keys.push(...published(at(NOON, FIRED)))
    }
    expect(fired).toBeLessThan(10)
    expect(keys.length).toBeGreaterThan(1)
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('are tried again within minutes when nobody took them and it was then set back by half a day', () => {
    const { at, due } = alone()
    at(NOON, NETWORK)
    const [key = ''] = published(at(due(), FIRED))
    for (let attempt = 0; attempt < 8; attempt++) at(due(), { kind: 'published', key, count: 0 })
    const early = NOON - 12 * HOUR
    at(early, HOURLY)
    expect(due() - early).toBeLessThanOrEqual(5 * 60_000)
  })

  test('of the new day are published at once when it was set forward by a day', () => {
    const { at, due } = alone()
    at(NOON, NETWORK)
    while (due() < NOON + HOUR)
      for (const key of published(at(due(), FIRED))) at(due(), { kind: 'published', key, count: 3 })
    const tomorrow = NOON + 24 * HOUR
    at(tomorrow, { kind: 'unreachable', contact: 'nobody' })
    expect(due()).toBeGreaterThanOrEqual(tomorrow)
    expect(due()).toBeLessThan(tomorrow + 10_000)
    expect(published(at(due(), FIRED))).not.toEqual([])
  })
})
