import { compareBytes, equalBytes, toHex, utf8 } from '../../lib/bytes.ts'
import { type Chat, createChat, type Person } from '../../lib/chat.ts'
import type { MachineRun } from '../../lib/chat/birth.ts'
import type { ChatEvent, Command, Effect, Event, GossipVerdict, Reply } from '../../lib/chat/events.ts'
import { heldRows, type StoredRows } from '../../lib/chat/loading.ts'
import type { ChatOptions } from '../../lib/chat/machine.ts'
import { rowsOfNewAccount, SELF_KEY } from '../../lib/chat/own.ts'
import { decodeContent } from '../../lib/conversation/contents.ts'
import { decodeRecord, type MessageRecord } from '../../lib/conversation/history.ts'
import { decodePayload, type Payload } from '../../lib/conversation/payload.ts'
import { createSelf, decodeSelf } from '../../lib/identity/self.ts'
import { checkSlotValue, compareSlotValues } from '../../lib/identity/slot-value.ts'
import type { Range, Row } from '../../lib/rows.ts'
import type { Primitives, Random } from '../../lib/crypto/primitives.ts'
import { native } from '../../node/crypto.ts'
import { createAgenda, type Entry } from '../../node/mesh/simulated/agenda.ts'
import { seededRandom } from './random.ts'

/** Machines without hosts: rows in maps, links between them, one DHT, one clock that goes when told to. */
export interface World {
  readonly now: number
  /** With the `seed` of somebody who is there already it is a new device of theirs, the only one from now on; `madeAt` by its clock. */
  person(
    name: string,
    options?: Partial<Pick<ChatOptions, 'delivery' | 'publicMode' | 'primitives' | 'historyMs'>> & {
      seed?: Uint8Array
      recovered?: boolean
      madeAt?: number
      /** What is on disk at the first start, in place of a new account. */
      rows?: (random: Random) => readonly Row[]
    },
  ): Someone
  /** Everybody, in the order in which they came. */
  readonly people: readonly Someone[]
  /** Delivers everything that is on its way now, and fires timers that are due, until nothing moves any more. */
  settle(): void
  /** Lets time pass: timers fire and what is slow arrives in its order. */
  advance(ms: number): void
  /** All nodes of the DHT that hold anything are gone; what it gives lets them come back. */
  loseValues(): () => void
  /** Ends every link between two people; what is on its way is lost. */
  reset(a: Someone, b: Someone): void
  /** Hands bytes to somebody over a link of their own with a stranger, who says `nonce` first. Returns what came back. */
  stranger(to: Someone): Stranger
  /** What goes wrong. By default nothing does. */
  faults: Faults
}

export interface Faults {
  /** Whether a message arrives. */
  deliver(from: Someone, to: Someone, bytes: Uint8Array): boolean
  /** Whether a message arrives once more, on the newest link between the two. */
  duplicate(from: Someone, to: Someone, bytes: Uint8Array): boolean
  /** What arrives instead of a message. */
  mutate(from: Someone, to: Someone, bytes: Uint8Array): Uint8Array
  /** Whether gossip arrives. */
  gossip(from: Someone, to: Someone, bytes: Uint8Array): boolean
  /** How long a message or a dial takes, ms. Messages of one link never overtake each other. */
  latency(): number
  /** How much later than at the other end a link is there for who dialled it, ms. */
  opensLater(): number
  /** Whether a dial succeeds. */
  reachable(from: Someone, to: Someone): boolean
  /** Whether a dial ends at a link that is there already. */
  reuse(): boolean
  /** Whether somebody closes links that its machine wants closed; another program may not. */
  closes(who: Someone): boolean
  /** Whether the process dies at the end of this turn: before its rows are written, or after that but before anything leaves. */
  crash(who: Someone): 'no' | 'unwritten' | 'unsent'
}

const NO_FAULTS: Faults = {
  deliver: () => true,
  duplicate: () => false,
  mutate: (_from, _to, bytes) => bytes,
  gossip: () => true,
  latency: () => 0,
  opensLater: () => 0,
  reachable: () => true,
  reuse: () => false,
  closes: () => true,
  crash: () => 'no',
}

