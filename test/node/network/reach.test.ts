import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import { createReach, type Reach } from '../../../node/network/reach.ts'

const LOOPBACK = '/ip4/127.0.0.1/tcp/1'
const LAN = '/ip4/192.168.1.2/tcp/1'
const PUBLIC4 = '/ip4/8.8.8.8/tcp/1'
const PUBLIC6 = '/ip6/2606:4700::1/tcp/1'

interface Situation {
  listen?: string[]
  listening?: string[]
  announce?: string[]
  bootstraps?: 'none' | 'here' | 'near' | 'public'
  role?: 'node' | 'bootstrap'
}

function reachIn({ listen = [], listening = [], announce = [], bootstraps = 'none', role = 'node' }: Situation): Reach {
  return createReach({
    role,
    listen,
    announce: announce.map((text) => multiaddr(text)),
    listening: () => listening.map((text) => multiaddr(text)),
    bootstraps: {
      known: bootstraps === 'none' ? 0 : 1,
      allNear: bootstraps !== 'public',
      allHere: bootstraps === 'here',
    },
  })
}

describe('a node serves the DHT', () => {
  test.each<[string, boolean, Situation]>([
    ['alone on loopback', true, { listening: [LOOPBACK] }],
    ['alone in a LAN', true, { listening: [LOOPBACK, LAN] }],
    ['with bootstrap nodes in the LAN', true, { listening: [LAN], bootstraps: 'near' }],
    [
      'with a bootstrap node on this machine, whatever its own addresses',
      true,
      { listening: [PUBLIC4], bootstraps: 'here' },
    ],
    ['behind a router, with public bootstrap nodes', false, { listening: [LOOPBACK, LAN], bootstraps: 'public' }],
    ['with a public IPv6 address on an interface only', false, { listening: [LAN, PUBLIC6], bootstraps: 'public' }],
    ['told to listen on that address', true, { listen: [PUBLIC6], listening: [PUBLIC6], bootstraps: 'public' }],
    ['with a public IPv4 address on an interface', true, { listening: [PUBLIC4], bootstraps: 'public' }],
    ['that announces a name', true, { listening: [LAN], announce: ['/dns4/example.org/tcp/1'], bootstraps: 'public' }],
    ['that announces a private address only', false, { listening: [PUBLIC4], announce: [LAN], bootstraps: 'public' }],
    ['that does not listen', false, { bootstraps: 'public' }],
    ['whose role it is', true, { listening: [LAN], bootstraps: 'public', role: 'bootstrap' }],
  ])('%s: %s', (_, serves, situation) => {
    expect(reachIn(situation).serves()).toBe(serves)
  })

  test('and takes private addresses for good ones in a near network only', () => {
    expect(reachIn({ listening: [PUBLIC4], bootstraps: 'near' }).isNear()).toBe(true)
    expect(reachIn({ listening: [LAN], bootstraps: 'public' }).isNear()).toBe(false)
    expect(reachIn({ listening: [PUBLIC4, LAN] }).isNear()).toBe(false)
  })
})

describe('a node tells', () => {
  test('what it announces instead of what it listens on', () => {
    const told = (situation: Situation): string[] =>
      reachIn(situation)
        .toTell()
        .map((address) => address.toString())
    expect(told({ listening: [LAN], announce: [PUBLIC4] })).toEqual([PUBLIC4])
    expect(told({ listening: [LOOPBACK, LAN], bootstraps: 'here' })).toEqual([LAN, LOOPBACK])
    expect(told({ listening: [LOOPBACK, LAN], bootstraps: 'near' })).toEqual([LAN])
  })
})
