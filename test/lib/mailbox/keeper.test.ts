import { describe, expect, test } from 'vitest'
import { KNOCK_BYTES } from '../../../lib/mailbox/blob.ts'
import { encodeRequest, type MailboxAnswer, type MailboxRequest, type NewQueue } from '../../../lib/mailbox/messages.ts'
import { signLogin } from '../../../lib/mailbox/login.ts'
import { KEPT_MS, QUEUE_SHARES, type QueueClass } from '../../../lib/mailbox/quota.ts'
import { openReceipt } from '../../../lib/mailbox/receipt.ts'
import { findStamp, hourOf } from '../../../lib/mailbox/stamp.ts'
import { native } from '../../../node/crypto.ts'
import { createTestMailbox, type TestMailbox, type TestStream } from '../../support/mailbox.ts'
import { seededRandom } from '../../support/random.ts'

const random = seededRandom('keeper')
const owner = native.signing.generate(random)
const hashOf = (bytes: Uint8Array): Uint8Array => native.sha256(bytes)

function queueOf(kind: QueueClass = 'contact'): NewQueue & { token: Uint8Array | null } {
  const token = kind === 'knock' ? null : random.bytes(16)
  return { queue: random.bytes(32), kind, tokenHash: token && hashOf(token), token }
}

function withQueue(
  mailbox: TestMailbox,
  kind: QueueClass = 'contact',
): { queue: ReturnType<typeof queueOf>; stream: TestStream } {
  const stream = mailbox.open({ contact: true })
  const queue = queueOf(kind)
  expect(stream.login(owner)).toEqual([{ kind: 'done', n: 1 }])
  expect(stream.ask({ kind: 'register', n: 2, queues: [queue] })).toEqual([{ kind: 'done', n: 2 }])
  return { queue, stream }
}

function putOf(
  { queue, token }: { queue: Uint8Array; token: Uint8Array | null },
  blob = random.bytes(1088),
): Extract<MailboxRequest, { kind: 'put' }> {
  return { kind: 'put', n: 5, queue, token, stamp: null, blob, replaced: [] }
}

const reasonOf = ([answer]: readonly MailboxAnswer[]): string =>
  answer?.kind === 'refused' ? answer.reason : (answer?.kind ?? 'nothing')

const blobsIn = (answers: readonly MailboxAnswer[]): Uint8Array[] =>
  answers.flatMap((answer) => (answer.kind === 'blob' ? [answer.blob] : []))

