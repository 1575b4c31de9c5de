import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import {
  addressesToTell,
  isNear,
  isPlainAddress,
  MAX_ADDRESSES,
  peerOf,
  peerText,
  rungOf,
  withoutPeer,
  withPeer,
} from '../../../node/network/addresses.ts'
import { createGater } from '../../../node/network/gater.ts'
import { startNetwork } from '../../support/network.ts'

const PEER = '12D3KooWEm1PY85uKvkdp1843FThnb5nfLoqYguixnv5bXgAot43'
const tell = (texts: string[], keepLoopback = false): string[] =>
  addressesToTell(
    texts.map((text) => multiaddr(text)),
    keepLoopback,
  ).map((address) => address.toString())

describe('addresses to tell', () => {
  test('leave loopback out when there is anything else, unless all bootstrap nodes are on this machine', () => {
    const [loopback, lan] = ['/ip4/127.0.0.1/tcp/1', '/ip4/192.168.1.2/tcp/1'] as const
    expect(tell([loopback])).toEqual([loopback])
    expect(tell([loopback, lan])).toEqual([lan])
    expect(tell([loopback, lan], true)).toEqual([lan, loopback])
  })

  test('are few, and many of one kind do not crowd out another', () => {
    const six = Array.from({ length: 9 }, (_, i) => `/ip6/2606:4700::${i + 1}/tcp/1`)
    const told = tell([...six, '/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/tcp/1', '/ip4/8.8.8.8/tcp/1'])
    expect(told.length).toBe(MAX_ADDRESSES)
    expect(told).toEqual(expect.arrayContaining(['/ip4/8.8.8.8/tcp/1', '/ip4/10.0.0.1/tcp/1']))
  })

  test('carry no peer, no duplicates, nothing link-local and nothing too long for a record', () => {
    const long = `/dns4/${'a'.repeat(60)}.example.org/tcp/1`
    const all = [`/ip4/10.0.0.1/tcp/1/p2p/${PEER}`, '/ip4/10.0.0.1/tcp/1', '/ip6/fe80::1/tcp/1', long]
    expect(tell(all)).toEqual(['/ip4/10.0.0.1/tcp/1'])
  })
})

describe('an address', () => {
  test('takes a peer and loses it again', async () => {
    await using node = await startNetwork()
    const { peer, peerId } = node.network
    const address = withPeer(multiaddr('/ip4/10.0.0.1/tcp/1').bytes, peer)
    expect(address.toString()).toBe(`/ip4/10.0.0.1/tcp/1/p2p/${peerId}`)
    expect(peerOf(address)).toBe(peerId)
    expect(peerText(peer)).toBe(peerId)
    expect(withoutPeer(address).toString()).toBe('/ip4/10.0.0.1/tcp/1')
  })

  test.each([new Uint8Array(), new Uint8Array(38), new Uint8Array(64).fill(1)])('refuses as a peer %s', (peer) => {
    expect(() => withPeer(new Uint8Array(), peer)).toThrow(TypeError)
  })

  test.each([
    ['/ip4/1.2.3.4/tcp/5', true],
    ['/ip6/::1/tcp/5', true],
    ['/memory/name', true],
    [`/ip4/1.2.3.4/tcp/5/p2p/${PEER}`, true],
    ['/dns4/example.org/tcp/5', false],
    ['/ip4/1.2.3.4/tcp/5/ws', false],
    ['/ip4/1.2.3.4/udp/5/quic-v1', false],
    ['/unix/tmp%2Fx', false],
    [`/ip4/1.2.3.4/tcp/5/p2p/${PEER}/p2p-circuit/p2p/${PEER}`, false],
    [`/p2p/${PEER}`, false],
  ])('%s is dialled for strangers: %s', (text, dialled) => {
    expect(isPlainAddress(multiaddr(text))).toBe(dialled)
  })

  test.each([
    ['/ip4/127.0.0.1/tcp/1', true],
    ['/ip4/10.1.2.3/tcp/1', true],
    ['/ip6/fd00::1/tcp/1', true],
    ['/memory/x', true],
    ['/ip4/8.8.8.8/tcp/1', false],
    ['/dns4/example.org/tcp/1', false],
  ])('%s is near: %s', (text, near) => {
    expect(isNear(multiaddr(text))).toBe(near)
    expect(rungOf(multiaddr(text))).toBe(near ? 'lan' : 'direct')
  })
})

describe('the gater', () => {
  test('refuses a host that has its share of connections', () => {
    let open = 0
    const gater = createGater({ maxConnectionsPerHost: 2, openFrom: () => open })
    const from = { remoteAddr: multiaddr('/ip4/8.8.8.8/tcp/1') } as Parameters<
      NonNullable<typeof gater.denyInboundConnection>
    >[0]
    expect(gater.denyInboundConnection?.(from)).toBe(false)
    open = 2
    expect(gater.denyInboundConnection?.(from)).toBe(true)
  })
})
