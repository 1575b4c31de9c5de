import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import { createBootstraps, RETRY_MS, type Bootstraps, type Timers } from '../../../node/network/bootstraps.ts'
import { createWatch, LATE_MS, WATCH_EVERY_MS } from '../../../node/network/watch.ts'

/** Timers that run when told to. */
function manualTimers(): Timers & { readonly waiting: { run: () => void; ms: number }[]; fire(): number } {
  const waiting: { run: () => void; ms: number }[] = []
  return {
    waiting,
    set(run, ms) {
      const timer = { run, ms }
      waiting.push(timer)
      return timer
    },
    clear(timer) {
      const at = waiting.findIndex((each) => each === timer)
      if (at >= 0) waiting.splice(at, 1)
    },
    fire() {
      const next = waiting.shift()
      next?.run()
      return next?.ms ?? -1
    },
  }
}

const PEER = '12D3KooWEm1PY85uKvkdp1843FThnb5nfLoqYguixnv5bXgAot43'
const OTHER = '12D3KooWEyXU8XPiUyCygMYHD66TDUuQSrG1v1r2Nrajy4HhFjxa'
const at = (host: string, peer = PEER): Multiaddr => multiaddr(`/ip4/${host}/tcp/4001/p2p/${peer}`)

function setUp(): {
  timers: ReturnType<typeof manualTimers>
  up: Set<string>
  connected: Set<string>
  dials: string[][]
  bootstraps: Bootstraps
} {
  const timers = manualTimers()
  const up = new Set<string>()
  const connected = new Set<string>()
  const dials: string[][] = []
  const bootstraps = createBootstraps({
    self: OTHER,
    timers,
    random: () => 0.5,
    isConnected: (peer) => connected.has(peer),
    connect(peer, addresses) {
      dials.push(addresses.map((address) => address.toString()))
      if (!up.has(peer)) return Promise.reject(new Error('down'))
      connected.add(peer)
      return Promise.resolve()
    },
  })
  return { timers, up, connected, dials, bootstraps }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the bootstrap nodes', () => {
  test('are tried again ever more slowly while they do not answer, and at once when they come back into reach', async () => {
    const { timers, up, connected, dials, bootstraps } = setUp()
    bootstraps.add([at('192.0.2.1'), at('192.0.2.2')])
    expect(dials).toEqual([])
    bootstraps.start()
    await settled()
    expect(dials).toEqual([[at('192.0.2.1').toString(), at('192.0.2.2').toString()]])
    const waits = []
    for (let i = 0; i < RETRY_MS.length + 1; i++) {
      waits.push(timers.fire())
      await settled()
    }
    expect(waits).toEqual([...RETRY_MS.slice(1), RETRY_MS.at(-1), RETRY_MS.at(-1)])
    up.add(PEER)
    bootstraps.hurry()
    await settled()
    expect(connected.has(PEER)).toBe(true)
    expect(timers.waiting).toEqual([])
  })

  test('are dialled again a moment after the connection was lost', async () => {
    const { timers, up, connected, dials, bootstraps } = setUp()
    up.add(PEER)
    bootstraps.add([at('192.0.2.1')])
    bootstraps.start()
    await settled()
    connected.delete(PEER)
    bootstraps.lost(PEER)
    bootstraps.lost('a stranger')
    expect(timers.fire()).toBe(RETRY_MS[0])
    await settled()
    expect(dials.length).toBe(2)
    expect(connected.has(PEER)).toBe(true)
  })

  test('can be added while running; the own node and addresses without a peer are none', async () => {
    const { dials, bootstraps } = setUp()
    bootstraps.start()
    bootstraps.add([at('192.0.2.1'), at('192.0.2.9', OTHER)])
    await settled()
    expect(dials).toEqual([[at('192.0.2.1').toString()]])
    expect(() => bootstraps.add([multiaddr('/ip4/192.0.2.1/tcp/1')])).toThrow(TypeError)
  })

  test('leave no timer behind', async () => {
    const { timers, bootstraps } = setUp()
    bootstraps.add([at('192.0.2.1')])
    bootstraps.start()
    await settled()
    expect(timers.waiting.length).toBe(1)
    bootstraps.stop()
    bootstraps.lost(PEER)
    expect(timers.waiting).toEqual([])
  })

  test('say whether the network is a near one', () => {
    const near = (...hosts: string[]): boolean[] => {
      const { bootstraps } = setUp()
      bootstraps.add(hosts.map((host) => at(host)))
      return [bootstraps.allNear, bootstraps.allHere]
    }
    expect(near()).toEqual([true, false])
    expect(near('127.0.0.1')).toEqual([true, true])
    expect(near('127.0.0.1', '192.168.1.2')).toEqual([true, false])
    expect(near('192.168.1.2', '8.8.8.8')).toEqual([false, false])
  })
})

describe('the watch', () => {
  test('notices a tick that comes late and other interfaces, and nothing else', () => {
    const timers = manualTimers()
    let now = 0
    let interfaces = 'a'
    let back = 0
    let ticks = 0
    const watch = createWatch({
      timers,
      clock: () => now,
      interfaces: () => interfaces,
      onBack: () => void back++,
      onTick: () => void ticks++,
    })
    const tick = (ms: number): number => {
      now += ms
      timers.fire()
      return back
    }
    watch.start()
    expect(tick(WATCH_EVERY_MS)).toBe(0)
    expect(tick(WATCH_EVERY_MS + LATE_MS)).toBe(0)
    expect(tick(WATCH_EVERY_MS + LATE_MS + 1)).toBe(1)
    interfaces = 'b'
    expect(tick(WATCH_EVERY_MS)).toBe(2)
    expect(tick(WATCH_EVERY_MS)).toBe(2)
    expect(ticks).toBe(5)
    watch.stop()
    expect(timers.waiting).toEqual([])
  })
})
