import {
  decodeBox,
  decodeRoutes,
  decodeDoubted,
  decodeStored,
  encodeBox,
  encodeRoutes,
  encodeDoubted,
  encodeStored,
  newBox,
} from '../../../lib/chat/mail/rows.ts'
import { toHex } from '../../../lib/bytes.ts'
import { openBlob, sealBlob } from '../../../lib/mailbox/blob.ts'
import { decodeItems, encodeItems, type ItemFacts } from '../../../lib/mailbox/item-row.ts'
import { createKeeper } from '../../../lib/mailbox/keeper.ts'
import { KEEPER_LIMITS } from '../../../lib/mailbox/keeping.ts'
import {
  addQueue,
  decodeOwner,
  decodeQueue,
  emptyKept,
  encodeOwner,
  encodeQueue,
  ownerOf,
} from '../../../lib/mailbox/kept.ts'
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  type MailboxAnswer,
  type MailboxRequest,
} from '../../../lib/mailbox/messages.ts'
import { openReceipt, signReceipt } from '../../../lib/mailbox/receipt.ts'
import { decodeKnockRoutes, decodeRoute, encodeKnockRoutes, encodeRoute } from '../../../lib/mailbox/route.ts'
import { native } from '../../../node/crypto.ts'
import { seededRandom } from '../../support/random.ts'
import type { Target } from '../target.ts'

const random = seededRandom('fuzz mailbox')
const key = native.signing.fromSeed(random.bytes(32))
const target = { peer: random.bytes(38), addresses: [random.bytes(8), random.bytes(20)] }
const route = {
  ...target,
  key: random.bytes(32),
  queue: random.bytes(32),
  token: random.bytes(16),
  secret: random.bytes(32),
}
const blob = sealBlob(native, random, route, [random.bytes(300), random.bytes(40)])
const seed = random.bytes(32)
const handle = random.bytes(16)
const box = newBox(native, handle, seed, target)
const owner = ownerOf(emptyKept(), key.publicKey, 5)
const queue = addQueue(emptyKept(), owner, { queue: route.queue, kind: 'contact', tokenHash: random.bytes(32) })
const itemFacts = (): ItemFacts => ({ queue: route.queue, hash: random.bytes(32), length: 1088, until: 6 })
const receiptFor = (count: number): Uint8Array => {
  const blobs = Array.from({ length: count }, () => ({ queue: route.queue, hash: random.bytes(32), until: 9 }))
  return signReceipt(native, key, { now: 7, blobs })
}

const REQUESTS: readonly MailboxRequest[] = [
  { kind: 'put', n: 1, queue: route.queue, token: route.token, stamp: null, blob, replaced: [] },
  { kind: 'put', n: 9, queue: route.queue, token: route.token, stamp: null, blob, replaced: [random.bytes(32)] },
  {
    kind: 'put',
    n: 2,
    queue: route.queue,
    token: null,
    stamp: { hour: 490_000, nonce: random.bytes(8) },
    blob,
    replaced: [],
  },
  { kind: 'login', n: 3, owner: key.publicKey, signature: random.bytes(64) },
  { kind: 'register', n: 4, queues: [{ queue: route.queue, kind: 'knock', tokenHash: null }] },
  { kind: 'drop', n: 5, queues: [route.queue] },
  { kind: 'watch', n: 6 },
  { kind: 'ack', n: 7, hashes: [random.bytes(32)] },
  { kind: 'slots', n: 8, values: [random.bytes(60)] },
  { kind: 'usage', n: 9 },
]

const ANSWERS: readonly MailboxAnswer[] = [
  { kind: 'welcome', nonce: random.bytes(32), key: key.publicKey },
  { kind: 'receipt', numbers: [1], receipt: receiptFor(1) },
  { kind: 'receipt', numbers: [1, 2 ** 32 - 1], receipt: receiptFor(2) },
  { kind: 'done', n: 2 },
  { kind: 'refused', n: 3, reason: 'stamp', least: 22 },
  { kind: 'blob', queue: route.queue, until: 5, blob },
  { kind: 'usage', n: 4, blobs: 1, bytes: 2, maxBlobs: 3, maxBytes: 4 },
]

/** A mailbox with one owner who is logged in, before each input. */
function handled(bytes: Uint8Array): void {
  const kept = emptyKept()
  addQueue(kept, ownerOf(kept, key.publicKey, 0), {
    queue: route.queue,
    kind: 'contact',
    tokenHash: native.sha256(route.token),
  })
  const limits = { ...KEEPER_LIMITS, rate: { burst: 1e9, perSecond: 1e9 } }
  const keeper = createKeeper({ primitives: native, random, key, peer: target.peer, policy: 'all', limits }, kept)
  keeper.handle({ kind: 'opened', stream: 1, peer: target.peer, contact: true }, 1)
  keeper.handle({ kind: 'message', stream: 1, bytes }, 2)
  keeper.handle({ kind: 'turn' }, 3)
}

