import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { QueryEvent } from '@libp2p/kad-dht'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import { portable } from '../../../lib/crypto/portable.ts'
import { createGater } from '../../../node/network/gater.ts'
import { createSlotStore, type SlotStore } from '../../../node/network/slot-store.ts'
import { createSlots, type SlotsOptions } from '../../../node/network/slots.ts'
import { NOON, testKey, testRules, testValue } from '../../support/network.ts'

const key = testKey(1)

function emptyStore(maxRecords = 100): SlotStore {
  return createSlotStore({
    rules: testRules,
    primitives: portable,
    self: new Uint8Array(38),
    maxRecords,
    maxRecordBytes: 1_000_000,
    now: () => NOON,
  })
}

/** What a reader gets of a DHT in which nodes answer with these values, one after the other. */
async function lookUp(
  answers: AsyncIterable<Uint8Array> | readonly Uint8Array[],
  signal: AbortSignal = new AbortController().signal,
): Promise<Uint8Array[]> {
  async function* get(): AsyncGenerator<QueryEvent> {
    for await (const value of answers) {
      yield { name: 'PEER_RESPONSE', messageName: 'GET_VALUE', path: { index: 0 }, record: { value } } as never
    }
  }
  const none = () => Promise.reject(new Error('not asked for'))
  const dht = { get, put: none, getClosestPeers: none } as unknown as SlotsOptions['dht']
  const stopping = new AbortController().signal
  const slots = createSlots({
    dht,
    rules: testRules,
    store: emptyStore(),
    stopping,
    dropped: () => {},
    now: () => NOON,
  })
  const found = []
  for await (const value of slots.get(key, { signal })) found.push(value)
  return found
}

describe('a look-up', () => {
  test('goes on to the newer value when the first node has an older one', async () => {
    const [older, newer] = [testValue(key, 1), testValue(key, 2)]
    expect(await lookUp([older, newer])).toEqual([older, newer])
  })

  test('gives nothing of what was forged or belongs elsewhere', async () => {
    const [forged, elsewhere] = [testValue(key, 9).with(100, 1), testValue(testKey(2), 9)]
    const good = testValue(key, 1)
    expect(await lookUp([forged, elsewhere, good])).toEqual([good])
  })

  test('does not give a worse value of the same number after the better one', async () => {
    const [a, b] = [testValue(key, 1, { salt: 1 }), testValue(key, 1, { salt: 2 })]
    const [better, worse] = testRules.compare(a, b) > 0 ? [a, b] : [b, a]
    expect(await lookUp([better, worse])).toEqual([better])
    expect(await lookUp([worse, better])).toEqual([worse, better])
  })

  test('ends with its signal although a node never answers', async () => {
    const giveUp = new AbortController()
    const good = testValue(key, 1)
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield good
      giveUp.abort()
      await new Promise<never>(() => undefined)
    }
    expect(await lookUp(hanging(), giveUp.signal)).toEqual([good])
  }, 5_000)
})

test('strangers cannot make a node remember numbers without end: the oldest is forgotten', () => {
  const store = emptyStore(2)
  const put = (key: string, rev: number) => store.put(key, testValue(key, rev), testValue(key, rev))
  put(key, 5)
  store.delete(key)
  expect(() => put(key, 4)).toThrow(expect.objectContaining({ code: 'rolled-back' }))
  for (let i = 2; i < 20; i++) {
    put(testKey(i), 1)
    store.delete(testKey(i))
  }
  expect(() => put(key, 4)).not.toThrow()
})

test('what strangers say about somebody else is no way to names and relays', async () => {
  const gater = createGater({ maxConnectionsPerHost: 1, openFrom: () => 0 })
  const peer = peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', new Uint8Array(32)))
  const isTaken = (text: string) => gater.filterMultiaddrForPeer?.(peer, multiaddr(text))
  expect(isTaken('/ip4/192.0.2.1/tcp/1')).toBe(true)
  expect(isTaken('/dns4/example.org/tcp/1')).toBe(false)
  expect(isTaken(`/ip4/192.0.2.1/tcp/1/p2p/${peer.toString()}/p2p-circuit`)).toBe(false)
})
