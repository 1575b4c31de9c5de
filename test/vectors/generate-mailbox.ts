import { writeFileSync } from 'node:fs'
import { toHex } from '../../lib/bytes.ts'
import { deriveQueue, inviteSubject, KNOCK_SUBJECT } from '../../lib/chat/mail/queues.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { sealBlob } from '../../lib/mailbox/blob.ts'
import { encodeAnswer, encodeRequest } from '../../lib/mailbox/messages.ts'
import { signLogin } from '../../lib/mailbox/login.ts'
import { signReceipt } from '../../lib/mailbox/receipt.ts'
import { encodeKnockRoutes, encodeRoute, knockSecret } from '../../lib/mailbox/route.ts'
import { findStamp, type Stamp, stampBits } from '../../lib/mailbox/stamp.ts'
import { native } from '../../node/crypto.ts'
import { seededRandom } from '../support/random.ts'

/** Attempts at a stamp in a vector: 2^12 are expected for twelve bits. */
const ATTEMPTS = 1 << 17
const STAMP_BITS = 12
const NOW = 1_780_000_000_000

/** What `mailbox.json` holds: what owner, writer and mailbox compute, each of them by itself. */
export function mailboxVectors(primitives: Primitives): object {
  const random = seededRandom('mailbox vectors')
  const seed = random.bytes(32)
  const owner = primitives.signing.fromSeed(seed)
  const account = primitives.signing.generate(random).publicKey
  const handle = random.bytes(16)
  const inviteName = random.bytes(16)
  const mailboxSeed = random.bytes(32)
  const mailbox = primitives.signing.fromSeed(mailboxSeed)
  const peer = random.bytes(38)
  const addresses = [random.bytes(8), random.bytes(20)]
  const subjects: readonly (readonly [subject: string, handle: Uint8Array | null])[] = [
    [toHex(handle), handle],
    [inviteSubject(toHex(inviteName)), inviteName],
    [KNOCK_SUBJECT, null],
  ]
  const queues = subjects.map(([subject, name]) => ({
    subject,
    name,
    ...deriveQueue(primitives, { seed, account }, subject),
  }))
  const [contact] = queues
  if (contact === undefined || contact.token === null) throw new Error('the queue of a contact has a token')
  const { queue, secret, token } = contact
  const blobs = [[40], [300, 301, 1], [4000], [5000, 9000], []].map((lengths) => {
    const frames = lengths.map((length) => random.bytes(length))
    const nonce = random.bytes(24)
    const blob = sealBlob(primitives, { ...random, bytes: () => nonce.slice() }, { secret, queue }, frames)
    return { nonce: toHex(nonce), frames: frames.map(toHex), blob: toHex(blob) }
  })
  const hash = random.bytes(32)
  const kept = { queue, hash, until: NOW + 14 * 86_400_000 }
  const greetingNonce = random.bytes(32)
  const greeting = { peer, key: mailbox.publicKey, nonce: greetingNonce }
  const knockRoutes = [
    { peer, addresses, key: mailbox.publicKey, queue },
    { peer: random.bytes(34), addresses: [], key: random.bytes(32), queue: random.bytes(32) },
  ]
  const stamped = { hour: Math.floor(NOW / 3_600_000), nonce: random.bytes(8) }
  const left = random.bytes(1088)
  const knocked = { queue: knockRoutes[1]?.queue ?? queue, hash: primitives.sha256(left), until: NOW + 7 * 86_400_000 }
  const puts = [
    { n: 1, token, stamp: null, replaced: [] },
    { n: 2, token: null, stamp: stamped, replaced: [] },
    { n: 300, token, stamp: null, replaced: [random.bytes(32), random.bytes(32)] },
  ]
  return {
    about:
      'What lies at mailboxes and how they are spoken to; times are ms. Keys are Ed25519 seeds, peers are random bytes.',
    owner: { seed: toHex(seed), key: toHex(owner.publicKey), account: toHex(account) },
    mailbox: { seed: toHex(mailboxSeed), key: toHex(mailbox.publicKey), peer: toHex(peer) },
    queues: queues.map((each) => ({
      subject: each.subject === KNOCK_SUBJECT ? 'knock' : each.subject.startsWith('invite:') ? 'invite' : 'contact',
      name: each.name && toHex(each.name),
      queue: toHex(each.queue),
      token: each.token && toHex(each.token),
      secret: toHex(each.secret),
    })),
    blobs,
    routes: [addresses, []].map((places) => ({
      addresses: places.map(toHex),
      bytes: toHex(encodeRoute({ peer, addresses: places, key: mailbox.publicKey, queue, token, secret })),
    })),
    knockRoutes: {
      places: knockRoutes.map((each) => ({
        peer: toHex(each.peer),
        addresses: each.addresses.map(toHex),
        key: toHex(each.key),
        queue: toHex(each.queue),
        secret: toHex(knockSecret(primitives, account, each.queue)),
      })),
      bytes: toHex(encodeKnockRoutes(knockRoutes)),
    },
    receipts: [[kept], [kept, knocked]].map((blobs, i) => {
      const receipt = signReceipt(primitives, mailbox, { now: NOW, blobs })
      const numbers = blobs.map((_, j) => 7 + 1_000 * (i + j))
      return {
        now: NOW,
        blobs: blobs.map((blob) => ({ queue: toHex(blob.queue), hash: toHex(blob.hash), until: blob.until })),
        bytes: toHex(receipt),
        numbers,
        answer: toHex(encodeAnswer({ kind: 'receipt', numbers, receipt })),
      }
    }),
    login: { nonce: toHex(greetingNonce), signature: toHex(signLogin(primitives, owner, greeting)) },
    stamp: stampVector(primitives, { peer, queue, hash }),
    puts: puts.map((put) => ({
      n: put.n,
      token: put.token && toHex(put.token),
      stamp: put.stamp && { hour: put.stamp.hour, nonce: toHex(put.stamp.nonce) },
      blob: toHex(left),
      replaced: put.replaced.map(toHex),
      bytes: toHex(encodeRequest({ kind: 'put', queue, blob: left, ...put })),
    })),
  }
}

function stampVector(primitives: Primitives, stamped: Parameters<typeof stampBits>[1]): object {
  const hour = Math.floor(NOW / 3_600_000)
  const found = findStamp(native, stamped, { hour, bits: STAMP_BITS, from: 0, attempts: ATTEMPTS })
  if (typeof found === 'number') throw new Error('no stamp was found')
  const stamp: Stamp = found
  return { hash: toHex(stamped.hash), hour, nonce: toHex(stamp.nonce), bits: stampBits(primitives, stamped, stamp) }
}

if (import.meta.main) {
  writeFileSync(new URL('mailbox.json', import.meta.url), `${JSON.stringify(mailboxVectors(native), null, 1)}\n`)
}
