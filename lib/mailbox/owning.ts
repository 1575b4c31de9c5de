import { toHex } from '../bytes.ts'
import { answer, isWelcome, type Keeping, refuse, save } from './keeping.ts'
import { addQueue, encodeOwner, encodeQueue, type Owner, ownerOf, removeQueue } from './kept.ts'
import { leaveSlots } from './left-slots.ts'
import { isLogin } from './login.ts'
import type { MailboxRequest } from './messages.ts'
import { MAX_QUEUES, RECIPIENT_SHARE } from './quota.ts'
import type { Stream } from './stream.ts'
import { letGo, tellMore } from './telling.ts'

type Request<K extends MailboxRequest['kind']> = Extract<MailboxRequest, { kind: K }>

/** Whoever has something here may fetch it, whatever the operator decided since. */
export function login(keeping: Keeping, stream: Stream, { n, owner: name, signature }: Request<'login'>): void {
  const { kept, primitives, peer, key, limits, now } = keeping
  const isNew = !kept.owners.has(toHex(name))
  if (isNew && !isWelcome(keeping, stream)) {
    refuse(keeping, stream, n, 'not-allowed')
    return
  }
  if (isNew && kept.owners.size >= limits.maxOwners) {
    refuse(keeping, stream, n, 'quota')
    return
  }
  if (!isLogin(primitives, name, { peer, key: key.publicKey, nonce: stream.nonce }, signature)) {
    refuse(keeping, stream, n, 'not-allowed')
    return
  }
  if (isNew && !keeping.newOwners.take(toHex(stream.peer), 1, now)) {
    refuse(keeping, stream, n, 'quota')
    return
  }
  const owner = ownerOf(kept, name, now)
  owner.seen = now
  stream.owner = owner
  save(keeping, { range: 'owner', key: name, value: encodeOwner(owner) })
  answer(keeping, stream, { kind: 'done', n })
}

/** What only an owner may ask for, after its login. */
export function serveOwner(
  keeping: Keeping,
  stream: Stream,
  owner: Owner,
  request: Exclude<MailboxRequest, { kind: 'put' | 'login' }>,
): void {
  switch (request.kind) {
    case 'register':
      register(keeping, stream, owner, request)
      return
    case 'slots':
      leaveSlots(keeping, stream, owner, request)
      return
    case 'usage': {
      const shares = Object.values(owner.usage)
      answer(keeping, stream, {
        kind: 'usage',
        n: request.n,
        blobs: shares.reduce((sum, { blobs }) => sum + blobs, 0),
        bytes: shares.reduce((sum, { bytes }) => sum + bytes, 0),
        maxBlobs: RECIPIENT_SHARE.blobs,
        maxBytes: RECIPIENT_SHARE.bytes,
      })
      return
    }
    case 'watch':
      stream.watching = true
      break
    case 'drop':
      drop(keeping, owner, request.queues)
      break
    case 'ack':
      acknowledge(keeping, owner, request.hashes)
  }
  answer(keeping, stream, { kind: 'done', n: request.n })
  tellMore(keeping, stream)
}

/** Registering again what is registered changes nothing, so that it may be repeated. */
function register(keeping: Keeping, stream: Stream, owner: Owner, { n, queues }: Request<'register'>): void {
  const { kept } = keeping
  const fresh = queues.filter(({ queue }) => kept.queues.get(toHex(queue))?.owner !== owner)
  if (fresh.some(({ queue }) => kept.queues.has(toHex(queue))) || (fresh.length > 0 && !isWelcome(keeping, stream))) {
    refuse(keeping, stream, n, 'not-allowed')
    return
  }
  if (owner.queues.size + fresh.length > MAX_QUEUES) {
    refuse(keeping, stream, n, 'quota')
    return
  }
  for (const each of fresh) {
    if (kept.queues.has(toHex(each.queue))) continue
    save(keeping, { range: 'queue', key: each.queue, value: encodeQueue(addQueue(kept, owner, each)) })
  }
  answer(keeping, stream, { kind: 'done', n })
}

function drop(keeping: Keeping, owner: Owner, names: readonly Uint8Array[]): void {
  for (const name of names) {
    const queue = keeping.kept.queues.get(toHex(name))
    if (queue?.owner !== owner) continue
    for (const item of [...queue.items.values()]) letGo(keeping, item)
    save(keeping, ...removeQueue(keeping.kept, queue))
  }
}

function acknowledge(keeping: Keeping, owner: Owner, hashes: readonly Uint8Array[]): void {
  const names = hashes.map(toHex)
  for (const queue of owner.queues) {
    if (queue.items.size === 0) continue
    for (const name of names) {
      const item = queue.items.get(name)
      if (item !== undefined) letGo(keeping, item)
    }
  }
}
