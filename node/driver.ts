import { type Chat, createChat } from '../lib/chat.ts'
import type { ChatEvent, Command, Effect, Event, Reply } from '../lib/chat/events.ts'
import { ERASED_KEY, TEXT_RANGES } from '../lib/chat/erasing.ts'
import { HELD_RANGES, heldRows, type StoredRows } from '../lib/chat/loading.ts'
import { RANGES_OF_CONTACT } from '../lib/chat/removing.ts'
import type { ChatOptions } from '../lib/chat/machine.ts'
import type { Range } from '../lib/rows.ts'
import type { Logger } from './api.ts'
import type { Clock } from './clock.ts'
import { createErasing } from './erasing.ts'
import { createErrands } from './errands.ts'
import { NodeError, storageError } from './errors.ts'
import { createGossiping } from './gossiping.ts'
import type { MailboxHost } from './mailbox/host.ts'
import type { Link, Network } from './network/network.ts'
import { createReading } from './reading.ts'
import { readAgain } from './rereading.ts'
import type { Store } from './store/store.ts'
import { type CommitWindow, createWindow } from './window.ts'

/** A turn handles at most so many events, or lasts so long, before others get their turn. */
const TURN_EVENTS = 64
const TURN_MS = 8

/** When it is to end, how long it still handles what is there and what others go on to send, ms. */
const ENDING_MS = 1_000

/** How often it is looked whether the clock was set, ms, and what counts for that. */
const LOOK_AT_CLOCK_MS = 5_000
const CLOCK_SET_MS = 2_000

/** How often rows that the machine asks for are read before commands that may wait for them are refused: a second. */
const LOAD_ATTEMPTS = 3

/** Windows that wait to be written before the readers of streams pause. */
const MAX_WAITING_WINDOWS = 4

export interface DriverOptions {
  readonly chat: ChatOptions
  readonly store: Store
  /** Null for a node that only reads and writes its home. */
  readonly network: Network | null
  readonly clock: Clock
  readonly logger: Logger
  /** The mailbox that runs beside it; it has what others open to it. */
  readonly mailbox?: MailboxHost | null
  /** What happened, after it was safe on disk. Does not throw. */
  emit(event: ChatEvent): void
  /** Addresses that an invite brought, to be remembered as bootstrap. */
  foundBootstrap(addresses: readonly Uint8Array[]): void
  /** Nothing is under way any more: the driver is `idle`. */
  cameToRest?(): void
}

/**
 * Runs a `Chat` over a store, a network and a clock. Effects are applied in order: rows collect in the open window,
 * what must not run ahead of the disk collects behind them, and one batch is on its way at a time while the next window
 * fills. The simulator runs this same driver.
 */
export interface Driver {
  readonly chat: Chat
  /** What was dropped since the start, by reason. */
  readonly dropped: ReadonlyMap<string, number>
  /** Offers a value to the DHT, for somebody else. Never rejects. */
  offer(key: string, value: Uint8Array): Promise<void>
  /** Counts one more, and says so in the log. */
  drop(reason: string): void
  /** Links by their number, for showing how somebody is reached. */
  readonly links: ReadonlyMap<number, Link>
  /** Starts the network, if there is one. */
  start(): Promise<void>
  /** Resolves when the command's rows are on disk. Rejects with `storage` or `stopped`. */
  command(command: Command): Promise<Reply>
  /** A row as the machine wrote it last, whether it is on disk yet or not. */
  read(range: Range, key: Uint8Array): Promise<Uint8Array | null>
  /** Resolves when everything handed in so far is on disk. */
  flushed(): Promise<void>
  /** Resolves when the disk keeps nothing more of what was erased so far. Rejects with `storage`. */
  cleared(): Promise<void>
  /** Whether no event, window or network job is under way. */
  readonly idle: boolean
  /** Writes what is pending and takes nothing more; network and store stay open for their owner to close. */
  stop(): Promise<void>
}

