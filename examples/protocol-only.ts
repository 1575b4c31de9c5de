/**
 * The protocol without a node: two sides in one program, and what would be on the wire between them. Everything is a pure
 * function: time and randomness are arguments, a step gives a new state, and the caller keeps it.
 *
 *     node --conditions=source examples/protocol-only.ts    in the repository
 *     node protocol-only.ts                                 where the package is installed
 */
import {
  acceptPrefix,
  accountId,
  createPrefix,
  createPrekey,
  createRecoverySeed,
  createSelf,
  openFrame,
  openPrefix,
  type OwnKeys,
  type PeerKeys,
  portable,
  type Random,
  sealFrame,
  type Self,
  type Session,
  verifyAccountRecord,
} from 'sotto/lib'

const random: Random = { system: false, bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) }
const now = Date.now()

/** How the handshake knows an account on a device. */
function keysOf({ accountRecord, did, identityKey }: Self): OwnKeys {
  return { aid: accountId(portable, accountRecord.account), did, ik: identityKey }
}

function show(what: string, bytes: Uint8Array): void {
  const head = Array.from(bytes.subarray(0, 12), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  console.log(`${what}: ${bytes.length} bytes, ${head} …`)
}

/** Seals a text and keeps the state that comes after: one state never seals two texts. */
function say(session: Session, text: string): { session: Session; frame: Uint8Array } {
  return sealFrame(portable, random, session, [new TextEncoder().encode(text)], now)
}

/** Opens a frame. One that was forged, altered or seen before leaves the state as it was. */
function hear(session: Session, frame: Uint8Array): { session: Session; text: string } {
  const result = openFrame(portable, session, frame, now)
  if (result.kind !== 'opened') return { session, text: `(${result.kind})` }
  return { session: result.session, text: result.payloads.map((each) => new TextDecoder().decode(each)).join() }
}

// Each has an account on one device. Bob's record and prekey are in the DHT, where Alice found them.
const alice = createSelf(portable, random, createRecoverySeed(random), now)
const bob = createSelf(portable, random, createRecoverySeed(random), now)
const prekey = createPrekey(portable, random, now)
const found: PeerKeys = { ...keysOf(bob), ik: bob.identityKey.publicKey, prekey: prekey.bytes }

// Alice starts without an answer: the prefix holds who she is, for Bob alone, and goes before her first frame.
const own = { ...keysOf(alice), accountRecord: alice.accountRecord.bytes }
const started = createPrefix(portable, random, { own, peer: found, gen: now, now })
show('prefix', started.prefix)
const first = say(started.session, 'Hello Bob, this is Alice.')
show('frame', first.frame)

// Bob opens the prefix, checks the record in it, and only then calculates with the key that it names.
const opened = openPrefix(portable, started.prefix, keysOf(bob), () => prekey)
const { devices } = verifyAccountRecord(portable, opened.accountRecord)
const ik = devices.find(({ did }) => did.every((byte, i) => byte === opened.did[i]))?.ik
if (ik === undefined) throw new Error('the record does not name this device')
const heard = hear(acceptPrefix(portable, opened, ik, now), first.frame)
console.log(`bob reads: ${heard.text}`)

// The answer steps the ratchet: new keys on both sides, which the old ones do not give away.
const answer = say(heard.session, 'Hello Alice.')
show('answer', answer.frame)
const answered = hear(first.session, answer.frame)
console.log(`alice reads: ${answered.text}`)

// The same bytes again, and bytes that somebody changed, say nothing and change nothing.
console.log(`the same frame again: ${hear(answered.session, answer.frame).text}`)
const next = say(answered.session, 'One more thing.')
const altered = next.frame.with(next.frame.length - 1, (next.frame.at(-1) ?? 0) ^ 1)
console.log(`an altered frame: ${hear(answer.session, altered).text}`)
console.log(`bob reads: ${hear(answer.session, next.frame).text}`)
