import type { Link, LinkProtocol, NetworkHandlers } from '../../network/network.ts'
import type { ProcessClock, SimulatedClock } from './clock.ts'
import type { Dice } from './dice.ts'
import type { History } from './history.ts'
import type { Watch } from './watch.ts'

/** What links do between two processes. Names are those of the people. */
export interface WireFaults {
  /** How long something takes from one to the other, ms. */
  latencyMs(from: string, to: string): number
  /** Bytes of links in one ms; infinite by default. */
  bytesPerMs(from: string, to: string): number
  /** What arrives instead of a message, in order; a stream of libp2p loses and doubles nothing by itself. */
  tamper(from: string, to: string, bytes: Uint8Array): readonly Uint8Array[]
}

/** Does something and counts it: the process may be told to die just before or just after. */
export type Around = <T>(effect: EffectName, run: () => T) => T | undefined

/** What a process does outside of itself. */
export type EffectName = 'write' | 'send' | 'dial' | 'put' | 'get'

/** One life of a process on the network. */
export interface Station {
  readonly name: string
  readonly peer: Uint8Array
  readonly address: Uint8Array
  readonly clock: ProcessClock
  /** Called around everything that the process does outside of itself; it may die in it. */
  readonly around: Around
  /** Null before the start and after the end. */
  handlers: NetworkHandlers | null
}

/** One end of a link. */
export interface End {
  readonly link: Link
  readonly station: Station
  /** Whether the own process was told of it. */
  told: boolean
  open: boolean
}

interface InnerEnd extends End {
  readonly other: InnerEnd
  /** What is on its way to this end, in order. */
  readonly coming: (Uint8Array | 'opened' | 'closed')[]
  lastArrival: number
  lastDeparture: number
  /** Arrivals that wait for the way to be whole again, or for the reader. */
  stalled: number
  paused: boolean
  cancelBreak: (() => void) | null
  dialled: { opened(link: Link): boolean; failed(): void } | null
}

/** A link that carries nothing in one direction is given up after so long, ms; each end decides by itself. */
const BREAKS_AFTER_MS: readonly [number, number] = [20_000, 40_000]

/** Links between processes: ordered streams which end when they are closed, reset, or cut for too long. */
export interface Wires {
  /** Messages on their way, over all links. */
  readonly underWay: number
  /** Newest last. */
  endsOf(station: Station): readonly End[]
  /** A dial arrived at `to`: both get an end. `opened` says whether the dialler still wants it. */
  connect(
    from: Station,
    to: Station,
    protocol: LinkProtocol,
    dialler: { opened(link: Link): boolean; failed(): void },
  ): void
  /** Some ways were cut or are whole again. */
  waysChanged(): void
  /** Ends all links between two people at once; what is on its way is lost. */
  reset(a: string, b: string): void
  /** The process closes all its links, or dies and its machine closes them. */
  end(station: Station, died: boolean): void
}

