import { toHex, utf8 } from '../../../lib/bytes.ts'
import { createKeeper, type KeeperEvent } from '../../../lib/mailbox/keeper.ts'
import { KEEPER_LIMITS } from '../../../lib/mailbox/keeping.ts'
import { emptyKept } from '../../../lib/mailbox/kept.ts'
import { decodeAnswer, encodeAnswer, type MailboxAnswer, type Refusal } from '../../../lib/mailbox/messages.ts'
import { type KeptBlob, openReceipt, type Receipt, signReceipt } from '../../../lib/mailbox/receipt.ts'
import type { Link } from '../../network/network.ts'
import { seededRandom } from '../seeded-random.ts'
import { insideOf } from '../simulated/inside.ts'
import { peerOf } from '../simulated/person.ts'
import type { HostileOptions } from './outsider.ts'

/** What a hostile mailbox does, by name. */
export const MAILBOX_MISBEHAVIOURS = {
  drops: 'gives receipts, and keeps nothing of what it gave them for',
  withholds: 'gives nothing to its owner until it is told to',
  replays: 'gives its owner all that ever lay there, again and again',
  'other-queue': 'signs receipts for another queue',
  'other-hash': 'signs receipts for another blob',
  'other-key': 'signs receipts by another key than it greeted with',
  'more-answers': 'says of a receipt that it answers more than stands in it',
  'past-receipt': 'promises to keep what it is given until yesterday',
  'far-receipt': 'promises to keep what it is given until the year 9999',
  floods: 'gives its owner blobs of random bytes without end',
  unasked: 'answers what nobody asked',
  greedy: 'wants a proof of work of 2^40 hashes for everything',
  unknown: 'says that it knows no queue',
  silent: 'never greets',
  'greets-twice': 'greets again after everything it says',
  'another-key': 'greets with another key on each stream',
  oversize: 'says 1 MB at once on each stream',
  garbage: 'says random bytes',
  'closes-at-greeting': 'ends a stream after it greeted',
  'closes-at-login': 'ends a stream instead of answering a login',
  'closes-at-put': 'ends a stream instead of giving a receipt',
  mute: 'reads everything and answers nothing but logins',
} as const

export type MailboxMisbehaviour = keyof typeof MAILBOX_MISBEHAVIOURS

/** Has: the queues of people who chose it. Tries: to lose, double, delay or drown what is in them, and to keep both ends busy. */
export interface HostileMailbox extends AsyncDisposable {
  readonly name: string
  /** Null for one that does what it should and remembers all it saw. Change it at any time. */
  misbehaves: MailboxMisbehaviour | null
  /** Every message that it got. */
  readonly heard: readonly Uint8Array[]
  /** How often somebody opened a stream to it. */
  readonly streams: number
  /** All that it was given, whatever it said. */
  readonly blobs: readonly Uint8Array[]
  leave(): Promise<void>
}

const EVERY_MS = 10_000
const FLOOD_BLOBS = 200
const HUGE_BYTES = 1_000_000
const FAR_MS = 253_402_300_799_000

