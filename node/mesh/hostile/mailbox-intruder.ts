import { toHex } from '../../../lib/bytes.ts'
import { BLOB_BYTES, KNOCK_BYTES } from '../../../lib/mailbox/blob.ts'
import { signLogin } from '../../../lib/mailbox/login.ts'
import {
  decodeAnswer,
  decodeRequest,
  encodeRequest,
  MAX_ITEMS,
  MAX_MAILBOX_MESSAGE_BYTES,
  type MailboxRequest,
  type NewQueue,
} from '../../../lib/mailbox/messages.ts'
import { findStamp, hourOf, type Stamp } from '../../../lib/mailbox/stamp.ts'
import {
  createOutsider,
  type HostileLink,
  type HostileOptions,
  type HostilePeer,
  type Outsider,
  seenOf,
  sumOf,
} from './outsider.ts'

/** What a hostile client tries at an honest mailbox, by name. */
export const MAILBOX_INTRUSIONS = {
  'invented-queues': 'puts blobs of all sizes into queues that it makes up',
  'known-queues': 'puts into queues that it overheard, without their write token or with another',
  'repeated-puts': 'says again what others put, token and all',
  'wrong-stamps': 'knocks without a stamp, or with one that is too cheap, of another hour or for another blob',
  knocks: 'knocks with stamps that hold',
  owners: 'logs in under one new key after the other, each of which registers 64 queues and leaves slots',
  'own-queues': 'logs in, registers queues, and fills them with the largest blobs',
  'stolen-logins': 'says again how others logged in, on another stream, and then asks for what is theirs',
  'no-login': 'watches, acknowledges, drops and registers without a login',
  'others-queues': 'logs in as itself, and registers, acknowledges and drops what is of others',
  oversize: 'says blobs of sizes that there are not, and messages above the limit',
  garbage: 'says random bytes, and requests that are cut off',
  'half-open': 'opens streams and says nothing on them',
  'unread-answers': 'logs in, watches, asks without end, and reads nothing',
} as const

export type MailboxIntrusion = keyof typeof MAILBOX_INTRUSIONS

/** How much of it, and how fast. */
export interface Intrusion {
  readonly to: string
  /** Messages, over all its hosts. */
  readonly count: number
  /** How long each host waits between two of them, ms; by default 20, more than a mailbox takes of one. */
  readonly everyMs?: number
}

/**
 * Has: a way to a mailbox of the mesh, and what others said to mailboxes since it came, as if it stood beside them. Tries: to
 * fill the mailbox, to keep it busy, and to get at what lies there for others.
 */
export interface MailboxIntruder extends HostilePeer {
  intrude(what: MailboxIntrusion, intrusion: Intrusion): void
  /** What is still to be said. */
  readonly left: number
  /** What the mailbox answered: by kind, of refusals by reason. */
  readonly answers: Readonly<Record<string, number>>
}

/** What it has heard others say to mailboxes. */
interface Overheard {
  readonly puts: Extract<MailboxRequest, { kind: 'put' }>[]
  readonly logins: Extract<MailboxRequest, { kind: 'login' }>[]
  readonly queues: NewQueue[]
}

const MAX_OVERHEARD = 1_000
/** Tries for a stamp: four times what the cheapest takes in the simulator. */
const STAMP_ATTEMPTS = 1 << 10

