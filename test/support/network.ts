import { multiaddr } from '@multiformats/multiaddr'
import { compareBytes, concat, equalBytes, u64be, uintFrom, utf8 } from '../../lib/bytes.ts'
import { portable } from '../../lib/crypto/portable.ts'
import { ProtocolError } from '../../lib/errors.ts'
import { native } from '../../node/crypto.ts'
import type { Logger } from '../../node/api.ts'
import { createLibp2pNetwork, type Libp2pNetwork } from '../../node/network/libp2p.ts'
import type { Gossiped, Link, NetworkHandlers } from '../../node/network/network.ts'
import type { Libp2pNetworkOptions } from '../../node/network/network-options.ts'
import type { SlotRules } from '../../node/network/slot-store.ts'

export const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** A day in the middle of which the tests run, in ms. */
export const NOON: number = Date.UTC(2027, 0, 15, 12)
export const TODAY: number = Math.floor(NOON / 86_400_000)

/** The size of a test value in bytes; the real ones have two. */
export const TEST_VALUE_BYTES = 512

/** A slot key for a number. */
export function testKey(number: number): string {
  return `/sotto/${number.toString(16).padStart(64, '0')}`
}

/** A value that `testRules` accept: cheap to make, and as tied to key, day and rev as a real one. */
export function testValue(key: string, rev: number, options: { day?: number; salt?: number } = {}): Uint8Array {
  const facts = concat(u64be(rev), u64be(options.day ?? TODAY), u64be(options.salt ?? 0))
  const body = concat(facts, new Uint8Array(TEST_VALUE_BYTES - 32 - facts.length))
  return concat(body, portable.sha256(utf8(key), body))
}

/** The shape of the slot rules without their cryptography. */
export const testRules: SlotRules = {
  check(key, value, now) {
    if (Buffer.isBuffer(value)) throw new TypeError('a Buffer must not get this far')
    if (value.length !== TEST_VALUE_BYTES) throw new ProtocolError('malformed', `expected ${TEST_VALUE_BYTES} bytes`)
    const body = value.subarray(0, -32)
    if (!equalBytes(native.sha256(utf8(key), body), value.subarray(-32)))
      throw new ProtocolError('unauthentic', 'not its key')
    const day = uintFrom(value.subarray(10, 16))
    if (Math.abs(day - Math.floor(now / 86_400_000)) > 1) throw new ProtocolError('out-of-date', 'not of these days')
    return { rev: value.slice(0, 8), day }
  },
  compare(a, b) {
    const byRev = compareBytes(a.subarray(0, 8), b.subarray(0, 8))
    return byRev === 0 ? compareBytes(native.sha256(b), native.sha256(a)) : byRev
  },
}

/** A network with what happened to it written down. */
export interface TestNetwork extends AsyncDisposable {
  readonly network: Libp2pNetwork
  readonly opened: Link[]
  readonly closed: Link[]
  /** What came in, as texts, in order. */
  readonly received: string[]
  readonly drops: string[]
  changes: number
  /** What `message` does besides; replace it to make a slow reader. */
  onMessage: NonNullable<NetworkHandlers['message']>
  /** What came in by gossip, in order. */
  readonly gossiped: Gossiped[]
  /** What is said of it: by default that it is fine. */
  onGossip: NonNullable<NetworkHandlers['gossiped']>
}

let names = 0

/** A started network: on loopback TCP with a free port, or on the memory transport. */
export async function startNetwork(options: Partial<Libp2pNetworkOptions> = {}): Promise<TestNetwork> {
  const id = ++names
  const transport = options.transport ?? 'memory'
  const network = await createLibp2pNetwork({
    privateKey: portable.sha256(utf8(`test network ${id}`)),
    transport,
    listen: [transport === 'tcp' ? '/ip4/127.0.0.1/tcp/0' : `/memory/test-${id}`],
    role: 'node',
    primitives: native,
    rules: testRules,
    logger: silent,
    limits: 'mesh',
    now: () => NOON,
    ...options,
  })
  const test: TestNetwork = {
    network,
    opened: [],
    closed: [],
    received: [],
    drops: [],
    changes: 0,
    onMessage: () => undefined,
    gossiped: [],
    onGossip: async () => 'accept',
    [Symbol.asyncDispose]: () => network.stop(),
  }
  await network.start({
    opened: (link) => void test.opened.push(link),
    closed: (link) => void test.closed.push(link),
    message(link, bytes) {
      test.received.push(new TextDecoder().decode(bytes))
      return test.onMessage(link, bytes)
    },
    gossiped(gossiped) {
      test.gossiped.push(gossiped)
      return test.onGossip(gossiped)
    },
    changed: () => void test.changes++,
    dropped: (reason) => void test.drops.push(reason),
  })
  return test
}

/** Where a network is reached, as a target for another's `dial`. */
export function targetOf({ network }: TestNetwork): { peer: Uint8Array; addresses: readonly Uint8Array[] } {
  return { peer: network.peer, addresses: network.addresses() }
}

/** Its addresses with `/p2p`, for another's `bootstrap`. */
export function bootstrapOf({ network }: TestNetwork): Uint8Array[] {
  return network.addressTexts().map((text) => multiaddr(text).bytes)
}

/** Nodes that know each other through the first of them, each with at least `count - 1` (or 5) others in its DHT table. */
export async function startMesh(count: number, options: Partial<Libp2pNetworkOptions> = {}): Promise<TestNetwork[]> {
  const first = await startNetwork(options)
  const rest = await Promise.all(
    Array.from({ length: count - 1 }, () => startNetwork({ ...options, bootstrap: bootstrapOf(first) })),
  )
  const all = [first, ...rest]
  const enough = Math.min(count - 1, 5)
  await until(() => all.every(({ network }) => network.status().dht.peers >= enough))
  return all
}

/** Ends them all. */
export async function stopAll(networks: readonly AsyncDisposable[]): Promise<void> {
  await Promise.all(networks.map((network) => network[Symbol.asyncDispose]()))
}

/** Resolves as soon as the condition holds; rejects when it does not within the time. */
export async function until(condition: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Resolves when a number has not changed for twenty looks. */
export async function standstill(number: () => number): Promise<void> {
  let last = number()
  for (let same = 0; same < 20; same++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    const now = number()
    if (now !== last) same = 0
    last = now
  }
}

/** Counts the promises whose rejection nobody handles; ends with the scope. */
export function watchRejections(): Disposable & { readonly seen: unknown[] } {
  const seen: unknown[] = []
  const note = (reason: unknown): void => void seen.push(reason)
  process.on('unhandledRejection', note)
  return { seen, [Symbol.dispose]: () => void process.off('unhandledRejection', note) }
}

export const signal = (ms = 10_000): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(ms) })