/** What goes to a mailbox, what it says, and what is kept of both. */
export const mailboxTargets: readonly Target[] = [
  {
    name: 'mailbox-request',
    covers: ['lib/mailbox/messages.ts#decodeRequest'],
    seeds: REQUESTS.map(encodeRequest),
    run: (input) => encodeRequest(decodeRequest(input)),
  },
  {
    name: 'mailbox-answer',
    covers: ['lib/mailbox/messages.ts#decodeAnswer'],
    seeds: ANSWERS.map(encodeAnswer),
    run: (input) => encodeAnswer(decodeAnswer(input)),
  },
  {
    name: 'mailbox-handles',
    covers: ['lib/mailbox/messages.ts#decodeRequest'],
    seeds: REQUESTS.map(encodeRequest),
    loose: 'every request is taken or refused with an answer',
    dear: true,
    run(input) {
      handled(input)
      return 'accepted'
    },
  },
  {
    name: 'mailbox-blob',
    covers: ['lib/mailbox/blob.ts#openBlob'],
    seeds: [blob],
    authenticated: true,
    run(input) {
      openBlob(native, route, input)
      return 'accepted'
    },
  },
  {
    name: 'mailbox-receipt',
    covers: ['lib/mailbox/receipt.ts#openReceipt'],
    seeds: [receiptFor(1), receiptFor(3)],
    authenticated: true,
    run(input) {
      openReceipt(native, key.publicKey, input)
      return 'accepted'
    },
  },
  {
    name: 'mailbox-route',
    covers: ['lib/mailbox/route.ts#decodeRoute'],
    seeds: [encodeRoute(route)],
    run: (input) => encodeRoute(decodeRoute(input)),
  },
  {
    name: 'knock-routes',
    covers: ['lib/mailbox/route.ts#decodeKnockRoutes'],
    seeds: [encodeKnockRoutes([route, route]), encodeKnockRoutes([])],
    run: (input) => encodeKnockRoutes(decodeKnockRoutes(input)),
  },
  {
    name: 'mailbox-row',
    covers: ['lib/chat/mail/rows.ts#decodeBox'],
    seeds: [encodeBox(box), encodeBox({ ...box, key: key.publicKey })],
    run: (input) => encodeBox(decodeBox(native, handle, input)),
  },
  {
    name: 'routes-row',
    covers: ['lib/chat/mail/rows.ts#decodeRoutes'],
    seeds: [encodeRoutes([route])],
    run: (input) => encodeRoutes(decodeRoutes(input)),
  },
  {
    name: 'stored-row',
    covers: ['lib/chat/mail/rows.ts#decodeStored'],
    seeds: [
      encodeStored(new Map([[toHex(target.peer), { until: 5, loose: null }]])),
      encodeStored(new Map([[toHex(target.peer), { until: 5, loose: toHex(route.queue) }]])),
    ],
    loose: 'of two rows of one mailbox the later holds',
    run(input) {
      decodeStored(input)
      return 'accepted'
    },
  },
  {
    name: 'doubted-row',
    covers: ['lib/chat/mail/rows.ts#decodeDoubted'],
    seeds: [encodeDoubted(new Map([[toHex(target.peer), 5]]))],
    loose: 'of two entries of one mailbox the later holds',
    run(input) {
      decodeDoubted(input)
      return 'accepted'
    },
  },
  {
    name: 'owner-row',
    covers: ['lib/mailbox/kept.ts#decodeOwner'],
    seeds: [encodeOwner(owner)],
    run: (input) => encodeOwner({ ...owner, ...decodeOwner(input) }),
  },
  {
    name: 'queue-row',
    covers: ['lib/mailbox/kept.ts#decodeQueue'],
    seeds: [encodeQueue(queue)],
    run(input) {
      const read = decodeQueue(input)
      return encodeQueue({ ...queue, ...read, owner: { ...owner, key: read.owner } })
    },
  },
  {
    name: 'item-row',
    covers: ['lib/mailbox/item-row.ts#decodeItems'],
    seeds: [encodeItems([itemFacts()]), encodeItems([itemFacts(), itemFacts(), itemFacts()])],
    run: (input) => encodeItems(decodeItems(input)),
  },
]