describe('a mailbox', () => {
  test('lets go of what a writer names with the blob that takes its place, and of nothing when it does not take that one', () => {
    const mailbox = createTestMailbox()
    const { queue } = withQueue(mailbox)
    const writer = mailbox.open()
    const [first, second, third] = [random.bytes(1088), random.bytes(1088), random.bytes(1088)]
    for (const blob of [first, second, third]) expect(reasonOf(writer.ask(putOf(queue, blob)))).toBe('receipt')
    const whole = random.bytes(4160)
    const request = { ...putOf(queue, whole), replaced: [hashOf(first), hashOf(third), hashOf(random.bytes(9))] }
    const other = queueOf('contact')
    expect(reasonOf(writer.ask({ ...request, token: other.token }))).toBe('unknown')
    expect(mailbox.keeper.usage).toMatchObject({ blobs: 3 })
    expect(reasonOf(writer.ask(request))).toBe('receipt')
    expect(reasonOf(writer.ask({ ...request, replaced: [hashOf(whole), hashOf(second)] }))).toBe('receipt')
    mailbox.restart()
    expect(mailbox.keeper.usage).toMatchObject({ blobs: 1, bytes: 4160 })
    // a full queue has room for what takes the place of others
    const again = mailbox.open()
    const blobs = Array.from({ length: 127 }, () => random.bytes(1088))
    for (const blob of blobs) expect(reasonOf(again.ask(putOf(queue, blob)))).toBe('receipt')
    expect(reasonOf(again.ask(putOf(queue)))).toBe('quota')
    expect(reasonOf(again.ask({ ...putOf(queue), replaced: [random.bytes(32)] }))).toBe('quota')
    expect(mailbox.keeper.usage).toMatchObject({ blobs: 128 })
    expect(reasonOf(again.ask({ ...putOf(queue), replaced: blobs.slice(0, 32).map(hashOf) }))).toBe('receipt')
    expect(mailbox.keeper.usage).toMatchObject({ blobs: 97 })
  })

  test('gives nothing up where anybody may knock', () => {
    const mailbox = createTestMailbox({ limits: { stampBits: 0 } })
    const { queue } = withQueue(mailbox, 'knock')
    const first = random.bytes(KNOCK_BYTES)
    const writer = mailbox.open()
    const stamp = { hour: hourOf(mailbox.now), nonce: new Uint8Array(8) }
    expect(reasonOf(writer.ask({ ...putOf(queue, first), stamp }))).toBe('receipt')
    const second = { ...putOf(queue, random.bytes(KNOCK_BYTES)), stamp, replaced: [hashOf(first)] }
    expect(reasonOf(writer.ask(second))).toBe('receipt')
    expect(mailbox.keeper.usage).toMatchObject({ blobs: 2 })
  })

  test('gives a receipt for what it has on disk, and the blob to the owner of the queue', () => {
    const mailbox = createTestMailbox()
    const { queue, stream } = withQueue(mailbox)
    const request = putOf(queue)
    const [answer] = mailbox.open().ask(request)
    if (answer?.kind !== 'receipt') throw new Error('no receipt')
    expect(openReceipt(native, mailbox.key.publicKey, answer.receipt)).toEqual({
      now: mailbox.now,
      blobs: [{ queue: queue.queue, hash: hashOf(request.blob), until: mailbox.now + KEPT_MS.contact }],
    })
    expect(blobsIn(stream.ask({ kind: 'watch', n: 3 }))).toEqual([request.blob])
  })

  test('signs once for what one client left in a turn, 64 at most, and tells nobody of what others left', () => {
    const mailbox = createTestMailbox()
    const { queue } = withQueue(mailbox)
    const { queue: another } = withQueue(mailbox, 'group')
    const [first, second] = [mailbox.open(), mailbox.open()]
    const requests = Array.from({ length: 66 }, (_, n) => ({ ...putOf(n % 2 === 0 ? queue : another), n }))
    const other = { ...putOf(another), n: 7 }
    mailbox.together(() => {
      for (const request of requests) expect(first.ask(request)).toEqual([])
      expect(second.ask(other)).toEqual([])
    })
    const taken = (answers: readonly MailboxAnswer[]) =>
      answers.map((answer) => {
        if (answer.kind !== 'receipt') throw new Error(`expected a receipt, got ${answer.kind}`)
        const { blobs } = openReceipt(native, mailbox.key.publicKey, answer.receipt)
        expect(blobs).toHaveLength(answer.numbers.length)
        return answer.numbers.map((n, i) => ({ n, queue: blobs[i]?.queue, hash: blobs[i]?.hash }))
      })
    const left = requests.map(({ n, queue: name, blob }) => ({ n, queue: name, hash: hashOf(blob) }))
    expect(taken(first.take())).toEqual([left.slice(0, 64), left.slice(64)])
    expect(taken(second.take())).toEqual([[{ n: 7, queue: another.queue, hash: hashOf(other.blob) }]])
  })

  test('owes nothing to a client that went before the end of the turn', () => {
    const mailbox = createTestMailbox()
    const { queue } = withQueue(mailbox)
    const [gone, stays] = [mailbox.open(), mailbox.open()]
    mailbox.together(() => {
      gone.ask(putOf(queue))
      gone.close()
      stays.ask(putOf(queue))
    })
    expect(stays.take().map(({ kind }) => kind)).toEqual(['receipt'])
    expect(mailbox.keeper.usage.blobs).toBe(2)
  })

  test('pushes at once to who watches, in the order in which blobs came, and not twice', () => {
    const mailbox = createTestMailbox()
    const { queue, stream } = withQueue(mailbox)
    stream.ask({ kind: 'watch', n: 3 })
    const writer = mailbox.open()
    const blobs = Array.from({ length: 40 }, () => random.bytes(1088))
    const got: Uint8Array[] = []
    for (const blob of blobs) {
      writer.ask(putOf(queue, blob))
      got.push(...blobsIn(stream.take()))
    }
    expect(got).toEqual(blobs.slice(0, 16))
    while (got.length < blobs.length) {
      const acked = got.slice(-16).map(hashOf)
      got.push(...blobsIn(stream.ask({ kind: 'ack', n: 4, hashes: acked })))
    }
    expect(got).toEqual(blobs)
  })

  test('keeps what was not acknowledged through restarts and reconnects, and lets go of what was', () => {
    const mailbox = createTestMailbox()
    const { queue, stream } = withQueue(mailbox)
    const writer = mailbox.open()
    const [first, second] = [random.bytes(1088), random.bytes(1088)]
    writer.ask(putOf(queue, first))
    writer.ask(putOf(queue, second))
    stream.ask({ kind: 'watch', n: 3 })
    stream.ask({ kind: 'ack', n: 4, hashes: [hashOf(first)] })
    mailbox.restart()
    const again = mailbox.open()
    again.login(owner)
    expect(blobsIn(again.ask({ kind: 'watch', n: 1 }))).toEqual([second])
    expect([...mailbox.rows.values()].filter(({ range }) => range === 'blob')).toHaveLength(1)
  })

  test('writes in a row for sixteen what came in a turn, and knows after restarts what of it is left', () => {
    const mailbox = createTestMailbox()
    const { queue } = withQueue(mailbox)
    const { queue: another, stream } = withQueue(mailbox, 'group')
    const blobs = Array.from({ length: 20 }, () => random.bytes(1088))
    const rows = (range: string): number => [...mailbox.rows.values()].filter((row) => row.range === range).length
    const writer = mailbox.open()
    mailbox.together(() => {
      for (const [i, blob] of blobs.entries()) writer.ask(putOf(i % 2 === 0 ? queue : another, blob))
    })
    expect([rows('item'), rows('blob')]).toEqual([2, 20])
    // the second row, and the end of the first
    stream.ask({ kind: 'ack', n: 4, hashes: blobs.slice(9).map(hashOf) })
    expect([rows('item'), rows('blob')]).toEqual([1, 9])
    mailbox.restart()
    expect(mailbox.keeper.usage).toMatchObject({ blobs: 9 })
    const later = random.bytes(4160)
    mailbox.open().ask(putOf(another, later))
    mailbox.restart()
    const again = mailbox.open()
    again.login(owner)
    expect(blobsIn(again.ask({ kind: 'watch', n: 2 }))).toEqual([...blobs.slice(0, 9), later])
    again.ask({ kind: 'drop', n: 3, queues: [another.queue] })
    expect([rows('item'), rows('blob')]).toEqual([1, 5])
    mailbox.restart()
    const last = mailbox.open()
    last.login(owner)
    last.ask({ kind: 'ack', n: 2, hashes: blobs.map(hashOf) })
    expect([rows('item'), rows('blob')]).toEqual([0, 0])
  })

  test('keeps nothing of what came and went in one turn, and what came with it', () => {
    const mailbox = createTestMailbox()
    const { queue } = withQueue(mailbox)
    const [gone, instead, alone] = [random.bytes(1088), random.bytes(1088), random.bytes(1088)]
    const writer = mailbox.open()
    mailbox.together(() => {
      writer.ask(putOf(queue, gone))
      writer.ask({ ...putOf(queue, instead), replaced: [hashOf(gone)] })
    })
    mailbox.together(() => {
      const visitor = withQueue(mailbox)
      writer.ask(putOf(visitor.queue, alone))
      visitor.stream.ask({ kind: 'drop', n: 3, queues: [visitor.queue.queue] })
    })
    mailbox.restart()
    const again = mailbox.open()
    again.login(owner)
    expect(blobsIn(again.ask({ kind: 'watch', n: 2 }))).toEqual([instead])
    again.ask({ kind: 'ack', n: 3, hashes: [hashOf(instead)] })
    expect([...mailbox.rows.values()].filter(({ range }) => range === 'item' || range === 'blob')).toEqual([])
  })

  test('answers the same blob with the same receipt, and keeps it once', () => {
    const mailbox = createTestMailbox()
    const { queue } = withQueue(mailbox)
    const request = putOf(queue)
    const first = mailbox.open().ask(request)
    expect(mailbox.open().ask(request)).toEqual(first)
    expect(mailbox.keeper.usage.blobs).toBe(1)
  })

  test('takes nothing without the write token, and does not tell whether the queue exists', () => {
    const mailbox = createTestMailbox()
    const { queue } = withQueue(mailbox)
    const writer = mailbox.open()
    const wrong = [
      { ...queue, token: random.bytes(16) },
      { ...queue, token: null },
      { ...queue, queue: random.bytes(32) },
    ]
    for (const each of wrong) expect(reasonOf(writer.ask(putOf(each)))).toBe('unknown')
    expect(mailbox.keeper.usage.blobs).toBe(0)
  })

  test('lets nobody watch, acknowledge or drop what is another owner’s', () => {
    const mailbox = createTestMailbox()
    const { queue } = withQueue(mailbox)
    const request = putOf(queue)
    mailbox.open().ask(request)
    const thief = mailbox.open({ contact: true })
    expect(reasonOf(thief.ask({ kind: 'watch', n: 1 }))).toBe('not-allowed')
    thief.login(native.signing.generate(random))
    expect(blobsIn(thief.ask({ kind: 'watch', n: 1 }))).toEqual([])
    thief.ask({ kind: 'ack', n: 2, hashes: [hashOf(request.blob)] })
    thief.ask({ kind: 'drop', n: 3, queues: [queue.queue] })
    expect(reasonOf(thief.ask({ kind: 'register', n: 4, queues: [queue] }))).toBe('not-allowed')
    expect(mailbox.keeper.usage.blobs).toBe(1)
  })

  test('takes no login that was made for another mailbox or another stream', () => {
    const mailbox = createTestMailbox()
    const other = createTestMailbox({ seed: 'other' })
    withQueue(mailbox)
    const nonce = random.bytes(32)
    for (const { peer, key } of [mailbox, other]) {
      const signature = signLogin(native, owner, { peer, key: key.publicKey, nonce })
      const answers = mailbox.open().ask({ kind: 'login', n: 1, owner: owner.publicKey, signature })
      expect(reasonOf(answers)).toBe('not-allowed')
    }
  })

  test.each([
    ['contacts', false, 'not-allowed'],
    ['contacts', true, 'done'],
    ['all', false, 'done'],
    ['off', true, 'not-allowed'],
  ] as const)('for %s lets a newcomer (contact: %s) in: %s', (policy, contact, expected) => {
    const mailbox = createTestMailbox({ policy })
    expect(reasonOf(mailbox.open({ contact }).login(owner))).toBe(expected)
  })

  test('that keeps no more for anybody still gives what it has', () => {
    const mailbox = createTestMailbox({ policy: 'contacts' })
    const { queue } = withQueue(mailbox)
    mailbox.open().ask(putOf(queue))
    const stranger = mailbox.open({ contact: false })
    expect(reasonOf(stranger.login(owner))).toBe('done')
    expect(blobsIn(stranger.ask({ kind: 'watch', n: 1 }))).toHaveLength(1)
    expect(reasonOf(stranger.ask({ kind: 'register', n: 2, queues: [queueOf()] }))).toBe('not-allowed')
  })

  test('refuses when a queue is full, gives up nothing for it, and has room again after an acknowledgement', () => {
    const mailbox = createTestMailbox({ limits: { rate: { burst: 1e6, perSecond: 1e6 } } })
    const { queue, stream } = withQueue(mailbox)
    const writer = mailbox.open()
    const blobs = Array.from({ length: QUEUE_SHARES.contact.blobs }, () => random.bytes(1088))
    for (const blob of blobs) expect(reasonOf(writer.ask(putOf(queue, blob)))).toBe('receipt')
    expect(reasonOf(writer.ask(putOf(queue)))).toBe('quota')
    expect(mailbox.keeper.usage.blobs).toBe(blobs.length)
    stream.ask({ kind: 'ack', n: 3, hashes: blobs.slice(0, 1).map(hashOf) })
    expect(reasonOf(writer.ask(putOf(queue)))).toBe('receipt')
  })

  test('whose contacts’ queues are full still has room for groups, invites and knocks', () => {
    const mailbox = createTestMailbox({ limits: { rate: { burst: 1e6, perSecond: 1e6 } } })
    const { stream } = withQueue(mailbox)
    const writer = mailbox.open()
    let taken = 0
    for (let i = 0; i < 12; i++) {
      const queue = queueOf()
      stream.ask({ kind: 'register', n: 2, queues: [queue] })
      for (let j = 0; j < 128; j++) if (reasonOf(writer.ask(putOf(queue))) === 'receipt') taken++
    }
    expect(taken).toBeLessThan(1024 - 256)
    for (const kind of ['group', 'invite'] as const) {
      const queue = queueOf(kind)
      stream.ask({ kind: 'register', n: 2, queues: [queue] })
      expect(reasonOf(writer.ask(putOf(queue, random.bytes(KNOCK_BYTES))))).toBe('receipt')
    }
  })

  test('takes a knock for a stamp only, of its size only, and no stamp of another hour', () => {
    const mailbox = createTestMailbox({ limits: { stampBits: 8 } })
    const { queue } = withQueue(mailbox, 'knock')
    const writer = mailbox.open()
    expect(reasonOf(writer.ask(putOf(queue)))).toBe('quota')
    const blob = random.bytes(KNOCK_BYTES)
    expect(writer.ask(putOf(queue, blob))).toEqual([{ kind: 'refused', n: 5, reason: 'stamp', least: 8 }])
    const stamped = { peer: mailbox.peer, queue: queue.queue, hash: hashOf(blob) }
    const attempts = 100_000_000
    const old = findStamp(native, stamped, { hour: hourOf(mailbox.now) - 27, bits: 8, from: 0, attempts })
    const stamp = findStamp(native, stamped, { hour: hourOf(mailbox.now), bits: 8, from: 0, attempts })
    if (typeof stamp === 'number' || typeof old === 'number') throw new Error('no stamp')
    expect(reasonOf(writer.ask({ ...putOf(queue, blob), stamp: old }))).toBe('stamp')
    expect(reasonOf(writer.ask({ ...putOf(queue, blob), stamp }))).toBe('receipt')
  })

  test('lets go of what is over, and of owners who do not come back', () => {
    const mailbox = createTestMailbox()
    const { queue, stream } = withQueue(mailbox)
    mailbox.open().ask(putOf(queue))
    mailbox.now += KEPT_MS.contact - 1
    mailbox.sweep()
    expect(mailbox.keeper.usage.blobs).toBe(1)
    mailbox.now += 1
    mailbox.sweep()
    expect(mailbox.keeper.usage.blobs).toBe(0)
    stream.close()
    mailbox.now += 61 * 86_400_000
    mailbox.sweep()
    expect(mailbox.rows.size).toBe(0)
  })

  test('reads nothing of a peer in a hurry, and everything of the others', () => {
    const mailbox = createTestMailbox({ limits: { rate: { burst: 10, perSecond: 1 } } })
    const { queue } = withQueue(mailbox)
    const flooder = mailbox.open({ peer: random.bytes(38) })
    const answers = Array.from({ length: 20 }, () => reasonOf(flooder.ask(putOf(queue))))
    expect(answers.filter((reason) => reason === 'receipt')).toHaveLength(10)
    expect(answers.filter((reason) => reason === 'busy')).toHaveLength(10)
    expect(flooder.closed).toBe(true)
    expect(reasonOf(mailbox.open().ask(putOf(queue)))).toBe('receipt')
    mailbox.now += 5_000
    expect(reasonOf(flooder.ask(putOf(queue)))).toBe('receipt')
  })

  test('closes on who says what it cannot read, and throws at nothing', () => {
    const mailbox = createTestMailbox()
    const stream = mailbox.open()
    const valid = encodeRequest(putOf(queueOf()))
    for (let length = 0; length < 6; length++) stream.say(valid.subarray(0, length * 7))
    expect(stream.closed).toBe(true)
    expect(mailbox.rows.size).toBe(0)
  })
})