/** Reads what the machine holds and makes the driver. Throws `ProtocolError` for rows that cannot be read. */
export async function createDriver(options: DriverOptions): Promise<Driver> {
  const { store, network, clock, logger } = options
  let chat = createChat(options.chat, await readHeld(store), clock.now())
  const events: Event[] = []
  const paused: (() => void)[] = []
  const waiting: CommitWindow[] = []
  let open = createWindow()
  let writing: CommitWindow | null = null
  let scheduled = false
  /** Commands are refused. */
  let ending = false
  /** Nothing is taken or handled any more; what was saved is still written and let go. */
  let over = false
  let stopped = false
  /** While the machine is read back from disk: what happens meanwhile waits for the new one. */
  let startingOver = false
  /** Which machine it is, of those that were built one after the other: nobody is answered what another one asked. */
  let generation = 0
  /** Why there is no machine now; null but while the disk does not let it be read. */
  let unreadable: NodeError | null = null
  let defect: NodeError | null = null
  let jobs = 0
  let nextCommand = 1
  const commands = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>()
  const timers = new Map<string, () => void>()
  const links = new Map<number, Link>()
  const dropped = new Map<string, number>()
  const idleWaiters: (() => void)[] = []
  const abort = new AbortController()
  const erasing = createErasing(store)
  let cleared: Promise<void> = Promise.resolve()
  const errands = createErrands({
    network,
    clock,
    primitives: options.chat.primitives,
    stopping: abort.signal,
    done: push,
  })
  const gossiping = createGossiping({ network, clock, push, drop })
  const reading = createReading(store, () => [...(writing === null ? [] : [writing]), ...waiting, open])

  /** When the clock was looked at last, and when the machine started by it, ms. */
  let lookedAt = Number.NEGATIVE_INFINITY
  let began: number | null = null

  /** Before anything else is handled by a clock that was set. */
  function lookAtClock(): void {
    const now = clock.now()
    if (clock.run === undefined || Math.abs(now - lookedAt) < LOOK_AT_CLOCK_MS) return
    lookedAt = now
    const run = clock.run()
    if (run === null || (began !== null && Math.abs(run.began - began) < CLOCK_SET_MS)) return
    began = run.began
    events.unshift({ kind: 'run', ...run })
  }

  function push(event: Event): void {
    if (over) return
    events.push(event)
    wake()
  }

  function wake(): void {
    if (scheduled) return
    scheduled = true
    clock.soon(turn)
  }

  /** Handles what is waiting, within the limits of a turn, and closes the window behind it. */
  function turn(): void {
    scheduled = false
    if (over || startingOver || defect !== null) return
    lookAtClock()
    const end = clock.now() + TURN_MS
    try {
      handleSome(end)
    } catch (cause) {
      onDefect(cause)
      return
    }
    if (open.full && writing !== null) {
      waiting.push(open)
      open = createWindow()
    }
    if (writing === null) void write()
    if (events.length > 0) wake()
    notifyIdle()
  }

  function handleSome(end: number): void {
    for (let handled = 0; handled < TURN_EVENTS && (handled === 0 || clock.now() < end); handled++) {
      const event = events.shift()
      if (event === undefined) break
      apply(chat.handle(event, clock.now()))
      if (open.full) break
    }
    apply(chat.handle({ kind: 'settle' }, clock.now()))
  }

  /**
   * The machine threw: a defect of ours, which no peer may turn into the end of the process. What it holds is no longer to
   * be trusted, so it goes back to what is on disk, as after a crash.
   */
  function onDefect(cause: unknown): void {
    drop('defect')
    logger.warn({ error: cause instanceof Error ? cause.name : 'unknown' }, 'the machine failed and starts over')
    defect = new NodeError('failed', 'Something went wrong inside; nothing was accepted.', { cause })
    if (writing === null) job(recover())
  }

  async function recover(): Promise<void> {
    const error = defect
    if (error === null) return
    await startOver(error)
  }

  function apply(effects: readonly Effect[]): void {
    for (const effect of effects) perform(effect)
  }

  function perform(effect: Effect): void {
    switch (effect.kind) {
      case 'save':
        open.save(effect.rows)
        return
      case 'erase':
        open.erase(effect)
        return
      case 'send':
        open.send(effect.link, effect.bytes)
        return
      case 'emit':
        // How far a message got is true of their disk, whatever becomes of this one.
        if (isOfTheirDisk(effect.event)) options.emit(effect.event)
        else open.emit(effect.event)
        return
      case 'reply':
        open.reply(effect.id, effect.result)
        return
      case 'publish':
        open.publish(effect.key, effect.value)
        return
      case 'gossip':
        open.publishGossip(effect.topic, effect.bytes)
        return
      case 'gossip-peer':
      case 'subscribe':
      case 'unsubscribe':
      case 'gossip-verdict':
        gossiping.perform(effect)
        return
      case 'close':
        open.close(effect.link)
        return
      case 'load':
        job(load(effect.token, effect.range, effect.keys))
        return
      case 'list':
        job(list(effect))
        return
      case 'compact':
        open.compact(effect.ranges)
        return
      case 'connect':
        job(errands.connect(effect.contact, effect.targets))
        return
      case 'stamp':
        errands.stamp(effect)
        return
      case 'connect-mailbox':
        job(errands.connectMailbox(effect.mailbox, effect.target))
        return
      case 'resolve':
        job(errands.resolve(effect.contact, effect.keys))
        return
      case 'timer':
        setTimer(effect.key, effect.at)
        return
      case 'bootstrap':
        network?.addBootstrap(effect.addresses)
        options.foundBootstrap(effect.addresses)
        return
      case 'count':
        drop(effect.reason)
    }
  }

  function drop(reason: string): void {
    dropped.set(reason, (dropped.get(reason) ?? 0) + 1)
    logger.debug({ reason }, 'dropped')
  }

  /** Keeps count of what is under way, so that `idle` tells the truth, and lets no rejection pass unnoticed. */
  function job(work: Promise<void>): void {
    jobs++
    work
      .catch((cause: unknown) => {
        if (!stopped)
          logger.warn({ error: cause instanceof Error ? cause.name : 'unknown' }, 'a job of the driver failed')
      })
      .finally(() => {
        jobs--
        notifyIdle()
      })
      .catch(() => undefined)
  }

  function setTimer(key: string, at: number | null): void {
    timers.get(key)?.()
    timers.delete(key)
    if (at === null || stopped) return
    timers.set(
      key,
      clock.at(at, () => {
        timers.delete(key)
        push({ kind: 'timer', key })
      }),
    )
  }

  /** Writes windows one after the other until nothing is left to write or to send. */
  async function write(): Promise<void> {
    for (;;) {
      const window = waiting.shift() ?? open
      if (window === open) open = createWindow()
      if (isEmpty(window)) break
      writing = window
      if (window.rows.size > 0 || window.erasures.length > 0) {
        try {
          await store.write([...(await erasing.rowsOf(window.erasures)), ...window.rows.values()])
        } catch (cause) {
          await onWriteFailed(cause)
          continue
        } finally {
          if (window.erasures.length > 0) job((cleared = erasing.clear()))
        }
      }
      release(window)
      if (defect !== null) {
        await recover()
        continue
      }
      if (waiting.length < MAX_WAITING_WINDOWS) for (const resume of paused.splice(0)) resume()
    }
    writing = null
    notifyIdle()
  }

  /** The rows are on disk: one write per peer, then the events, then the answers. */
  function release(window: CommitWindow): void {
    for (const [id, messages] of window.sends) {
      const link = links.get(id)
      if (link !== undefined) job(link.send(messages))
    }
    for (const { topic, bytes } of window.gossip) job(gossiping.publish(topic, bytes))
    for (const id of window.closes) links.get(id)?.close()
    if (window.compactions.size > 0) job(compact([...window.compactions]))
    for (const { key, value } of window.publications) job(errands.publish(key, value))
    for (const event of window.events) options.emit(event)
    for (const { id, result } of window.replies) {
      commands.get(id)?.resolve(result)
      commands.delete(id)
    }
  }

  /** Nothing of a failed batch was written: what it carried is dropped, and the machine goes back to what is on disk. */
  async function onWriteFailed(cause: unknown): Promise<void> {
    logger.warn({ error: cause instanceof Error ? cause.name : 'unknown' }, 'the disk refused a write')
    await startOver(storageError('The disk refused the write; nothing was accepted.', cause))
  }

  /** Drops what was not written and everything under way, tells whoever waits, and reads the machine back from disk. */
  async function startOver(error: NodeError): Promise<void> {
    startingOver = true
    generation++
    began = null
    lookedAt = Number.NEGATIVE_INFINITY
    defect = null
    waiting.length = 0
    open = createWindow()
    events.length = 0
    refuseAll(error)
    for (const cancel of timers.values()) cancel()
    timers.clear()
    for (const link of links.values()) link.close()
    links.clear()
    gossiping.reset()
    for (const resume of paused.splice(0)) resume()
    if (stopped) return
    const built = await readAgain(async () => createChat(options.chat, await readHeld(store), clock.now()), {
      clock,
      stopping: abort.signal,
      failed: onUnreadable,
    })
    if (built === null) {
      stopped = true
      return
    }
    chat = built
    if (unreadable !== null) logger.info({}, 'the store can be read again')
    unreadable = null
    startingOver = false
    // Links that opened meanwhile wait among the events; the machine knows none of those before.
    if (network !== null) announce(network)
    else if (events.length > 0) wake()
  }

  /** Whoever asks is told until it can be read; what others send waits with them. */
  function onUnreadable(cause: unknown): void {
    logger.warn({ error: cause instanceof Error ? cause.name : 'unknown' }, 'the store cannot be read')
    unreadable = storageError('The disk cannot be read; nothing was accepted.', cause)
    events.splice(0, events.length, ...events.filter(({ kind }) => kind !== 'command'))
    refuseAll(unreadable)
  }

  function refuseAll(error: NodeError): void {
    for (const { reject } of commands.values()) reject(error)
    commands.clear()
  }

  /**
   * Reads for the machine, which waits for the answer, and goes on trying. Only where somebody waits for a command too it starts
   * over after a while, so that they are told. Null when nobody waits any more.
   */
  async function readFor<T>(asked: number, read: () => Promise<T>): Promise<T | null> {
    let attempts = 0
    const found = await readAgain(async () => (asked === generation ? read() : null), {
      clock,
      stopping: abort.signal,
      failed(cause) {
        logger.warn({ error: cause instanceof Error ? cause.name : 'unknown' }, 'the disk could not be read')
        if (++attempts < LOAD_ATTEMPTS || asked !== generation || commands.size === 0 || defect !== null) return
        defect = storageError('The disk cannot be read; nothing was accepted.', cause)
        if (writing === null) job(recover())
      },
    })
    return asked === generation ? found : null
  }

  async function load(token: number, range: Range, keys: readonly Uint8Array[]): Promise<void> {
    const values = await readFor(generation, () => Promise.all(keys.map((key) => reading.read(range, key))))
    if (values !== null) push({ kind: 'loaded', token, values })
  }

  async function list({ token, range, after, limit }: Extract<Effect, { kind: 'list' }>): Promise<void> {
    const rows = await readFor(generation, () => reading.list(range, after, limit))
    if (rows !== null) push({ kind: 'listed', token, rows })
  }

  async function compact(ranges: readonly Range[]): Promise<void> {
    const asked = generation
    const done = await isCompacted(ranges)
    if (asked === generation) push({ kind: 'compacted', done })
  }

  async function isCompacted(ranges: readonly Range[]): Promise<boolean> {
    try {
      for (const range of ranges) await store.compact(range)
      return true
    } catch (cause) {
      logger.warn({ error: cause instanceof Error ? cause.name : 'unknown' }, 'deleted texts are still on the disk')
      return false
    }
  }

  function announce(running: Network): void {
    push({ kind: 'network', peer: running.peer, addresses: running.addresses() })
  }

  function isBusy(): boolean {
    return events.length > 0 || scheduled || writing !== null || !isEmpty(open) || waiting.length > 0 || jobs > 0
  }

  function notifyIdle(): void {
    if (isBusy()) return
    for (const done of idleWaiters.splice(0)) done()
    options.cameToRest?.()
  }

  return {
    get chat() {
      return chat
    },
    dropped,
    drop,
    offer: errands.offer,
    links,
    get idle() {
      return !isBusy()
    },
    async start() {
      job((cleared = erasing.resume(RANGES_OF_CONTACT)))
      wake()
      if (network === null) return
      await network.start({
        opened(link) {
          if (isServed(link)) {
            options.mailbox?.opened(link)
            return
          }
          links.set(link.id, link)
          if (link.protocol === 'mailbox') {
            push({ kind: 'mailbox-opened', link: link.id, peer: link.remotePeer })
            return
          }
          const contact = link.dialer ? errands.dialledFor(link.remotePeer) : undefined
          push({
            kind: 'opened',
            link: link.id,
            dialer: link.dialer,
            peer: link.remotePeer,
            ...(contact !== undefined && { contact }),
          })
        },
        message(link, bytes) {
          if (isServed(link)) return options.mailbox?.message(link, bytes)
          if (over) return new Promise<void>((resume) => paused.push(resume))
          push({ kind: 'message', link: link.id, bytes })
          if (waiting.length < MAX_WAITING_WINDOWS && events.length < TURN_EVENTS * 4) return undefined
          return new Promise<void>((resume) => paused.push(resume))
        },
        closed(link) {
          if (isServed(link)) {
            options.mailbox?.closed(link)
            return
          }
          links.delete(link.id)
          push({ kind: 'closed', link: link.id })
        },
        gossiped: gossiping.arrived,
        changed: () => announce(network),
        dropped: drop,
      })
      announce(network)
    },
    cleared: () => cleared,
    command(command) {
      if (ending) return Promise.reject(new NodeError('stopped', 'The node was stopped.'))
      if (unreadable !== null) return Promise.reject(unreadable)
      const id = nextCommand++
      return new Promise((resolve, reject) => {
        commands.set(id, { resolve, reject })
        push({ kind: 'command', id, command })
      })
    },
    read: reading.read,
    async flushed() {
      if (isBusy()) await new Promise<void>((done) => idleWaiters.push(done))
    },
    async stop() {
      if (ending) return
      ending = true
      abort.abort()
      const end = clock.now() + ENDING_MS
      while (events.length > 0 || writing !== null || !isEmpty(open)) {
        if (!over && clock.now() >= end) {
          // what was not begun was not accepted: whoever asked is told so, and who sent it sends it again
          over = true
          events.length = 0
          if (writing === null) void write()
        }
        await new Promise<void>((done) => void clock.at(clock.now() + 1, done))
      }
      stopped = true
      if (chat.isErasing && (await isCompacted(TEXT_RANGES)))
        await store.write([{ range: 'self', key: ERASED_KEY, value: null }]).catch(() => undefined)
      for (const cancel of timers.values()) cancel()
      timers.clear()
      for (const { reject } of commands.values()) reject(new NodeError('stopped', 'The node was stopped.'))
      commands.clear()
      gossiping.reset()
      for (const resume of paused.splice(0)) resume()
    },
  }
}

/** Whether somebody else dialled to the mailbox of this node. */
function isServed(link: Link): boolean {
  return link.protocol === 'mailbox' && !link.dialer
}

function isOfTheirDisk(event: ChatEvent): boolean {
  return event.kind === 'states' && (event.state === 'delivered' || event.state === 'read')
}

function isEmpty({ rows, erasures, sends, gossip, events, replies, ...other }: CommitWindow): boolean {
  return (
    rows.size === 0 &&
    erasures.length === 0 &&
    sends.size === 0 &&
    gossip.length === 0 &&
    events.length === 0 &&
    replies.length === 0 &&
    other.publications.length === 0 &&
    other.closes.length === 0 &&
    other.compactions.size === 0
  )
}

async function readHeld(store: Store): Promise<StoredRows> {
  const entries = new Map(
    await Promise.all(HELD_RANGES.map(async (range) => [range, await store.list(range)] as const)),
  )
  return heldRows((range) => entries.get(range) ?? [])
}
