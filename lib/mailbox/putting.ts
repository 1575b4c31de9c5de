import { equalBytes, toHex, u64be } from '../bytes.ts'
import { KNOCK_BYTES } from './blob.ts'
import { answer, type Keeping, refuse, save } from './keeping.ts'
import { encodeItems, MAX_ROW_ITEMS } from './item-row.ts'
import { addItem, fits, type Item, type Queue } from './kept.ts'
import type { MailboxRequest } from './messages.ts'
import { assuredBytes, bytesIn, KEPT_MS } from './quota.ts'
import { MAX_RECEIPT_BLOBS, signReceipt } from './receipt.ts'
import { hourOf, STAMP_HOURS, stampBits } from './stamp.ts'
import type { Stream } from './stream.ts'
import { letGo, tellArrival } from './telling.ts'

type Put = Extract<MailboxRequest, { kind: 'put' }>

/** Somebody leaves a blob. Nothing that has a receipt is ever given up for another, but for what its writer names. */
export function put(keeping: Keeping, stream: Stream, request: Put): void {
  const { kept, primitives } = keeping
  const { n, blob } = request
  const queue = kept.queues.get(toHex(request.queue))
  if (queue === undefined || !mayWrite(keeping, queue, request.token)) {
    refuse(keeping, stream, n, 'unknown')
    return
  }
  const hash = primitives.sha256(blob)
  const known = queue.items.get(toHex(hash))
  if (known !== undefined) {
    for (const item of replacedBy(queue, request, known)) letGo(keeping, item)
    owe(keeping, stream, n, known)
    return
  }
  const { kind } = queue
  if ((kind === 'knock' || kind === 'invite') && blob.length !== KNOCK_BYTES) {
    refuse(keeping, stream, n, 'quota')
    return
  }
  if (kind === 'knock' && !isPaid(keeping, queue, hash, request)) {
    refuse(keeping, stream, n, 'stamp', priceOf(keeping, queue))
    return
  }
  const replaced = replacedBy(queue, request)
  if (!fits(queue, blob.length, replaced) || !hasRoom(keeping, queue, blob.length)) {
    refuse(keeping, stream, n, 'quota')
    return
  }
  for (const item of replaced) letGo(keeping, item)
  const until = keeping.now + KEPT_MS[kind]
  const item: Item = { queue, order: kept.nextOrder, hash, length: blob.length, until, row: null }
  addItem(kept, item)
  keeping.taken.push(item)
  save(keeping, { range: 'blob', key: u64be(item.order), value: blob })
  owe(keeping, stream, n, item)
  tellArrival(keeping, item, blob)
}

/**
 * What lies in the queue of what the writer names. Only the one person who has its token knows these hashes, and might as well
 * never have left them; where anybody may knock, nobody takes anything back.
 */
function replacedBy(queue: Queue, { replaced }: Put, but?: Item): readonly Item[] {
  if (queue.tokenHash === null) return []
  const named = new Set(replaced.flatMap((hash) => queue.items.get(toHex(hash)) ?? []))
  return [...named].filter((item) => item !== but)
}

/** Whether the mailbox has room for it: what is assured to its owner, or what nobody is assured of and nobody took. */
function hasRoom({ kept, limits }: Keeping, { owner }: Queue, bytes: number): boolean {
  if (kept.bytes + bytes > limits.maxBytes) return false
  const assured = assuredBytes(limits)
  const own = bytesIn(owner.usage)
  if (own + bytes <= assured) return true
  let taken = bytes - Math.max(0, assured - own)
  for (const { usage } of kept.owners.values()) taken += Math.max(0, bytesIn(usage) - assured)
  return taken <= limits.maxBytes / 2
}

function mayWrite({ primitives }: Keeping, { tokenHash }: Queue, token: Uint8Array | null): boolean {
  if (tokenHash === null || token === null) return tokenHash === token
  return equalBytes(primitives.sha256(token), tokenHash)
}

function isPaid(keeping: Keeping, queue: Queue, hash: Uint8Array, { stamp }: Put): boolean {
  const { primitives, peer, now } = keeping
  if (stamp === null || Math.abs(stamp.hour - hourOf(now)) > STAMP_HOURS) return false
  return stampBits(primitives, { peer, queue: queue.name, hash }, stamp) >= priceOf(keeping, queue)
}

/** The fuller the queue, the dearer the next place in it, leading zero bits. */
function priceOf({ limits }: Keeping, { items }: Queue): number {
  if (items.size < 20) return limits.stampBits
  return limits.stampBits + (items.size < 30 ? 2 : 4)
}

function owe(keeping: Keeping, stream: Stream, n: number, item: Item): void {
  stream.owed.push({ n, item })
  keeping.owing.add(stream)
}

/** What came in a turn is written together, and has its receipts. */
export function endTurn(keeping: Keeping): void {
  saveTaken(keeping)
  giveReceipts(keeping)
}

function saveTaken(keeping: Keeping): void {
  const { kept, taken } = keeping
  while (taken.length > 0) {
    const items = taken.splice(0, MAX_ROW_ITEMS)
    const [first, ...others] = items.map((item) => ({ ...item, queue: item.queue.name }))
    // what went again in the same turn stands there too: the place in the row says the order
    const lying = items.filter((item) => kept.items.get(item.order) === item)
    if (first === undefined || lying.length === 0) continue
    const row = { key: u64be(first.order), left: lying.length }
    for (const item of lying) item.row = row
    save(keeping, { range: 'item', key: row.key, value: encodeItems([first, ...others]) })
  }
}

/** What was taken of one client shares receipts, which tell of nobody else's. */
function giveReceipts(keeping: Keeping): void {
  const { primitives, key, now, owing } = keeping
  for (const stream of owing) {
    while (stream.owed.length > 0) {
      const some = stream.owed.splice(0, MAX_RECEIPT_BLOBS)
      const blobs = some.map(({ item: { queue, hash, until } }) => ({ queue: queue.name, hash, until }))
      const numbers = some.map(({ n }) => n)
      answer(keeping, stream, { kind: 'receipt', numbers, receipt: signReceipt(primitives, key, { now, blobs }) })
    }
  }
  owing.clear()
}