export interface Someone {
  readonly name: string
  readonly chat: Chat
  readonly rows: Map<string, Row>
  readonly events: ChatEvent[]
  readonly counts: Map<string, number>
  /** Everything that was sent, to whomever. */
  readonly sends: { readonly link: number; readonly bytes: Uint8Array }[]
  readonly account: Uint8Array
  readonly peer: Uint8Array
  /** Refused with `wrong-state` when the process died over it. */
  command(command: Command): Reply
  /** Their handle here. Throws when they are unknown. */
  contact(other: Someone): string
  person(other: Someone): Person | undefined
  /** The texts of the conversation with somebody, in order of arrival, `>` before own ones. */
  texts(other: Someone): string[]
  /** The messages of the conversation, in order of arrival. */
  messages(other: Someone): { readonly record: MessageRecord; readonly payload: Payload; readonly text: string }[]
  /** Ends the process and starts it again from its rows; links break. */
  restart(): void
  /** Takes the network away (takes effect with `restart`), or gives it back. */
  online: boolean
  /** How far the own clock is ahead, ms. */
  skewMs: number
  /** The topics that it takes part in. */
  readonly topics: ReadonlySet<string>
  /** By link the topics of whoever is behind it. */
  readonly admitted: ReadonlyMap<number, ReadonlySet<string>>
  /** A copy of what is on disk, and back to it. */
  snapshot(): Map<string, Row>
  restore(rows: Map<string, Row>): void
  /** Loses every row of a range, and starts again. */
  lose(range: Range): void
  /** Hands an event to the machine, with the turn that follows. */
  handle(event: Event): void
}

export interface Stranger {
  /** What the machine sent to this link. */
  readonly heard: Uint8Array[]
  say(bytes: Uint8Array): void
  /** Whether the machine closed the link. */
  readonly closed: boolean
}

interface Pipe {
  readonly ends: readonly [Someone | null, Someone]
  readonly ids: readonly [number, number]
  open: boolean
  /** When the last message of each direction arrives. */
  readonly last: [number, number]
  heard: Uint8Array[]
}

interface Timer<Who> extends Entry {
  readonly who: Who
  readonly key: string
}

