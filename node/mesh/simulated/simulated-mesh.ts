import type { Node } from '../../api.ts'
import type { Mesh, MeshOptions } from '../index.ts'
import type { Wall } from './clock.ts'
import type { Disk, DiskImage } from './disk.ts'
import type { FaultName } from './faults.ts'
import type { History } from './history.ts'
import type { NetworkFaults } from './network.ts'
import type { SimulatedBackup } from './person.ts'

export interface SimulatedMeshOptions extends Omit<MeshOptions, 'contacts' | 'gossip' | 'network'> {
  readonly network: 'simulated'
  /** Whether everybody has accepted everybody before the start, or who has; asked once for each two. */
  readonly contacts?: boolean | ((a: string, b: string) => boolean)
  /** How far somebody's clock is ahead, ms; by default all are right. */
  clockSkewMs?(name: string): number
  /**
   * `fast` replaces what takes a curve or a lattice by hashes of public values: a simulated day takes half the time, and
   * nothing in it is secret. By default `real`.
   */
  readonly primitives?: 'real' | 'fast'
}

/**
 * Whole nodes over a simulated clock, network and disks: the same seed and the same calls give the same history. Time
 * stands still but for `advance`, `settled`, `introduce` and `stop`; what takes no time (commands, with disks that take
 * none) is answered without them.
 */
export interface SimulatedMesh extends Mesh {
  /** Somebody's account, also while they are away. */
  accountOf(name: string): string
  /** Somebody's PeerId. */
  peerIdOf(name: string): string
  /** ms since the epoch. */
  readonly now: number
  /** What `now` was at first. */
  readonly began: number
  /** Lets time pass, with everything that happens meanwhile. */
  advance(ms: number): Promise<void>
  /** Resolves when nothing is left to be done now; timers and what is on its way wait for `advance`. */
  atRest(): Promise<void>
  /** Nothing gets from one to the other any more, with `oneWay` only in this direction. Their links break after a while. */
  partition(a: string, b: string, options?: { oneWay?: boolean }): void
  /** Ends all partitions. */
  heal(): void
  /** Ends the links between two people at once; what is on its way is lost. */
  reset(a: string, b: string): void
  /** Somebody's process dies at once. What was asked of its node is never answered. */
  crash(name: string): void
  /** Somebody's machine stands still and hears nothing. */
  sleep(name: string): void
  wake(name: string): void
  /** Takes somebody's network away. */
  disconnect(name: string): void
  reconnect(name: string): void
  disk(name: string): Disk
  /**
   * Somebody's process dies just before or just after the so-manieth thing from now on that it does outside of itself: a
   * batch on disk, a message, a dial, a question to the DHT. 1 is the next.
   */
  crashAt(name: string, effect: number, moment: 'before' | 'after'): void
  /** How many such things somebody has done. */
  effects(name: string): number
  /** What the clock on somebody's machine shows; assign to its members to set or to stop it. */
  wall(name: string): Wall
  /** Timers and connections of somebody's process; null when there is none. */
  load(name: string): { readonly timers: number; readonly links: number } | null
  /** Kills somebody's process and puts an earlier copy of the disk back. */
  rollBack(name: string, image: DiskImage): Promise<void>
  /** A backup of somebody's account as it is now; null while no process runs. */
  backUp(name: string): Promise<SimulatedBackup | null>
  /** Somebody loses the home, and a new device is made of a backup at the next start. */
  restore(name: string, backup: SimulatedBackup): Promise<void>
  /** The machine that somebody lost last is started again, beside the one that took its place; at most once. */
  startLost(name: string): Promise<void>
  /** Machines that were lost and started again, by whose they were. */
  readonly returned: readonly { readonly who: string; readonly name: string; readonly node: Node }[]
  /**
   * Plaintext that was seen outside of a node, private keys of an account or device or a master key on a disk, and keys that
   * sealed two texts with one nonce; nothing, hopefully.
   */
  leaks(): Promise<readonly string[]>
  /**
   * Something goes wrong that has a name (`FAULTS`); `who` and `other` are whom it strikes. What a fault leaves to chance
   * follows from the seed. Some take time, as a stop does.
   */
  strike(fault: FaultName, who: string, other?: string): Promise<void>
  /** Whether somebody's machine stands still. */
  isAsleep(name: string): boolean
  /** Ends everything that `strike` began, and brings everybody back. */
  calm(): Promise<void>
  /** What goes wrong on the network; assign to change it. */
  faults: NetworkFaults
  readonly history: History
  /** What threw out of a handler; nothing should. */
  readonly errors: readonly unknown[]
  /** How many times something had its turn. */
  readonly steps: number
}