export function createWires(options: {
  readonly clock: SimulatedClock
  readonly dice: Dice
  readonly faults: WireFaults
  readonly history: History
  readonly watch: Watch
  isCut(from: string, to: string): boolean
}): Wires {
  const { clock, dice, faults, history, isCut, watch } = options
  const ends = new Set<InnerEnd>()
  let nextLink = 1

  function createEnd(
    station: Station,
    remote: Station,
    protocol: LinkProtocol,
    dialer: boolean,
    other: () => InnerEnd,
  ): InnerEnd {
    const end: InnerEnd = {
      station,
      told: false,
      open: true,
      coming: [],
      lastArrival: 0,
      lastDeparture: 0,
      stalled: 0,
      paused: false,
      cancelBreak: null,
      dialled: null,
      link: {
        id: nextLink++,
        protocol,
        dialer,
        remotePeer: remote.peer,
        rung: 'direct',
        remoteAddress: remote.address,
        send: (messages) => send(end, messages),
        close: () => station.clock.soon(() => shut(end)),
      },
      get other() {
        return other()
      },
    }
    ends.add(end)
    return end
  }

  async function send(end: InnerEnd, messages: readonly Uint8Array[]): Promise<void> {
    const { other, station } = end
    if (!end.open || !other.open) return
    const [from, to] = [station.name, other.station.name]
    for (const sent of messages) {
      station.around('send', () => {
        watch.sent(from, to, sent)
        for (const bytes of faults.tamper(from, to, sent)) {
          history.note('send', from, to, bytes)
          transmit(other, bytes)
        }
      })
      if (!end.open) return
    }
    const wait = other.lastDeparture - clock.now
    if (wait > 0) await new Promise<void>((go) => void station.clock.at(station.clock.now() + wait, go))
  }

  function transmit(to: InnerEnd, item: Uint8Array | 'opened' | 'closed'): void {
    const [from, name] = [to.other.station.name, to.station.name]
    const size = typeof item === 'string' ? 0 : item.length
    to.lastDeparture = Math.max(clock.now, to.lastDeparture) + Math.round(size / faults.bytesPerMs(from, name))
    to.coming.push(item)
    arriveLater(to)
  }

  function arriveLater(to: InnerEnd): void {
    const latency = faults.latencyMs(to.other.station.name, to.station.name)
    to.lastArrival = Math.max(to.lastArrival, Math.max(clock.now, to.lastDeparture) + latency)
    to.station.clock.at(to.station.clock.now() + to.lastArrival - clock.now, () => arrive(to))
  }

  function arrive(end: InnerEnd): void {
    if (!end.open) return
    if (end.paused || isCut(end.other.station.name, end.station.name)) {
      end.stalled++
      return
    }
    const item = end.coming.shift()
    if (item === 'opened') open(end)
    else if (item === 'closed') shut(end)
    else if (item !== undefined) hand(end, item)
  }

  function open(end: InnerEnd): void {
    end.told = true
    history.note('opened', end.station.name, end.other.station.name)
    end.station.handlers?.opened(end.link)
    const { dialled } = end
    end.dialled = null
    if (dialled?.opened(end.link) === false) shut(end)
  }

  function hand(end: InnerEnd, bytes: Uint8Array): void {
    // The bytes belong to whoever gets them.
    const pause = end.station.handlers?.message(end.link, bytes.slice())
    if (pause === undefined) return
    end.paused = true
    pause
      .then(() => {
        end.paused = false
        release(end)
      })
      .catch(() => undefined)
  }

  function release(end: InnerEnd): void {
    const { stalled } = end
    end.stalled = 0
    for (let i = 0; i < stalled; i++) arriveLater(end)
  }

  function forget(end: InnerEnd): void {
    end.open = false
    end.coming.length = 0
    end.cancelBreak?.()
    end.cancelBreak = null
    ends.delete(end)
  }

  function shut(end: InnerEnd): void {
    if (!end.open) return
    forget(end)
    history.note('closed', end.station.name, end.other.station.name)
    if (end.told) end.station.handlers?.closed(end.link)
    else end.dialled?.failed()
    if (end.other.open) transmit(end.other, 'closed')
  }

  return {
    get underWay() {
      let count = 0
      for (const { coming } of ends) count += coming.length
      return count
    },
    endsOf: (station) => [...ends].filter((end) => end.station === station),
    connect(from, to, protocol, dialler) {
      const near: InnerEnd = createEnd(from, to, protocol, true, () => far)
      const far: InnerEnd = createEnd(to, from, protocol, false, () => near)
      near.dialled = dialler
      transmit(near, 'opened')
      open(far)
    },
    waysChanged() {
      for (const end of ends) {
        const [a, b] = [end.station, end.other.station]
        if (isCut(a.name, b.name) || isCut(b.name, a.name)) {
          const wait = dice.between(...BREAKS_AFTER_MS)
          end.cancelBreak ??= a.clock.at(a.clock.now() + wait, () => shut(end))
        } else {
          end.cancelBreak?.()
          end.cancelBreak = null
        }
        if (!end.paused && !isCut(b.name, a.name)) release(end)
      }
    },
    reset(a, b) {
      for (const end of ends) {
        const [own, other] = [end.station.name, end.other.station.name]
        if (!((own === a && other === b) || (own === b && other === a))) continue
        end.coming.length = 0
        end.station.clock.soon(() => shut(end))
      }
    },
    end(station, died) {
      for (const end of ends) {
        if (end.station !== station) continue
        forget(end)
        const { other } = end
        if (!other.open) continue
        if (died && dice.chance(0.5)) other.coming.length = 0
        transmit(other, 'closed')
      }
    },
  }
}