/** With several `hosts` it has so many PeerIds, and so many streams. It listens to what goes to mailboxes until it leaves. */
export async function createMailboxIntruder(
  options: HostileOptions & { readonly hosts?: number },
): Promise<MailboxIntruder> {
  const { mesh, name, hosts = 1 } = options
  const answers: Record<string, number> = {}
  const greetings = new WeakMap<HostileLink, { nonce: Uint8Array; key: Uint8Array }>()
  const outsiders: Outsider[] = []
  for (let i = 1; i <= hosts; i++) {
    outsiders.push(
      await createOutsider({
        mesh,
        name: i === 1 ? name : `${name}-${i}`,
        heard(link, bytes) {
          const answer = decodeAnswer(bytes)
          if (answer.kind === 'welcome') greetings.set(link, answer)
          const kind = answer.kind === 'refused' ? answer.reason : answer.kind
          answers[kind] = (answers[kind] ?? 0) + 1
        },
      }),
    )
  }
  const [first] = outsiders as [Outsider]
  const { inside, random } = first
  const { primitives } = inside
  const overheard = eavesdrop(mesh)
  let left = 0
  let lastN = 0
  let gone = false

  const nextN = (): number => ++lastN % 0xffff_ffff
  const some = <T>(from: readonly T[]): T | undefined => from[(random.bytes(1)[0] as number) % from.length]

  function put(
    change: Partial<Extract<MailboxRequest, { kind: 'put' }>> = {},
  ): Extract<MailboxRequest, { kind: 'put' }> {
    const blob = random.bytes(BLOB_BYTES[(random.bytes(1)[0] as number) % BLOB_BYTES.length] as number)
    const queue = random.bytes(32)
    return { kind: 'put', n: nextN(), queue, token: random.bytes(16), stamp: null, blob, replaced: [], ...change }
  }

  function knock(to: string, isPaid: boolean): MailboxRequest {
    const queue = overheard.queues.find(({ kind }) => kind === 'knock')?.queue ?? random.bytes(32)
    const blob = random.bytes(KNOCK_BYTES)
    const hour = hourOf(inside.clock.now)
    if (!isPaid) {
      const stamp: Stamp = { hour: hour + 27 * ((random.bytes(1)[0] as number) % 2), nonce: random.bytes(8) }
      return put({ queue, token: null, blob, stamp: some([null, stamp]) ?? null })
    }
    const stamped = { peer: peerIn(to), queue, hash: primitives.sha256(blob) }
    const found = findStamp(primitives, stamped, { hour, bits: 8, from: 0, attempts: STAMP_ATTEMPTS })
    return put({ queue, token: null, blob, stamp: typeof found === 'number' ? null : found })
  }

  function peerIn(to: string): Uint8Array {
    return inside.person(to).running?.network.peer ?? random.bytes(38)
  }

  /** A login under the key of a seed, on a stream that greeted. */
  function login(link: HostileLink, to: string, seed: Uint8Array): MailboxRequest | null {
    const greeting = greetings.get(link)
    if (greeting === undefined) return null
    const owner = primitives.signing.fromSeed(seed)
    const signature = signLogin(primitives, owner, { peer: peerIn(to), ...greeting })
    return { kind: 'login', n: nextN(), owner: owner.publicKey, signature }
  }

  function ownQueues(count: number, seed: Uint8Array): NewQueue[] {
    return Array.from({ length: count }, (_, i) => ({
      queue: primitives.sha256(seed, Uint8Array.of(i)),
      kind: 'contact',
      tokenHash: primitives.sha256(TOKEN),
    }))
  }

  /** What is said next on a stream: requests, or raw bytes; nothing yet when it has to greet first. */
  function next(what: MailboxIntrusion, link: HostileLink, to: string, turn: number): readonly Saying[] {
    const own = primitives.sha256(first.peer)
    switch (what) {
      case 'invented-queues':
        return [put()]
      case 'known-queues': {
        const queue = some(overheard.queues.filter(({ kind }) => kind !== 'knock'))?.queue ?? random.bytes(32)
        return [put({ queue, token: some([null, random.bytes(16)]) ?? null })]
      }
      case 'repeated-puts':
        return [some(overheard.puts) ?? put()]
      case 'wrong-stamps':
        return [knock(to, false)]
      case 'knocks':
        return [knock(to, true)]
      case 'owners': {
        const seed = random.bytes(32)
        const values = [random.bytes(4_254), random.bytes(60)]
        const entering = login(link, to, seed)
        if (entering === null) return []
        return [
          entering,
          { kind: 'register', n: nextN(), queues: ownQueues(MAX_ITEMS, seed) },
          { kind: 'slots', n: nextN(), values },
        ]
      }
      case 'own-queues': {
        const queues = ownQueues(MAX_ITEMS, own)
        const entering = turn === 0 ? login(link, to, own) : null
        const begin: Saying[] =
          entering === null && turn === 0
            ? []
            : [...(entering === null ? [] : [entering]), { kind: 'register', n: nextN(), queues }]
        if (turn < 1) return begin
        return [
          put({ queue: some(queues)?.queue ?? own, token: TOKEN, blob: random.bytes(BLOB_BYTES.at(-1) as number) }),
        ]
      }
      case 'stolen-logins': {
        const stolen = some(overheard.logins)
        const { owner, signature } = stolen ?? { owner: random.bytes(32), signature: random.bytes(64) }
        return [
          { kind: 'login', n: nextN(), owner, signature },
          { kind: 'watch', n: nextN() },
        ]
      }
      case 'no-login':
      case 'others-queues': {
        const entering = what === 'others-queues' && turn === 0 ? login(link, to, own) : null
        if (what === 'others-queues' && turn === 0 && entering === null) return []
        const hashes = overheard.puts.slice(-MAX_ITEMS).map(({ blob }) => primitives.sha256(blob))
        const theirs = overheard.queues.slice(-MAX_ITEMS)
        return [
          ...(entering === null ? [] : [entering]),
          { kind: 'ack', n: nextN(), hashes },
          { kind: 'drop', n: nextN(), queues: theirs.map(({ queue }) => queue) },
          { kind: 'register', n: nextN(), queues: theirs },
          { kind: 'watch', n: nextN() },
        ]
      }
      case 'oversize':
        return [new Uint8Array(MAX_MAILBOX_MESSAGE_BYTES + 1), withBlobOf(put(), 2_000)]
      case 'garbage':
        return [random.bytes(200), encodeRequest(put()).slice(0, 700)]
      case 'half-open':
        return []
      case 'unread-answers': {
        const entering = turn === 0 ? login(link, to, own) : null
        if (turn === 0 && entering === null) return []
        return [...(entering === null ? [] : [entering]), { kind: 'usage', n: nextN() }, { kind: 'watch', n: nextN() }]
      }
    }
  }

  function run(outsider: Outsider, what: MailboxIntrusion, { to, everyMs = 20 }: Intrusion): void {
    let link: HostileLink | null = null
    let turn = 0
    const step = (): void => {
      if (gone || left <= 0) return link?.close()
      if (link === null || link.state === 'closed' || link.state === 'refused') {
        link = outsider.open(to, { protocol: 'mailbox' })
        turn = 0
      } else if (link.state === 'open') {
        const said = next(what, link, to, turn)
        for (const each of said) link.say(each instanceof Uint8Array ? each : encodeRequest(each))
        if (said.length > 0) turn++
        left -= Math.max(0, said.length - 1)
      }
      // whatever became of its link: one that is not answered, of a mailbox that is gone for good, would be waited for without end
      left--
      outsider.clock.at(outsider.clock.now() + everyMs, step)
    }
    step()
  }

  async function leave(): Promise<void> {
    gone = true
    overheard.stop()
    for (const outsider of outsiders) await outsider.leave()
  }

  return {
    ...seenOf(first),
    get counts() {
      return sumOf(outsiders.map(({ counts }) => counts))
    },
    answers,
    get left() {
      return Math.max(0, left)
    },
    intrude(what, intrusion) {
      left += intrusion.count
      for (const outsider of outsiders) run(outsider, what, intrusion)
    },
    leave,
    [Symbol.asyncDispose]: leave,
  }
}

