import { createRefusingServer, createStaleServer } from '../hostile/dht-server.ts'
import { createForger } from '../hostile/forger.ts'
import { createMailboxIntruder, MAILBOX_INTRUSIONS, type MailboxIntrusion } from '../hostile/mailbox-intruder.ts'
import type { HostilePeer } from '../hostile/outsider.ts'
import { createOversizeSender } from '../hostile/oversize-sender.ts'
import { createReplayer } from '../hostile/replayer.ts'
import type { Dice } from './dice.ts'
import type { DiskFault, DiskImage } from './disk.ts'
import type { SimulatedBackup } from './person.ts'
import type { SimulatedMesh } from './simulated-mesh.ts'

/** What can go wrong, by name: each with what it does. `who` is whom it strikes, `other` whom else where there are two. */
export const FAULTS = {
  crash: 'the process of who dies at once',
  'crash-at-effect': 'it dies just before or after one of the next things that it does outside of itself',
  'crash-before-write': 'it dies at one of the next writes, and the batch is not on disk',
  'crash-after-write': 'it dies at one of the next writes, and the batch is on disk',
  'crash-during-write': 'it dies while a slow write is under way',
  restart: 'it is stopped in order and started again, perhaps at another address',
  sleep: 'the machine of who stands still and hears nothing, or wakes up',
  offline: 'the machine of who loses its network, or gets it back',
  partition: 'nothing gets from who to other any more, nor back',
  'one-way': 'nothing gets from who to other any more, but the other way',
  heal: 'all partitions end',
  reset: 'the links between who and other end, and what is on its way is lost',
  'disk-full': 'one of the next writes of who fails with ENOSPC',
  'disk-error': 'one of the next writes of who fails with EIO',
  'read-error': 'some of the next reads of who fail with EIO',
  'slow-disk': 'writes of who take up to half a second',
  'slow-network': 'everything takes up to three seconds, at two bytes a millisecond',
  'uneven-network': 'latencies of all links spread up to 300 ms, and half of all dials are refused',
  'lossy-network': 'every tenth message is lost, every tenth comes twice, every tenth after the next one',
  'no-gossip': 'nothing gets through by gossip any more, or again',
  'clock-ahead': 'the clock of who is up to 12 hours ahead from now on',
  'clock-behind': 'the clock of who is up to 12 hours behind from now on',
  'clock-jump': 'the clock of who jumps by up to an hour, either way',
  'clock-stop': 'the clock of who stands still, or goes again',
  'hostile-visit':
    'a stranger attacks who in the name of other, or serves what is stale; it stays until two more have come',
  'mailbox-visit':
    'a stranger intrudes at the mailbox of who: floods, knocks, poses as an owner, says again what others said',
  'roll-back': 'the disk of who is copied; the next time who is killed and finds that copy',
  restore: 'who makes a backup, or loses the home and makes another device of the last backup',
  'lost-machine': 'the machine that who lost, or somebody else, is started again beside the one that took its place',
} as const

export type FaultName = keyof typeof FAULTS

/** Strikes people of a mesh with faults by name, and takes everything back. */
export interface FaultInjector {
  strike(fault: FaultName, who: string, other: string): Promise<void>
  /** Ends every fault and starts or wakes everybody. */
  clear(): Promise<void>
}

const HOUR = 3_600_000

/** The first message of a link. */
const NONCE_BYTES = 32

/** What arrives when nothing does. */
const nothing = (): readonly Uint8Array[] => []

/** Hostile peers that are there at once. */
const MAX_GUESTS = 2

