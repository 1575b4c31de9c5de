import { toHex } from '../../lib/bytes.ts'
import type { SigningKey } from '../../lib/crypto/primitives.ts'
import { createKeeper, type Keeper, type KeeperEvent } from '../../lib/mailbox/keeper.ts'
import { KEEPER_LIMITS, type KeeperLimits, type MailboxPolicy } from '../../lib/mailbox/keeping.ts'
import { signLogin } from '../../lib/mailbox/login.ts'
import { decodeAnswer, encodeRequest, type MailboxAnswer, type MailboxRequest } from '../../lib/mailbox/messages.ts'
import { readKept } from '../../lib/mailbox/restoring.ts'
import type { Range, Row } from '../../lib/rows.ts'
import { native } from '../../node/crypto.ts'
import { NOW } from './identity.ts'
import { seededRandom } from './random.ts'

/** One stream of a mailbox in a test. */
export interface TestStream {
  /** What came, oldest first; taking it empties it. */
  take(): MailboxAnswer[]
  ask(request: MailboxRequest): MailboxAnswer[]
  /** Raw bytes. */
  say(bytes: Uint8Array): MailboxAnswer[]
  login(owner: SigningKey): MailboxAnswer[]
  close(): void
  readonly closed: boolean
}

/** A mailbox over rows in memory, with a clock that stands still until it is set. */
export interface TestMailbox {
  readonly key: SigningKey
  readonly peer: Uint8Array
  now: number
  readonly rows: Map<string, Row>
  readonly counts: string[]
  /** Values that were offered to the DHT. */
  readonly published: Uint8Array[]
  readonly keeper: Keeper
  open(options?: { peer?: Uint8Array; contact?: boolean }): TestStream
  sweep(): void
  /** What is said meanwhile is one turn. */
  together(work: () => void): void
  /** Ends the process and reads everything back. */
  restart(): void
}

export function createTestMailbox(
  options: { policy?: MailboxPolicy; limits?: Partial<KeeperLimits>; seed?: string } = {},
): TestMailbox {
  const random = seededRandom(`mailbox ${options.seed ?? ''}`)
  const key = native.signing.generate(random)
  const peer = random.bytes(38)
  const rows = new Map<string, Row>()
  const counts: string[] = []
  const published: Uint8Array[] = []
  const streams = new Map<number, { answers: MailboxAnswer[]; closed: boolean }>()
  let nextStream = 1
  let gathering = false
  let keeper = restore()

  function restore(): Keeper {
    const stored = (range: Range): { key: Uint8Array; value: Uint8Array }[] =>
      [...rows.values()].flatMap((row) =>
        row.range === range && row.value ? [{ key: row.key, value: row.value }] : [],
      )
    const kept = readKept({
      owners: stored('owner'),
      queues: stored('queue'),
      items: stored('item'),
      blobs: stored('blob').map(({ key: at }) => at),
      leftSlots: stored('left-slot'),
    })
    const limits = { ...KEEPER_LIMITS, ...options.limits }
    return createKeeper({ primitives: native, random, key, peer, policy: options.policy ?? 'all', limits }, kept)
  }

  /** Each event is a turn of its own, unless more is said before its end. */
  function handle(event: KeeperEvent): void {
    perform(event)
    if (!gathering) perform({ kind: 'turn' })
  }

  function perform(event: KeeperEvent): void {
    for (const effect of keeper.handle(event, mailbox.now)) {
      switch (effect.kind) {
        case 'save':
          for (const row of effect.rows) {
            const name = `${row.range}/${toHex(row.key)}`
            if (row.value === null) rows.delete(name)
            else rows.set(name, row)
          }
          break
        case 'send':
          streams.get(effect.stream)?.answers.push(decodeAnswer(effect.bytes))
          break
        case 'close': {
          const stream = streams.get(effect.stream)
          if (stream !== undefined) stream.closed = true
          break
        }
        case 'load': {
          const values = effect.keys.map((at) => rows.get(`${effect.range}/${toHex(at)}`)?.value ?? null)
          handle({ kind: 'loaded', token: effect.token, values })
          break
        }
        case 'publish':
          published.push(effect.value)
          break
        case 'count':
          counts.push(effect.reason)
      }
    }
  }

  const mailbox: TestMailbox = {
    key,
    peer,
    now: NOW,
    rows,
    counts,
    published,
    get keeper() {
      return keeper
    },
    open({ peer: theirs = random.bytes(38), contact = false } = {}) {
      const id = nextStream++
      const state: { answers: MailboxAnswer[]; closed: boolean } = { answers: [], closed: false }
      streams.set(id, state)
      handle({ kind: 'opened', stream: id, peer: theirs, contact })
      const [welcome] = state.answers.splice(0)
      if (welcome?.kind !== 'welcome') throw new Error('expected a greeting')
      const stream: TestStream = {
        take: () => state.answers.splice(0),
        say(bytes) {
          handle({ kind: 'message', stream: id, bytes })
          return state.answers.splice(0)
        },
        ask: (request) => stream.say(encodeRequest(request)),
        login: (owner) =>
          stream.ask({
            kind: 'login',
            n: 1,
            owner: owner.publicKey,
            signature: signLogin(native, owner, { peer, key: welcome.key, nonce: welcome.nonce }),
          }),
        close() {
          streams.delete(id)
          handle({ kind: 'closed', stream: id })
        },
        get closed() {
          return state.closed
        },
      }
      return stream
    },
    sweep: () => handle({ kind: 'sweep' }),
    together(work) {
      gathering = true
      work()
      gathering = false
      perform({ kind: 'turn' })
    },
    restart() {
      for (const id of streams.keys()) handle({ kind: 'closed', stream: id })
      streams.clear()
      keeper = restore()
    },
  }
  return mailbox
}