type Saying = MailboxRequest | Uint8Array

/** The write token of its own queues. */
const TOKEN = new Uint8Array(16)

/** The same request with a blob of a size that there is not. */
function withBlobOf(request: Extract<MailboxRequest, { kind: 'put' }>, size: number): Uint8Array {
  return encodeRequest(request).slice(0, size - request.blob.length)
}

/** Remembers what is said to mailboxes from now on. */
function eavesdrop(mesh: HostileOptions['mesh']): Overheard & { stop(): void } {
  const heard: Overheard = { puts: [], logins: [], queues: [] }
  const known = new Set<string>()
  let listening = true
  const { tamper } = mesh.faults
  mesh.faults = {
    ...mesh.faults,
    tamper(from, to, bytes) {
      if (listening) remember(bytes)
      return tamper(from, to, bytes)
    },
  }

  function remember(bytes: Uint8Array): void {
    let request: MailboxRequest
    try {
      request = decodeRequest(bytes)
    } catch {
      return
    }
    if (request.kind === 'put') add(heard.puts, request)
    else if (request.kind === 'login') add(heard.logins, request)
    else if (request.kind === 'register') {
      for (const queue of request.queues) {
        if (known.size >= MAX_OVERHEARD || known.has(toHex(queue.queue))) continue
        known.add(toHex(queue.queue))
        heard.queues.push(queue)
      }
    }
  }

  function add<T>(list: T[], item: T): void {
    list.push(item)
    if (list.length > MAX_OVERHEARD) list.shift()
  }

  return {
    ...heard,
    stop() {
      listening = false
    },
  }
}