export function createFaultInjector(mesh: SimulatedMesh, people: readonly string[], dice: Dice): FaultInjector {
  const smooth = mesh.faults
  const images = new Map<string, DiskImage>()
  const backups = new Map<string, SimulatedBackup>()
  /** Whose machine from before could be started again. */
  const lost = new Set<string>()
  const away = new Set<string>()
  const guests: HostilePeer[] = []
  let visits = 0

  async function start(name: string): Promise<void> {
    if (mesh.people.has(name)) return
    // A disk that fails while it starts fails the start; the next one succeeds.
    await mesh.start(name, { moved: dice.chance(0.3) }).catch(() => undefined)
    await mesh.atRest()
  }

  function planned(who: string, fault: DiskFault): void {
    mesh.disk(who).failAt(dice.between(1, 6), fault)
  }

  function sleep(who: string): void {
    if (mesh.isAsleep(who)) mesh.wake(who)
    else if (mesh.people.has(who)) mesh.sleep(who)
  }

  /** A message may come to nothing, twice, or after the one that follows it. */
  function lossy(): (from: string, to: string, bytes: Uint8Array) => readonly Uint8Array[] {
    const late = new Map<string, Uint8Array>()
    return (from, to, bytes) => {
      const way = `${from} ${to}`
      const held = late.get(way)
      late.delete(way)
      // A link begins with its nonce: nothing of an older one comes before it, and without it there is no link.
      if (bytes.length === NONCE_BYTES) return [bytes]
      const before = held === undefined ? [] : [held]
      switch (dice.below(10)) {
        case 0:
          return before
        case 1:
          return [bytes, ...before, bytes]
        case 2:
          late.set(way, bytes)
          return before
        default:
          return [bytes, ...before]
      }
    }
  }

  async function visit(who: string, other: string): Promise<HostilePeer> {
    const options = { mesh, name: `stranger-${++visits}` }
    switch (dice.below(5)) {
      case 0:
        return createStaleServer({ ...options, answers: dice.pick(['old', 'none', 'other', 'future']) })
      case 1:
        return createRefusingServer(options)
      case 2: {
        const sender = await createOversizeSender(options)
        sender.publish()
        sender.attack(who, { first: dice.chance(0.5) })
        return sender
      }
      case 3: {
        const replayer = await createReplayer({ ...options, between: [who, other] })
        replayer.keepReplaying(who, 30_000, () => replayer.stream(other, who).slice(-20))
        return replayer
      }
      default: {
        const forger = await createForger({ ...options, to: who, posingAs: other })
        forger.attack()
        return forger
      }
    }
  }

  /** A few hundred messages of one sort, some a second: each of its hosts is soon in a hurry. */
  async function intrude(who: string): Promise<HostilePeer> {
    const intruder = await createMailboxIntruder({ mesh, name: `intruder-${++visits}`, hosts: dice.between(1, 3) })
    const what = dice.pick(Object.keys(MAILBOX_INTRUSIONS) as MailboxIntrusion[])
    intruder.intrude(what, { to: who, count: 200, everyMs: dice.pick([20, 1_000]) })
    return intruder
  }

  async function welcome(guest: HostilePeer): Promise<void> {
    guests.push(guest)
    if (guests.length > MAX_GUESTS) await guests.shift()?.leave()
  }

  async function rollBack(who: string): Promise<void> {
    if (mesh.isAsleep(who)) return
    const kept = images.get(who)
    if (kept === undefined || dice.chance(0.5)) images.set(who, await mesh.disk(who).snapshot())
    else await mesh.rollBack(who, kept)
  }

  async function restore(who: string): Promise<void> {
    if (mesh.isAsleep(who)) return
    const kept = backups.get(who)
    if (kept !== undefined && dice.chance(0.5)) {
      await mesh.restore(who, kept)
      lost.add(who)
      // What was copied of the old home is another device.
      images.delete(who)
      return
    }
    // A process that dies over it never answers.
    mesh.backUp(who).then(
      (backup) => backup !== null && backups.set(who, backup),
      () => undefined,
    )
    await mesh.atRest()
  }

  /** Where who lost nothing, of somebody who did. */
  async function startLost(who: string): Promise<void> {
    const [whose] = lost.has(who) ? [who] : lost
    if (whose === undefined) return
    lost.delete(whose)
    await mesh.startLost(whose)
  }

  const effects: { readonly [name in FaultName]: (who: string, other: string) => void | Promise<void> } = {
    crash: (who) => mesh.crash(who),
    'crash-at-effect': (who) => mesh.crashAt(who, dice.between(1, 20), dice.pick(['before', 'after'])),
    'crash-before-write': (who) => planned(who, 'crash-before'),
    'crash-after-write': (who) => planned(who, 'crash-after'),
    async 'crash-during-write'(who) {
      mesh.disk(who).writeMs = 200
      await mesh.advance(dice.below(400))
      mesh.crash(who)
      mesh.disk(who).writeMs = 0
    },
    async restart(who) {
      if (mesh.isAsleep(who)) return
      if (mesh.people.has(who)) await mesh.stop(who)
      else await start(who)
    },
    sleep,
    offline(who) {
      if (away.delete(who)) mesh.reconnect(who)
      else {
        away.add(who)
        mesh.disconnect(who)
      }
    },
    partition: (who, other) => mesh.partition(who, other),
    'one-way': (who, other) => mesh.partition(who, other, { oneWay: true }),
    heal: () => mesh.heal(),
    reset: (who, other) => mesh.reset(who, other),
    'disk-full': (who) => planned(who, 'ENOSPC'),
    'disk-error': (who) => planned(who, 'EIO'),
    'read-error': (who) => mesh.disk(who).failReads(dice.below(30), dice.between(1, 40)),
    'slow-disk'(who) {
      mesh.disk(who).writeMs = dice.pick([0, 2, 20, 500])
    },
    'slow-network'() {
      mesh.faults = { ...smooth, latencyMs: () => dice.between(1, 3_000), bytesPerMs: () => 2 }
    },
    'uneven-network'() {
      mesh.faults = { ...smooth, latencyMs: () => dice.between(1, 300), refuses: () => dice.chance(0.5) }
    },
    'lossy-network'() {
      mesh.faults = { ...smooth, tamper: lossy(), gossip: lossy() }
    },
    'no-gossip'() {
      mesh.faults = { ...mesh.faults, gossip: mesh.faults.gossip === nothing ? smooth.gossip : nothing }
    },
    'clock-ahead'(who) {
      mesh.wall(who).skewMs = dice.below(12 * HOUR)
    },
    'clock-behind'(who) {
      mesh.wall(who).skewMs = -dice.below(12 * HOUR)
    },
    'clock-jump'(who) {
      mesh.wall(who).skewMs += dice.between(-HOUR, HOUR)
    },
    'clock-stop'(who) {
      const wall = mesh.wall(who)
      wall.stoppedAt = wall.stoppedAt === null ? mesh.now + wall.skewMs : null
    },
    'hostile-visit': async (who, other) => welcome(await visit(who, other)),
    'mailbox-visit': async (who) => welcome(await intrude(who)),
    'roll-back': rollBack,
    restore,
    'lost-machine': startLost,
  }

  return {
    async strike(fault, who, other) {
      mesh.history.note('fault', fault, who, other)
      await effects[fault](who, other)
    },
    async clear() {
      mesh.history.note('calm')
      for (const guest of guests.splice(0)) await guest.leave()
      mesh.faults = smooth
      mesh.heal()
      for (const name of people) {
        mesh.disk(name).failNever()
        mesh.disk(name).writeMs = 0
        mesh.crashAt(name, Number.POSITIVE_INFINITY, 'before')
        Object.assign(mesh.wall(name), { skewMs: 0, stoppedAt: null })
        mesh.wake(name)
        if (away.delete(name)) mesh.reconnect(name)
        await start(name)
      }
    },
  }
}
