import { compareBytes, toHex } from '../../lib/bytes.ts'
import { type Chat, createChat } from '../../lib/chat.ts'
import type { ChatEvent, Command, Effect, Event, Reply } from '../../lib/chat/events.ts'
import { heldRows, type StoredRows } from '../../lib/chat/loading.ts'
import type { ChatOptions } from '../../lib/chat/machine.ts'
import { rowsOfNewAccount } from '../../lib/chat/own.ts'
import { decodeContent } from '../../lib/conversation/contents.ts'
import { decodeRecord } from '../../lib/conversation/history.ts'
import { decodePayload } from '../../lib/conversation/payload.ts'
import { createSelf } from '../../lib/identity/self.ts'
import { checkSlotValue, compareSlotValues } from '../../lib/identity/slot-value.ts'
import type { Range, Row } from '../../lib/rows.ts'
import { native } from '../../node/crypto.ts'
import { seededRandom } from './random.ts'

/** Machines without hosts: rows in maps, links that deliver when told to, one DHT, one clock. */
export interface World {
  readonly now: number
  person(name: string, options?: Partial<Pick<ChatOptions, 'delivery' | 'publicMode'>>): Someone
  /** Delivers everything that is on its way, and fires timers that are due, until nothing moves any more. */
  settle(): void
  /** Lets time pass: timers fire in their order. */
  advance(ms: number): void
  /** Whether a message between two people arrives; by default all do. */
  deliver: (from: Someone, to: Someone, bytes: Uint8Array) => boolean
  /** Whether a dial succeeds. */
  reachable: (from: Someone, to: Someone) => boolean
}

export interface Someone {
  readonly name: string
  readonly chat: Chat
  readonly rows: Map<string, Row>
  readonly events: ChatEvent[]
  readonly counts: Map<string, number>
  readonly account: Uint8Array
  readonly peer: Uint8Array
  command(command: Command): Reply
  contact(other: Someone): string
  /** The texts of the conversation with somebody, in order of arrival, `>` before own ones. */
  texts(other: Someone): string[]
  /** Ends the process and starts it again from its rows; links break. */
  restart(): void
  /** Takes the network away, or gives it back. */
  online: boolean
  /** A copy of what is on disk, and back to it. */
  snapshot(): Map<string, Row>
  restore(rows: Map<string, Row>): void
}

interface Pipe {
  readonly ends: readonly [Someone, Someone]
  readonly ids: readonly [number, number]
  open: boolean
}