/** Takes the place of `of`, who has to be stopped, as a mailbox for everybody; it says nothing on links of other kinds. */
export async function createHostileMailbox(
  options: HostileOptions & { readonly of: string; readonly misbehaves: MailboxMisbehaviour | null },
): Promise<HostileMailbox> {
  const { mesh, name, of } = options
  const inside = insideOf(mesh)
  const { primitives } = inside
  const random = seededRandom(inside.seedOf(`hostile ${name}`))
  const { peer } = peerOf(inside.newcomer(of).peerSeed)
  const clock = inside.clock.process()
  const key = primitives.signing.generate(random)
  const links = new Map<number, Link>()
  const rows = new Map<string, Uint8Array>()
  const heard: Uint8Array[] = []
  const told: MailboxAnswer[] = []
  const oversized = new Set<number>()
  let streams = 0
  let misbehaves: MailboxMisbehaviour | null = options.misbehaves
  const network = inside.internet.attach({
    name,
    peer,
    address: utf8(`/simulated/${of}/0`),
    mailbox: true,
    clock,
    around: (_effect, run) => run(),
  })
  const kept = emptyKept()
  const keeper = createKeeper(
    { primitives, random, key, peer, policy: 'all', limits: { ...KEEPER_LIMITS, stampBits: 1 } },
    kept,
  )

  function handle(event: KeeperEvent): void {
    perform(event)
    perform({ kind: 'turn' })
  }

  function perform(event: KeeperEvent): void {
    for (const effect of keeper.handle(event, clock.now())) {
      if (effect.kind === 'save') {
        for (const row of effect.rows) if (row.value !== null) rows.set(`${row.range}/${toHex(row.key)}`, row.value)
      } else if (effect.kind === 'load') {
        const values = effect.keys.map((at) => rows.get(`${effect.range}/${toHex(at)}`) ?? null)
        handle({ kind: 'loaded', token: effect.token, values })
      } else if (effect.kind === 'send') {
        const link = links.get(effect.stream)
        if (link !== undefined) speak(link, tampered(link, decodeAnswer(effect.bytes)))
      }
    }
  }

  function speak(link: Link, answers: readonly MailboxAnswer[]): void {
    if (answers.length > 0) link.send(answers.map(encodeAnswer)).catch(() => undefined)
  }

  /** What is said instead of an answer. */
  function tampered(link: Link, answer: MailboxAnswer): readonly MailboxAnswer[] {
    if (answer.kind === 'blob') {
      if (misbehaves === 'drops' || misbehaves === 'withholds' || misbehaves === 'mute') return []
      told.push(answer)
    }
    switch (misbehaves) {
      case 'silent':
        return answer.kind === 'welcome' ? [] : [answer]
      case 'greets-twice':
        return [answer, welcome()]
      case 'another-key':
        return answer.kind === 'welcome' ? [welcome()] : [answer]
      case 'unasked':
        return 'n' in answer ? [{ ...answer, n: answer.n + 1_000 }, answer, answer] : [answer, { kind: 'done', n: 9 }]
      case 'closes-at-greeting':
      case 'closes-at-login':
      case 'closes-at-put': {
        const at = misbehaves === 'closes-at-put' ? 'receipt' : misbehaves === 'closes-at-login' ? 'done' : null
        if (at === null || answer.kind === at) link.close()
        return answer.kind === at ? [] : [answer]
      }
      case 'mute':
        return answer.kind === 'welcome' || (answer.kind === 'done' && answer.n <= 1) ? [answer] : []
      default:
        return answer.kind === 'receipt' ? receiptInstead(answer) : [answer]
    }
  }

  function welcome(): MailboxAnswer {
    return { kind: 'welcome', nonce: random.bytes(32), key: primitives.signing.generate(random).publicKey }
  }

  function receiptInstead(answer: Extract<MailboxAnswer, { kind: 'receipt' }>): readonly MailboxAnswer[] {
    const { numbers } = answer
    const receipt = openReceipt(primitives, key.publicKey, answer.receipt)
    const signed = (changed: Partial<KeptBlob>, by = key): MailboxAnswer[] => {
      const told: Receipt = { ...receipt, blobs: receipt.blobs.map((blob) => ({ ...blob, ...changed })) }
      return [{ kind: 'receipt', numbers, receipt: signReceipt(primitives, by, told) }]
    }
    const refused = (reason: Refusal, least: number): MailboxAnswer[] =>
      numbers.map((n) => ({ kind: 'refused', n, reason, least }))
    switch (misbehaves) {
      case 'other-queue':
        return signed({ queue: random.bytes(32) })
      case 'other-hash':
        return signed({ hash: random.bytes(32) })
      case 'other-key':
        return signed({}, primitives.signing.generate(random))
      case 'past-receipt':
        return signed({ until: receipt.now - 86_400_000 })
      case 'far-receipt':
        return signed({ until: FAR_MS })
      case 'greedy':
        return refused('stamp', 40)
      case 'unknown':
        return refused('unknown', 0)
      case 'more-answers':
        return [{ ...answer, numbers: [...numbers, ...numbers.map((n) => n + 1)] }]
      default:
        return [answer]
    }
  }

  /** What it says without being asked. */
  function onTime(): void {
    for (const link of links.values()) {
      if (misbehaves === 'floods') {
        const flood = Array.from({ length: FLOOD_BLOBS }, (): MailboxAnswer => {
          const queue = [...kept.queues.values()].at(-1)?.name ?? random.bytes(32)
          return { kind: 'blob', queue, until: clock.now() + 1_000, blob: random.bytes(1088) }
        })
        speak(link, flood)
      } else if (misbehaves === 'replays') speak(link, told.slice(-20))
      else if (misbehaves === 'oversize' && !oversized.has(link.id)) {
        oversized.add(link.id)
        link.send([new Uint8Array(HUGE_BYTES)]).catch(() => undefined)
      } else if (misbehaves === 'garbage') link.send([random.bytes(200), random.bytes(1)]).catch(() => undefined)
    }
    later()
  }

  function later(): void {
    clock.at(clock.now() + EVERY_MS, onTime)
  }

  await network.start({
    opened(link) {
      if (link.protocol !== 'mailbox') return
      streams++
      links.set(link.id, link)
      handle({ kind: 'opened', stream: link.id, peer: link.remotePeer, contact: true })
    },
    message(link, bytes) {
      if (!links.has(link.id)) return
      heard.push(bytes)
      handle({ kind: 'message', stream: link.id, bytes })
    },
    closed(link) {
      if (links.delete(link.id)) handle({ kind: 'closed', stream: link.id })
    },
    changed: () => undefined,
    dropped: () => undefined,
  })
  later()

  async function leave(): Promise<void> {
    await network.stop()
    clock.kill()
  }

  return {
    name,
    heard,
    get blobs() {
      return [...rows].filter(([at]) => at.startsWith('blob/')).map(([, value]) => value)
    },
    get streams() {
      return streams
    },
    get misbehaves() {
      return misbehaves
    },
    set misbehaves(changed) {
      misbehaves = changed
    },
    leave,
    [Symbol.asyncDispose]: leave,
  }
}