interface Job {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** The machines of a world started when it did, by a clock that is so far ahead, ms. */
export function runOf(skewMs: number): MachineRun {
  return { id: new Uint8Array(16), began: START + skewMs }
}

const START = Date.UTC(2026, 5, 1, 9)

export function createWorld(
  seed: number | string = 1,
  { primitives = native }: { readonly primitives?: Primitives } = {},
): World {
  const people: Inner[] = []
  const dht = new Map<string, Uint8Array>()
  const timers = new Map<string, Timer<Inner>>()
  const agenda = createAgenda<Timer<Inner>>()
  const pipes = new Map<number, Pipe>()
  const jobs: Job[] = []
  let now = START
  let nextLink = 1
  let nextCommand = 1
  let nextOrder = 1

  type Inner = Someone & {
    chat: Chat
    readonly replies: Map<number, Reply>
    readonly topics: Set<string>
    readonly admitted: Map<number, ReadonlySet<string>>
    readonly gossips: Map<number, (verdict: GossipVerdict) => void>
    readonly hadGossip: Set<string>
  }

  const world: World = {
    get now() {
      return now
    },
    people,
    faults: { ...NO_FAULTS },
    person(name, { seed: accountSeed, recovered = false, madeAt = now, rows: firstRows, ...options } = {}) {
      const random = seededRandom(`${seed} ${name}`)
      const rows = new Map<string, Row>()
      const chatOptions: ChatOptions = {
        primitives,
        random,
        delivery: 'outbox',
        publicMode: 'reachable',
        ...options,
      }
      if (firstRows === undefined) {
        const made = createSelf(primitives, random, accountSeed ?? random.bytes(32), madeAt)
        write(rows, rowsOfNewAccount(primitives, random, made, name, madeAt, recovered, runOf(madeAt - now)))
      } else write(rows, firstRows(random))
      const selfRow = rows.get(`self/${toHex(SELF_KEY)}`)?.value as Uint8Array
      const self = decodeSelf(primitives, selfRow)
      const start = (): Chat => createChat(chatOptions, storedRows(rows), now + someone.skewMs)
      const messages = (other: Someone) => {
        const handle = someone.contact(other)
        return [...rows.values()]
          .filter((row) => row.range === 'message' && toHex(row.key).startsWith(handle))
          .sort((a, b) => compareBytes(a.key, b.key))
          .map((row) => {
            const record = decodeRecord(row.value as Uint8Array)
            const payload = decodePayload(record.payload)
            const content = decodeContent(payload.kind, payload.content)
            return { record, payload, text: content?.kind === 'text' ? content.text : '?' }
          })
      }
      const someone: Inner = {
        name,
        chat: createChat(chatOptions, storedRows(rows), now),
        rows,
        events: [],
        counts: new Map(),
        sends: [],
        replies: new Map(),
        account: self.accountRecord.account,
        peer: primitives.sha256(self.did, firstRows === undefined ? new Uint8Array() : self.accountRecord.account),
        online: true,
        skewMs: 0,
        topics: new Set(),
        admitted: new Map(),
        gossips: new Map(),
        hadGossip: new Set(),
        handle: (event) => turn(someone, event),
        command(command) {
          const id = nextCommand++
          turn(someone, { kind: 'command', id, command })
          // Some are answered when something was read.
          if (!someone.replies.has(id)) run(now)
          const reply = someone.replies.get(id)
          someone.replies.delete(id)
          return reply ?? { kind: 'refused', code: 'wrong-state', message: 'the process died' }
        },
        contact(other) {
          const person = someone.person(other)
          if (person === undefined) throw new Error(`${name} does not know ${other.name}`)
          return person.id
        },
        person: (other) => [...someone.chat.people()].find(({ row }) => compareBytes(row.account, other.account) === 0),
        messages,
        texts: (other) => messages(other).map(({ record, text }) => (record.direction === 'out' ? '>' : '') + text),
        restart() {
          for (const pipe of pipes.values()) if (pipe.ends.includes(someone)) close(pipe)
          for (const key of timers.keys()) if (key.startsWith(`${name} `)) endTimer(key)
          for (const held of [someone.topics, someone.admitted, someone.gossips, someone.hadGossip]) held.clear()
          someone.chat = start()
          if (someone.online) announce(someone)
          else soon(someone, { kind: 'settle' })
        },
        snapshot: () => new Map(rows),
        restore(saved) {
          rows.clear()
          for (const [key, row] of saved) rows.set(key, row)
          someone.restart()
        },
        lose(range) {
          for (const [key, row] of rows) if (row.range === range) rows.delete(key)
          someone.restart()
        },
      }
      people.push(someone)
      announce(someone)
      return someone
    },
    settle() {
      run(now)
    },
    advance(ms) {
      const end = now + ms
      run(end)
      now = end
    },
    loseValues() {
      const held = [...dht]
      dht.clear()
      return () => {
        for (const [key, value] of held) store(key, value)
      }
    },
    reset(a, b) {
      for (const pipe of pipes.values()) if (pipe.ends.includes(a) && pipe.ends.includes(b)) close(pipe)
    },
    stranger(to) {
      const pipe: Pipe = { ends: [null, to], ids: [nextLink++, nextLink++], open: true, last: [0, 0], heard: [] }
      for (const id of pipe.ids) pipes.set(id, pipe)
      to.handle({ kind: 'opened', link: pipe.ids[1], dialer: false, peer: utf8('stranger') })
      return {
        heard: pipe.heard,
        say(bytes) {
          if (pipe.open) to.handle({ kind: 'message', link: pipe.ids[1], bytes })
        },
        get closed() {
          return !pipe.open
        },
      }
    },
  }

  /** Everything that happens until `end`, in the order of time. */
  function run(end: number): void {
    for (let steps = 0; ; steps++) {
      if (steps > 2_000_000) throw new Error('the machines do not come to rest')
      const job = jobs[0]
      const timer = agenda.peek()
      if (job !== undefined && job.at <= end && (timer === undefined || job.at <= Math.max(timer.at, now))) {
        now = Math.max(now, job.at)
        jobs.shift()
        job.run()
      } else if (timer !== undefined && timer.at <= end) {
        now = Math.max(now, timer.at)
        endTimer(`${timer.who.name} ${timer.key}`)
        turn(timer.who, { kind: 'timer', key: timer.key })
      } else return
    }
  }

  function startTimer(who: Inner, key: string, at: number): void {
    const timer: Timer<Inner> = { at, order: nextOrder++, who, key, cancelled: false, run: () => undefined }
    timers.set(`${who.name} ${key}`, timer)
    agenda.add(timer)
  }

  function endTimer(name: string): void {
    const timer = timers.get(name)
    if (timer !== undefined) timer.cancelled = true
    timers.delete(name)
  }

  function later(delayMs: number, job: () => void): void {
    const added: Job = { at: now + delayMs, order: nextOrder++, run: job }
    let at = jobs.length
    while (at > 0 && (jobs[at - 1] as Job).at > added.at) at--
    jobs.splice(at, 0, added)
  }

  /** Only while the same life of the process lasts. */
  function soon(who: Inner, event: Event): void {
    const { chat } = who
    later(0, () => {
      if (who.chat === chat) turn(who, event)
    })
  }

  /** One event and what follows from it, as one write. */
  function turn(who: Inner, event: Event): void {
    const { chat } = who
    const at = now + who.skewMs
    const effects = [...chat.handle(event, at), ...chat.handle({ kind: 'settle' }, at)]
    const crash = world.faults.crash(who)
    if (crash !== 'unwritten') {
      for (const effect of effects) {
        if (effect.kind === 'save') write(who.rows, effect.rows)
        if (effect.kind === 'erase') erase(who.rows, effect)
      }
    }
    if (crash === 'no') for (const effect of effects) perform(who, effect)
    else who.restart()
  }

  function announce(someone: Inner): void {
    const { chat } = someone
    later(0, () => {
      if (someone.chat === chat) turn(someone, { kind: 'run', ...runOf(someone.skewMs) })
    })
    soon(someone, { kind: 'network', peer: someone.peer, addresses: [utf8(someone.name)] })
  }

  function close(pipe: Pipe): void {
    if (!pipe.open) return
    pipe.open = false
    for (const side of [0, 1] as const) {
      pipes.delete(pipe.ids[side])
      const end = pipe.ends[side]
      if (end !== null) soon(end as Inner, { kind: 'closed', link: pipe.ids[side] })
    }
  }

  function pipeBetween(a: Someone, b: Someone): Pipe | undefined {
    return [...pipes.values()].findLast(({ ends }) => ends.includes(a) && ends.includes(b))
  }

  function transmit(pipe: Pipe, side: 0 | 1, bytes: Uint8Array): void {
    const arrives = Math.max(now + world.faults.latency(), pipe.last[side])
    pipe.last[side] = arrives
    later(arrives - now, () => {
      if (pipe.open) turn(pipe.ends[side] as Inner, { kind: 'message', link: pipe.ids[side], bytes })
    })
  }

  function send(who: Inner, link: number, bytes: Uint8Array): void {
    who.sends.push({ link, bytes })
    const pipe = pipes.get(link)
    if (pipe === undefined) return
    const side = pipe.ids[0] === link ? 1 : 0
    const to = pipe.ends[side]
    if (to === null) {
      pipe.heard.push(bytes)
      return
    }
    if (world.faults.deliver(who, to, bytes)) transmit(pipe, side, world.faults.mutate(who, to, bytes))
    if (world.faults.duplicate(who, to, bytes)) {
      const other = pipeBetween(who, to)
      if (other !== undefined) transmit(other, other.ends[0] === to ? 0 : 1, bytes)
    }
  }

  /** Whether somebody admitted somebody else to a topic over a link that is open. */
  function admits(who: Inner, other: Inner, topic: string): boolean {
    return [...who.admitted].some(
      ([link, topics]) => topics.has(topic) && pipes.get(link)?.ends.includes(other) === true,
    )
  }

  function gossip(who: Inner, topic: string, bytes: Uint8Array, source?: Inner): void {
    const name = `${topic} ${toHex(bytes)}`
    who.hadGossip.add(name)
    for (const other of people) {
      if (other === who || other === source || !other.topics.has(topic)) continue
      if (!admits(who, other, topic) || !world.faults.gossip(who, other, bytes)) continue
      later(world.faults.latency(), () => {
        if (!other.topics.has(topic) || !admits(other, who, topic) || other.hadGossip.has(name)) return
        other.hadGossip.add(name)
        const number = nextOrder++
        other.gossips.set(number, (verdict) => {
          if (verdict === 'accept') gossip(other, topic, bytes, who)
        })
        turn(other, { kind: 'gossiped', number, topic, bytes: bytes.slice(), peer: who.peer })
      })
    }
  }

  function dial(who: Inner, contact: string, target: Inner | undefined): void {
    if (target === undefined || !target.online || !who.online || !world.faults.reachable(who, target)) {
      turn(who, { kind: 'unreachable', contact })
      return
    }
    const known = pipeBetween(who, target)
    if (known !== undefined && world.faults.reuse()) {
      turn(who, { kind: 'reached', link: known.ids[known.ends[0] === who ? 0 : 1], contact })
      return
    }
    const { chat } = who
    const here = now + world.faults.opensLater()
    const pipe: Pipe = { ends: [who, target], ids: [nextLink++, nextLink++], open: true, last: [here, now], heard: [] }
    for (const id of pipe.ids) pipes.set(id, pipe)
    soon(target, { kind: 'opened', link: pipe.ids[1], dialer: false, peer: who.peer })
    const open = (): void => turn(who, { kind: 'opened', link: pipe.ids[0], dialer: true, peer: target.peer, contact })
    if (here === now) open()
    else
      later(here - now, () => {
        if (who.chat !== chat) return
        if (pipe.open) open()
        else turn(who, { kind: 'unreachable', contact })
      })
  }

  function perform(who: Inner, effect: Effect): void {
    const { chat } = who
    switch (effect.kind) {
      case 'load':
        later(0, () => {
          if (who.chat !== chat) return
          const values = effect.keys.map((key) => who.rows.get(rowKey(effect.range, key))?.value ?? null)
          turn(who, { kind: 'loaded', token: effect.token, values })
        })
        return
      case 'list':
        later(0, () => {
          if (who.chat !== chat) return
          const rows = [...who.rows.values()]
            .filter(
              ({ range, key }) => range === effect.range && (!effect.after || compareBytes(key, effect.after) > 0),
            )
            .sort((a, b) => compareBytes(a.key, b.key))
            .slice(0, effect.limit)
            .map(({ key, value }) => ({ key, value: value as Uint8Array }))
          turn(who, { kind: 'listed', token: effect.token, rows })
        })
        return
      case 'gossip-peer':
        who.admitted.set(effect.link, new Set(effect.topics))
        return
      case 'subscribe':
        who.topics.add(effect.topic)
        return
      case 'unsubscribe':
        who.topics.delete(effect.topic)
        return
      case 'gossip':
        gossip(who, effect.topic, effect.bytes)
        return
      case 'gossip-verdict': {
        const then = who.gossips.get(effect.number)
        who.gossips.delete(effect.number)
        then?.(effect.verdict)
        return
      }
      case 'stamp':
        later(0, () => turn(who, { kind: 'stamped', number: effect.number, stamp: null }))
        return
      case 'connect-mailbox':
        later(0, () => turn(who, { kind: 'mailbox-unreachable', mailbox: effect.mailbox }))
        return
      case 'compact':
        soon(who, { kind: 'compacted', done: true })
        return
      case 'send':
        send(who, effect.link, effect.bytes)
        return
      case 'close': {
        const pipe = pipes.get(effect.link)
        if (pipe !== undefined && world.faults.closes(who)) close(pipe)
        return
      }
      case 'connect': {
        const target = people.find((other) => effect.targets.some(({ peer }) => compareBytes(peer, other.peer) === 0))
        later(world.faults.latency(), () => {
          if (who.chat === chat) dial(who, effect.contact, target)
        })
        return
      }
      case 'resolve': {
        const values = effect.keys.flatMap((key) => {
          const value = dht.get(key)
          return value === undefined || !who.online ? [] : [{ key, value }]
        })
        const [first] = values
        if (first !== undefined) soon(who, { kind: 'found', contact: effect.contact, ...first })
        soon(who, { kind: 'resolved', contact: effect.contact, values })
        return
      }
      case 'publish':
        if (who.online && store(effect.key, effect.value)) soon(who, { kind: 'published', key: effect.key, count: 3 })
        else {
          const held = who.online ? dht.get(effect.key) : undefined
          soon(who, { kind: 'published', key: effect.key, count: 0, ...(held && { held }) })
        }
        return
      case 'timer':
        endTimer(`${who.name} ${effect.key}`)
        if (effect.at !== null) startTimer(who, effect.key, effect.at - who.skewMs)
        return
      case 'emit':
        who.events.push(effect.event)
        return
      case 'reply':
        who.replies.set(effect.id, effect.result)
        return
      case 'count':
        who.counts.set(effect.reason, (who.counts.get(effect.reason) ?? 0) + 1)
        return
      case 'save':
      case 'erase':
      case 'bootstrap':
    }
  }

  /** What the nodes of the DHT do with a value; their clocks are right. */
  function store(key: string, value: Uint8Array): boolean {
    try {
      checkSlotValue(primitives, key, value, now)
    } catch {
      return false
    }
    const old = dht.get(key)
    if (old !== undefined && compareSlotValues(primitives, value, old) < 0) return false
    dht.set(key, value)
    return true
  }
  return world
}

function rowKey(range: Range, key: Uint8Array): string {
  return `${range}/${toHex(key)}`
}

function write(rows: Map<string, Row>, all: readonly Row[]): void {
  for (const row of all) {
    if (row.value === null) rows.delete(rowKey(row.range, row.key))
    else rows.set(rowKey(row.range, row.key), row)
  }
}

function erase(rows: Map<string, Row>, erasure: Extract<Effect, { kind: 'erase' }>): void {
  const { ranges, bytes, at } = erasure
  for (const [name, { range, key }] of rows) {
    if (ranges.includes(range) && equalBytes(key.subarray(at, at + bytes.length), bytes)) rows.delete(name)
  }
}

function storedRows(rows: Map<string, Row>): StoredRows {
  const ranges = new Map<Range, Row[]>()
  for (const row of rows.values()) {
    const list = ranges.get(row.range)
    if (list === undefined) ranges.set(row.range, [row])
    else list.push(row)
  }
  return heldRows((range) =>
    (ranges.get(range) ?? [])
      .sort((a, b) => compareBytes(a.key, b.key))
      .map(({ key, value }) => ({ key, value: value as Uint8Array })),
  )
}

/** Two people who have accepted each other, over an invite of the second. */
export function acquaint(world: World, a: Someone, b: Someone): void {
  const invite = b.command({ kind: 'invite', addresses: [] })
  if (invite.kind !== 'invite') throw new Error('no invite')
  world.advance(2_000)
  a.command({ kind: 'add', link: invite.link, petname: b.name })
  world.advance(1_000)
  b.command({ kind: 'accept', contact: b.contact(a), petname: a.name })
  world.advance(5_000)
}

/** A text to somebody. */
export function say(from: Someone, to: Someone, text: string): Reply {
  return from.command({ kind: 'send', contact: from.contact(to), text })
}
