import { utf8 } from '../../lib/bytes.ts'
import { createKeeper, type KeeperEvent } from '../../lib/mailbox/keeper.ts'
import { KEEPER_LIMITS, type KeeperEffect, type KeeperLimits, type KeeperOptions } from '../../lib/mailbox/keeping.ts'
import { readKept } from '../../lib/mailbox/restoring.ts'
import type { Range, Row } from '../../lib/rows.ts'
import type { Clock } from '../clock.ts'
import { NodeError } from '../errors.ts'
import type { Link } from '../network/network.ts'
import { readAgain } from '../rereading.ts'
import type { Store } from '../store/store.ts'
import { rowName } from '../window.ts'

export interface MailboxHostOptions extends KeeperOptions {
  readonly store: Store
  readonly clock: Clock
  /** Whether this PeerId is the device of an accepted contact. */
  isContact(peer: Uint8Array): boolean
  /** Offers a value to the DHT. Does not reject. */
  publish(key: string, value: Uint8Array): Promise<void>
  /** Something that a peer wanted was refused or wrong; for counters and logs. */
  dropped(reason: string): void
}

/** Opens the mailbox that lies in a store, new when there is none, with the usual limits. */
export async function openMailbox(
  place: Pick<MailboxHostOptions, 'store' | 'primitives' | 'random' | 'clock' | 'peer' | 'policy'>,
  around: Pick<MailboxHostOptions, 'isContact' | 'publish' | 'dropped'> & { readonly limits?: Partial<KeeperLimits> },
): Promise<MailboxHost> {
  const { store, primitives, random } = place
  let seed = await store.read('keeper', KEEPER_KEY)
  if (seed === null) {
    seed = random.bytes(32)
    await store.write([{ range: 'keeper', key: KEEPER_KEY, value: seed }])
  }
  const limits = { ...KEEPER_LIMITS, ...around.limits }
  return createMailboxHost({ ...place, ...around, limits, key: primitives.signing.fromSeed(seed) })
}

/** The key of the row with the seed of the key that signs receipts. */
const KEEPER_KEY: Uint8Array = utf8('self')

/** A mailbox that runs: takes links over, and writes before it answers. */
export interface MailboxHost {
  opened(link: Link): void
  /** While the promise is pending nothing more of this link is read. */
  message(link: Link, bytes: Uint8Array): Promise<void> | undefined
  closed(link: Link): void
  readonly usage: { readonly owners: number; readonly blobs: number; readonly bytes: number }
  /** Writes what is pending and takes nothing more. */
  stop(): Promise<void>
}

/** How often what is over goes, ms, and how soon after the start: not before the network is there that slots are published to. */
const SWEEP_MS = 600_000
const FIRST_SWEEP_MS = 10_000
/** How often a row is read that somebody waits for: for some eight seconds. */
const LOAD_ATTEMPTS = 5
/** Bytes that wait to be written before the readers of links pause. */
const MAX_WAITING_BYTES: number = 4 << 20

interface Window {
  readonly rows: Map<string, Row>
  readonly sends: Map<number, Uint8Array[]>
  readonly closes: number[]
  bytes: number
}

/**
 * Runs a keeper over a store of its own. What came while a batch is being written goes into the next: one flush of the disk
 * serves all that wait for a receipt. Throws `ProtocolError` for rows that cannot be read.
 */
