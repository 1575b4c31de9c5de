import { expect, test } from 'vitest'
import { componentLogger } from '../../../node/network/component-log.ts'

const PEER = '12D3KooWMDeSD5joDrq6fvkdKT3rGQ8KNpc7WP9GxCyYM59H9u1C'

function said(...[format, ...values]: readonly unknown[]): string[] {
  const lines: string[] = []
  const log = componentLogger({
    debug: (fields, message) => lines.push(`${String(fields['component'])}: ${message}`),
    info: () => lines.push('info'),
    warn: () => lines.push('warn'),
  }).forComponent('libp2p:dialer')
  log(format, ...values)
  log.trace(format, ...values)
  expect(log.enabled).toBe(false)
  log.newScope('queue').error(format, ...values)
  return lines
}

test('what libp2p calls an error is a line for debug, with its numbers and the kinds of its errors', () => {
  expect(said('%d dials to %p failed at %a - %e', 3, PEER, `/ip4/192.0.2.7/tcp/1`, new RangeError('secret'))).toEqual([
    'libp2p:dialer:queue: 3 dials to (a peer) failed at (an address) - RangeError',
  ])
  expect(said(new TypeError('no route to 192.0.2.7'))).toEqual(['libp2p:dialer:queue: TypeError'])
  expect(said({ peer: PEER })).toEqual(['libp2p:dialer:queue: (…)'])
})

test.each([
  `could not dial ${PEER}`,
  `could not dial /ip4/192.0.2.7/tcp/4001/p2p/${PEER}`,
  'connect ECONNREFUSED 192.0.2.7:4001',
  'connect EHOSTUNREACH 2001:db8::192:2 now',
  'record /sotto/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA',
])('a text that was put together before does not carry it out either: %s', (text) => {
  expect(said(text)[0]).not.toMatch(/12D3|192|db8|AQID/)
})