export function createWorld(seed: number | string = 1): World {
  const queue: (() => void)[] = []
  const people: Inner[] = []
  const dht = new Map<string, Uint8Array>()
  const timers = new Map<string, { at: number; who: Inner; key: string }>()
  const pipes = new Map<number, Pipe>()
  let now = Date.UTC(2026, 5, 1, 9)
  let nextLink = 1
  let nextCommand = 1

  type Inner = Someone & { chat: Chat; online: boolean; handle(event: Event): void; turn(): void }

  const world: World = {
    get now() {
      return now
    },
    deliver: () => true,
    reachable: () => true,
    person(name, options = {}) {
      const random = seededRandom(`${seed} ${name}`)
      const rows = new Map<string, Row>()
      const chatOptions: ChatOptions = {
        primitives: native,
        random,
        delivery: 'outbox',
        publicMode: 'reachable',
        ...options,
      }
      const self = createSelf(native, random, random.bytes(32), now)
      const write = (all: readonly Row[]) => {
        for (const row of all) {
          const key = `${row.range}/${toHex(row.key)}`
          if (row.value === null) rows.delete(key)
          else rows.set(key, row)
        }
      }
      write(rowsOfNewAccount(native, random, self, name, now))
      const replies = new Map<number, Reply>()
      const load = () => createChat(chatOptions, storedRows(rows), now)
      const someone: Inner = {
        name,
        chat: load(),
        rows,
        events: [],
        counts: new Map(),
        account: self.accountRecord.account,
        peer: native.sha256(self.did),
        online: false,
        handle(event) {
          for (const effect of someone.chat.handle(event, now)) perform(someone, effect, write, replies)
        },
        turn() {
          someone.handle({ kind: 'settle' })
        },
        command(command) {
          const id = nextCommand++
          someone.handle({ kind: 'command', id, command })
          someone.turn()
          return replies.get(id) as Reply
        },
        contact(other) {
          for (const person of someone.chat.people())
            if (compareBytes(person.row.account, other.account) === 0) return person.id
          throw new Error(`${name} does not know ${other.name}`)
        },
        texts(other) {
          const handle = someone.contact(other)
          return [...rows.values()]
            .filter((row) => row.range === 'message' && toHex(row.key).startsWith(handle))
            .sort((a, b) => compareBytes(a.key, b.key))
            .map((row) => {
              const record = decodeRecord(row.value as Uint8Array)
              const payload = decodePayload(record.payload)
              const content = decodeContent(payload.kind, payload.content)
              return (record.direction === 'out' ? '>' : '') + (content?.kind === 'text' ? content.text : '?')
            })
        },
        restart() {
          breakLinks(someone)
          for (const key of timers.keys()) if (key.startsWith(`${name} `)) timers.delete(key)
          someone.chat = load()
          if (someone.online) announce(someone)
        },
        snapshot: () => new Map(rows),
        restore(saved) {
          rows.clear()
          for (const [key, row] of saved) rows.set(key, row)
          someone.restart()
        },
      }
      people.push(someone)
      someone.online = true
      announce(someone)
      return someone
    },
    settle() {
      for (let steps = 0; ; steps++) {
        if (steps > 100_000) throw new Error('the machines do not come to rest')
        const job = queue.shift()
        if (job !== undefined) {
          job()
          continue
        }
        const due = [...timers.entries()].filter(([, timer]) => timer.at <= now).sort((a, b) => a[1].at - b[1].at)[0]
        if (due === undefined) return
        timers.delete(due[0])
        due[1].who.handle({ kind: 'timer', key: due[1].key })
        due[1].who.turn()
      }
    },
    advance(ms) {
      const end = now + ms
      world.settle()
      for (;;) {
        const next = Math.min(...[...timers.values()].map(({ at }) => at))
        if (next > end) break
        now = Math.max(now, next)
        world.settle()
      }
      now = end
      world.settle()
    },
  }

  function announce(someone: Inner): void {
    queue.push(() => {
      someone.handle({ kind: 'network', peer: someone.peer, addresses: [new TextEncoder().encode(someone.name)] })
      someone.turn()
    })
  }

  function breakLinks(someone: Inner): void {
    for (const pipe of pipes.values()) if (pipe.open && pipe.ends.includes(someone)) close(pipe)
  }

  function close(pipe: Pipe): void {
    if (!pipe.open) return
    pipe.open = false
    for (const side of [0, 1] as const) {
      const end = pipe.ends[side] as Inner
      const { chat } = end
      queue.push(() => {
        if (end.chat !== chat) return
        end.handle({ kind: 'closed', link: pipe.ids[side] })
        end.turn()
      })
    }
  }

  function perform(
    who: Inner,
    effect: Effect,
    write: (rows: readonly Row[]) => void,
    replies: Map<number, Reply>,
  ): void {
    switch (effect.kind) {
      case 'save':
        write(effect.rows)
        return
      case 'load': {
        const values = effect.keys.map((key) => who.rows.get(`${effect.range}/${toHex(key)}`)?.value ?? null)
        const { chat } = who
        queue.push(() => {
          if (who.chat !== chat) return
          who.handle({ kind: 'loaded', token: effect.token, values })
          who.turn()
        })
        return
      }
      case 'send': {
        const pipe = pipes.get(effect.link)
        if (pipe === undefined || !pipe.open) return
        const side = pipe.ids[0] === effect.link ? 1 : 0
        const to = pipe.ends[side] as Inner
        if (!world.deliver(who, to, effect.bytes)) return
        queue.push(() => {
          if (!pipe.open) return
          to.handle({ kind: 'message', link: pipe.ids[side], bytes: effect.bytes })
          to.turn()
        })
        return
      }
      case 'close': {
        const pipe = pipes.get(effect.link)
        if (pipe !== undefined) close(pipe)
        return
      }
      case 'connect': {
        const target = people.find((other) => effect.targets.some(({ peer }) => compareBytes(peer, other.peer) === 0))
        queue.push(() => {
          if (target === undefined || !target.online || !who.online || !world.reachable(who, target)) {
            who.handle({ kind: 'unreachable', contact: effect.contact })
            who.turn()
            return
          }
          const pipe: Pipe = { ends: [who, target], ids: [nextLink++, nextLink++], open: true }
          for (const id of pipe.ids) pipes.set(id, pipe)
          who.handle({ kind: 'opened', link: pipe.ids[0], dialer: true, peer: target.peer, contact: effect.contact })
          who.turn()
          target.handle({ kind: 'opened', link: pipe.ids[1], dialer: false, peer: who.peer })
          target.turn()
        })
        return
      }
      case 'resolve':
        queue.push(() => {
          const values = effect.keys.flatMap((key) => {
            const value = dht.get(key)
            return value === undefined || !who.online ? [] : [{ key, value }]
          })
          who.handle({ kind: 'resolved', contact: effect.contact, values })
          who.turn()
        })
        return
      case 'publish': {
        checkSlotValue(native, effect.key, effect.value, now)
        const old = dht.get(effect.key)
        if (who.online && (old === undefined || compareSlotValues(native, effect.value, old) > 0))
          dht.set(effect.key, effect.value)
        queue.push(() => {
          who.handle({ kind: 'published', key: effect.key, count: who.online ? 3 : 0 })
          who.turn()
        })
        return
      }
      case 'timer':
        if (effect.at === null) timers.delete(`${who.name} ${effect.key}`)
        else timers.set(`${who.name} ${effect.key}`, { at: effect.at, who, key: effect.key })
        return
      case 'emit':
        who.events.push(effect.event)
        return
      case 'reply':
        replies.set(effect.id, effect.result)
        return
      case 'count':
        who.counts.set(effect.reason, (who.counts.get(effect.reason) ?? 0) + 1)
        return
      case 'bootstrap':
    }
  }
  return world
}

function storedRows(rows: Map<string, Row>): StoredRows {
  const of = (range: Range) =>
    [...rows.values()]
      .filter((row) => row.range === range)
      .sort((a, b) => compareBytes(a.key, b.key))
      .map(({ key, value }) => ({ key, value: value as Uint8Array }))
  return heldRows(of)
}
