import { describe, expect, test } from 'vitest'
import { type Chat, createChat } from '../../../lib/chat.ts'
import type { Effect, Event } from '../../../lib/chat/events.ts'
import { heldRows } from '../../../lib/chat/loading.ts'
import { decodeSettings, rowsOfNewAccount, SETTINGS_KEY } from '../../../lib/chat/own.ts'
import { equalBytes } from '../../../lib/bytes.ts'
import { verifyDeviceRecord } from '../../../lib/identity/device-record.ts'
import { openSlot, PUBLIC_SLOT_SECRET, slotKey } from '../../../lib/identity/slot.ts'
import { compareSlotValues, parseSlotValue, slotKeyOf } from '../../../lib/identity/slot-value.ts'
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
      const effects: Effect[] = []
      const events: Event[] = [event]
      for (let next = events.shift(); next !== undefined; next = events.shift()) {
        const done = [...chat.handle(next, now), ...chat.handle({ kind: 'settle' }, now)]
        effects.push(...done)
        // slots are looked into before they are replaced; nobody has anything there
        for (const effect of done)
          if (effect.kind === 'resolve') events.push({ kind: 'resolved', contact: effect.contact, values: [] })
      }
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

function valuesOf(effects: readonly Effect[]): Map<string, Uint8Array> {
  return new Map(effects.flatMap((effect) => (effect.kind === 'publish' ? [[effect.key, effect.value] as const] : [])))
}

/** The number of the device record in a slot of the account of these tests. */
function seqOf(value: Uint8Array): number {
  const random = seededRandom('alone')
  const self = createSelf(native, random, random.bytes(32), NOON)
  const { contactSecret } = decodeSettings(
    rowsOfNewAccount(native, random, self, 'alice', NOON).find(({ key }) => equalBytes(key, SETTINGS_KEY))
      ?.value as Uint8Array,
  )
  const { day } = parseSlotValue(value)
  for (const secret of [contactSecret, PUBLIC_SLOT_SECRET]) {
    const key = slotKey(native, self.accountKey.publicKey, secret, day).key
    if (key !== slotKeyOf(parseSlotValue(value).blindedKey)) continue
    const { deviceRecord } = openSlot(native, { account: self.accountKey.publicKey, secret, day, value, key })
    return verifyDeviceRecord(native, deviceRecord, self.accountRecord).seq
  }
  throw new Error('the slot is of another secret')
}

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

  test('that a forgotten life made with a clock ahead are surpassed when the network tells of them', () => {
    const early = alone()
    early.at(NOON + 10 * HOUR, NETWORK)
    const ahead = valuesOf(early.at(early.due(), FIRED))
    const [key = ''] = ahead.keys()
    const held = ahead.get(key) as Uint8Array

    const { at, due } = alone()
    at(NOON, NETWORK)
    let behind = new Map<string, Uint8Array>()
    while (!behind.has(key)) behind = valuesOf(at(due(), FIRED))
    const first = behind.get(key) as Uint8Array
    expect(compareSlotValues(native, first, held)).toBeLessThan(0)
    at(due(), { kind: 'published', key, count: 0, held })
    let next: Uint8Array | undefined
    while (next === undefined) next = valuesOf(at(due(), FIRED)).get(key)
    expect(compareSlotValues(native, next, held)).toBeGreaterThan(0)
    // Readers pin the number of the device record inside as well.
    expect(seqOf(next)).toBeGreaterThan(seqOf(held))
  })

  test('are not moved by what is not theirs', () => {
    const { at, due } = alone()
    at(NOON, NETWORK)
    const [[key, value] = ['', new Uint8Array()]] = valuesOf(at(due(), FIRED))
    const forged = value.slice()
    forged[40] = (forged[40] as number) ^ 1
    const effects = at(due(), { kind: 'published', key, count: 0, held: forged })
    expect(effects.filter(({ kind }) => kind === 'save')).toEqual([])
    expect(effects).toContainEqual({ kind: 'count', reason: 'own slot: unauthentic' })
  })
})