export async function createMailboxHost(options: MailboxHostOptions): Promise<MailboxHost> {
  const { store, clock, dropped } = options
  const links = new Map<number, Link>()
  /** Links whose reader has not taken what was sent yet, and who waits for that. */
  const unread = new Map<number, { sends: number; readonly waiting: (() => void)[] }>()
  const paused: (() => void)[] = []
  let keeper = createKeeper(options, await readRows(store))
  let open = emptyWindow()
  let writing: Window | null = null
  let isWriting = false
  let written = Promise.resolve()
  /** One after the other: nobody waits for them. */
  let publishing = Promise.resolve()
  let stopped = false
  /** The keeper is read back from disk: nobody is served. */
  let startingOver = false
  const stopping = new AbortController()
  let cancelSweep = (): void => undefined

  function handle(event: KeeperEvent): void {
    if (stopped || startingOver) return
    for (const effect of keeper.handle(event, clock.now())) perform(effect)
    if (isWriting) return
    isWriting = true
    written = write()
  }

  function perform(effect: KeeperEffect): void {
    switch (effect.kind) {
      case 'save':
        for (const row of effect.rows) {
          open.rows.set(rowName(row.range, row.key), row)
          open.bytes += row.value?.length ?? 0
        }
        return
      case 'send': {
        const list = open.sends.get(effect.stream)
        if (list === undefined) open.sends.set(effect.stream, [effect.bytes])
        else list.push(effect.bytes)
        return
      }
      case 'close':
        open.closes.push(effect.stream)
        return
      case 'publish':
        publishing = publishing.then(() => options.publish(effect.key, effect.value))
        return
      case 'load':
        void load(effect.token, effect.range, effect.keys)
        return
      case 'count':
        dropped(effect.reason)
    }
  }

  async function load(token: number, range: Range, keys: readonly Uint8Array[]): Promise<void> {
    const asked = keeper
    const values = await Promise.all(keys.map((key) => readPatiently(range, key)))
    if (asked === keeper) handle({ kind: 'loaded', token, values })
  }

  /** Null also for what still cannot be read after a while: it stays, and whoever it is for finds it with the next stream. */
  async function readPatiently(range: Range, key: Uint8Array): Promise<Uint8Array | null> {
    const wanted = (): Promise<Uint8Array | null> => read(range, key).catch(nullIfDamaged)
    try {
      return await readAgain(wanted, { clock, stopping: stopping.signal, attempts: LOAD_ATTEMPTS })
    } catch {
      dropped('mailbox: the disk could not be read')
      return null
    }
  }

  /** A row as it was written last, whether it is on disk yet or not. */
  async function read(range: Range, key: Uint8Array): Promise<Uint8Array | null> {
    const name = rowName(range, key)
    const row = open.rows.get(name) ?? writing?.rows.get(name)
    return row === undefined ? store.read(range, key) : row.value
  }

  async function write(): Promise<void> {
    // what came in the same piece of a stream shares the first flush
    await Promise.resolve()
    for (;;) {
      for (const effect of keeper.handle({ kind: 'turn' }, clock.now())) perform(effect)
      if (isEmpty(open)) break
      writing = open
      open = emptyWindow()
      try {
        if (writing.rows.size > 0) await store.write([...writing.rows.values()])
      } catch {
        dropped('mailbox: the disk refused a write')
        await startOver()
        // what the keeper of before still owes is of no use: its rows are gone, and so are the links
        if (stopped) break
        continue
      }
      release(writing)
      if (open.bytes < MAX_WAITING_BYTES) for (const resume of paused.splice(0)) resume()
    }
    writing = null
    isWriting = false
  }

  function release({ sends, closes }: Window): void {
    for (const [id, messages] of sends) {
      const link = links.get(id)
      if (link !== undefined) void send(link, messages)
    }
    for (const id of closes) links.get(id)?.close()
  }

  /** Counts until they were taken: whoever does not read is not read, else answers would pile up. */
  async function send(link: Link, messages: readonly Uint8Array[]): Promise<void> {
    const state = unread.get(link.id) ?? { sends: 0, waiting: [] }
    unread.set(link.id, state)
    state.sends++
    try {
      await link.send(messages)
    } finally {
      state.sends--
      if (state.sends === 0) {
        unread.delete(link.id)
        for (const resume of state.waiting) resume()
      }
    }
  }

  /** The disk refused: nothing of what was in hand got a receipt, and the keeper goes back to what is on disk. */
  async function startOver(): Promise<void> {
    startingOver = true
    for (const link of links.values()) link.close()
    links.clear()
    open = emptyWindow()
    const built = await readAgain(async () => createKeeper(options, await readRows(store)), {
      clock,
      stopping: stopping.signal,
      failed: () => dropped('mailbox: the store cannot be read'),
    })
    if (built === null) stopped = true
    else keeper = built
    // whoever came meanwhile comes again: this keeper does not know them
    for (const link of links.values()) link.close()
    links.clear()
    startingOver = false
    for (const resume of paused.splice(0)) resume()
  }

  function sweepIn(ms: number): void {
    cancelSweep = clock.at(clock.now() + ms, () => {
      handle({ kind: 'sweep' })
      sweepIn(SWEEP_MS)
    })
  }

  sweepIn(FIRST_SWEEP_MS)
  return {
    opened(link) {
      links.set(link.id, link)
      handle({ kind: 'opened', stream: link.id, peer: link.remotePeer, contact: options.isContact(link.remotePeer) })
    },
    message(link, bytes) {
      if (!links.has(link.id)) return undefined
      handle({ kind: 'message', stream: link.id, bytes })
      if (open.bytes >= MAX_WAITING_BYTES) return new Promise<void>((resume) => paused.push(resume))
      const state = unread.get(link.id)
      return state && new Promise<void>((resume) => state.waiting.push(resume))
    },
    closed(link) {
      if (links.delete(link.id)) handle({ kind: 'closed', stream: link.id })
    },
    get usage() {
      return keeper.usage
    },
    async stop() {
      cancelSweep()
      stopping.abort()
      await written
      stopped = true
      for (const resume of paused.splice(0)) resume()
    },
  }
}

function emptyWindow(): Window {
  return { rows: new Map(), sends: new Map(), closes: [], bytes: 0 }
}

/** What was altered is never read: there is no use in trying again. */
function nullIfDamaged(cause: unknown): null {
  if (cause instanceof NodeError && cause.code === 'damaged') return null
  throw cause
}

function isEmpty({ rows, sends, closes }: Window): boolean {
  return rows.size === 0 && sends.size === 0 && closes.length === 0
}

async function readRows(store: Store): Promise<ReturnType<typeof readKept>> {
  const [owners, queues, items, blobs, leftSlots] = await Promise.all([
    store.list('owner'),
    store.list('queue'),
    store.list('item'),
    store.keys('blob'),
    store.list('left-slot'),
  ])
  return readKept({ owners, queues, items, blobs, leftSlots })
}