/** Fills a queue of its own with the largest blobs until the mailbox refuses; gives how many bytes it took. */
function fill(mailbox: TestMailbox, peer: Uint8Array, blobBytes: number): number {
  const stream = mailbox.open({ peer, contact: true })
  const key = native.signing.generate(random)
  if (reasonOf(stream.login(key)) !== 'done') return 0
  let taken = 0
  for (let queues = 0; ; queues++) {
    const queue = queueOf()
    stream.ask({ kind: 'register', n: 2, queues: [queue] })
    for (let i = 0; i < QUEUE_SHARES.contact.blobs; i++) {
      if (reasonOf(stream.ask(putOf(queue, random.bytes(blobBytes)))) !== 'receipt') break
      taken += blobBytes
    }
    if (reasonOf(stream.ask(putOf(queueOf(), random.bytes(blobBytes)))) !== 'unknown') break
    if (queues * QUEUE_SHARES.contact.blobs * blobBytes > taken) return taken
  }
  return taken
}

describe('a mailbox with little room', () => {
  const fast = { burst: 1e9, perSecond: 1e9 }

  test('keeps half of it for owners who have less than their part, whatever others fill', () => {
    const mailbox = createTestMailbox({ limits: { maxBytes: 640 * 1088, maxOwners: 10, rate: fast } })
    const { queue, stream } = withQueue(mailbox)
    const taken = [1, 2, 3].reduce((sum, i) => sum + fill(mailbox, random.bytes(38 + i), 1088), 0)
    // half of it for all, and the parts of three
    expect(taken).toBe((320 + 3 * 32) * 1088)
    const answers = Array.from({ length: 33 }, () => reasonOf(mailbox.open().ask(putOf(queue))))
    expect(answers).toEqual([...Array.from({ length: 32 }, () => 'receipt'), 'quota'])
    const [first] = blobsIn(stream.ask({ kind: 'watch', n: 3 }))
    stream.ask({ kind: 'ack', n: 4, hashes: [hashOf(first ?? new Uint8Array())] })
    expect(reasonOf(mailbox.open().ask(putOf(queue)))).toBe('receipt')
  })

  test('lets one PeerId bring four new owners a day, and those who are known always in', () => {
    const mailbox = createTestMailbox({ limits: { rate: fast } })
    const peer = random.bytes(38)
    const keys = Array.from({ length: 6 }, () => native.signing.generate(random))
    const enter = (key: (typeof keys)[number], from = peer): string =>
      reasonOf(mailbox.open({ peer: from, contact: true }).login(key))
    expect(keys.map((key) => enter(key))).toEqual(['done', 'done', 'done', 'done', 'quota', 'quota'])
    expect(enter(keys[0] as (typeof keys)[number])).toBe('done')
    expect(enter(keys[5] as (typeof keys)[number], random.bytes(38))).toBe('done')
    mailbox.now += 86_400_000
    expect(enter(keys[4] as (typeof keys)[number])).toBe('done')
  })

  test('closes streams on which nothing is said, and not those that watch', () => {
    const mailbox = createTestMailbox()
    const silent = mailbox.open()
    const { stream } = withQueue(mailbox)
    stream.ask({ kind: 'watch', n: 3 })
    mailbox.now += 4 * 60_000
    mailbox.sweep()
    expect([silent.closed, stream.closed]).toEqual([false, false])
    mailbox.now += 2 * 60_000
    mailbox.sweep()
    expect([silent.closed, stream.closed]).toEqual([true, false])
    expect(mailbox.counts).toContain('mailbox: a stream on which nothing is said')
  })
})
