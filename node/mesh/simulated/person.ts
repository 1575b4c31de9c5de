import { base58 } from '@scure/base'
import { utf8 } from '../../../lib/bytes.ts'
import type { Primitives, Random } from '../../../lib/crypto/primitives.ts'
import type { Row } from '../../../lib/rows.ts'
import type { DeliveryMode, Logger, MailboxPolicy, PublicMode } from '../../api.ts'
import { encodeHead } from '../../backup/format.ts'
import { restoreBackup } from '../../backup/restoring.ts'
import type { BackupSeal } from '../../backup/taking.ts'
import { native } from '../../crypto.ts'
import type { Driver } from '../../driver.ts'
import { composeNode } from '../../node.ts'
import { peerIdText } from '../../peer-id.ts'
import { createMemoryStore } from '../../store/memory-store.ts'
import { createSealedStore } from '../../store/sealed-store.ts'
import type { Newcomer } from '../acquaintance.ts'
import type { Person, Running } from '../person.ts'
import type { SimulatedClock, Wall } from './clock.ts'
import { createDisk, type Disk, type DiskImage, imageOf } from './disk.ts'
import type { GroupLedger } from './group-ledger.ts'
import type { History } from './history.ts'
import type { Internet } from './network.ts'
import { recordingNode } from './recording.ts'
import type { Watch } from './watch.ts'
import type { Around } from './wires.ts'

/** Somebody in a simulated mesh. */
export interface SimulatedPerson extends Person {
  readonly disk: Disk
  /** Whether there is a process: also while it starts or stops. */
  readonly up: boolean
  /** The process dies at once: nothing is written, nobody is told, and what was asked of it is never answered. */
  crash(): void
  readonly asleep: boolean
  /** The machine sleeps: nothing runs, nothing is heard, and other people's links to it break after a while. */
  setAsleep(asleep: boolean): void
  /** Its network is taken away, or comes back. */
  setOffline(offline: boolean): void
  /** What the machine's clock shows; it outlives processes. */
  readonly wall: Wall
  /** Things that the process did outside of itself in this life. */
  readonly effects: number
  /** The process dies just before or just after the so-manieth thing from now on that it does outside of itself. */
  crashAt(effect: number, moment: 'before' | 'after'): void
  /** What is pending in its process; null when there is none. */
  readonly load: { readonly timers: number; readonly links: number } | null
  /** A backup of the account as it is now; null while no process runs. */
  backUp(): Promise<SimulatedBackup | null>
  readonly peerId: string
  /** The home is lost, and in its place is another, with another device, made of the backup. Gives what was lost. */
  loseHome(backup: SimulatedBackup): Promise<LostHome>
  /** What its store is sealed with. */
  readonly masterKey: Uint8Array
  /** Private keys that must never be anywhere in clear. */
  secrets(): readonly Uint8Array[]
}

/** The file of a backup, and when it was made, ms since the epoch. */
export interface SimulatedBackup {
  readonly at: number
  readonly seal: BackupSeal
  readonly portions: readonly Uint8Array[]
}

/** A machine that nobody uses any more, with everything on it. */
export interface LostHome {
  readonly image: DiskImage
  readonly masterKey: Uint8Array
  readonly peerSeed: Uint8Array
}

export interface SimulatedPersonOptions {
  /** What is on the machine from the beginning, in place of a new account. */
  readonly home?: LostHome
  readonly newcomer: Newcomer
  readonly primitives: Primitives
  readonly random: Random
  readonly clock: SimulatedClock
  readonly internet: Internet
  readonly history: History
  readonly skewMs: number
  readonly watch: Watch
  readonly ledger: GroupLedger
  /** The name of whoever has this account. */
  nameOf(account: string): string
  readonly delivery: DeliveryMode
  readonly publicMode: PublicMode
  /** For whom it keeps a mailbox, if it does. */
  readonly mailbox: MailboxPolicy | undefined
  readonly logger: Logger
  /** Rows that are added before the first start. */
  acquaintances(): readonly Row[]
  /** The process died by a fault of its disk. */
  died(): void
}

/** A proof of work takes the time of the machine that simulates: it is asked for, and is cheap. */
const STAMP_BITS = 8

/** One life of somebody's process. */
interface Life {
  timers(): number
  readonly starting: Promise<Running>
  running: Running | null
  stopping: Promise<void> | null
  kill(): void
  freeze(): void
  thaw(): void
  /** The network is there again. */
  returned(): void
}

async function* inOrder(portions: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* portions
}

/** PeerId of a seed: its text and the bytes of its multihash. */
export function peerOf(seed: Uint8Array): { readonly peerId: string; readonly peer: Uint8Array } {
  const peerId = peerIdText(native.signing.fromSeed(seed).publicKey)
  return { peerId, peer: base58.decode(peerId) }
}

export function createSimulatedPerson(options: SimulatedPersonOptions): SimulatedPerson {
  const { newcomer, random, clock, internet, history, watch } = options
  const { name } = newcomer
  let peerSeed = options.home?.peerSeed ?? newcomer.peerSeed
  let { peer, peerId } = peerOf(peerSeed)
  const masterKey = options.home?.masterKey ?? random.bytes(32)
  const disk = createDisk({ name, history, watch, now: () => clock.now })
  const atRest = watch.sealing(native)
  const wall: Wall = { skewMs: options.skewMs, stoppedAt: null }
  let effects = 0
  let deadly: { at: number; readonly moment: 'before' | 'after' } | null = null
  let moves = 0
  let prepared = false
  let life: Life | null = null
  let asleep = false
  let offline = false

  function begin(): Life {
    const process = clock.process(wall)
    const around = dyingAround(() => life === begun)
    const network = internet.attach({
      name,
      peer,
      address: utf8(`/simulated/${name}/${moves}`),
      mailbox: options.mailbox !== undefined,
      clock: process,
      around,
    })
    const { store: raw, kill } = disk.open({ clock: process, around, die: crash })
    const store = options.ledger.watching(name, createSealedStore(raw, { primitives: atRest, random, masterKey }))

    async function open(): Promise<Running> {
      if (!prepared && options.home === undefined) await store.write([...newcomer.rows, ...options.acquaintances()])
      prepared = true
      const driving = Promise.withResolvers<Driver>()
      const node = await composeNode({
        store,
        network,
        peerId,
        clock: process,
        random,
        primitives: options.primitives,
        delivery: options.delivery,
        publicMode: options.publicMode,
        ...(options.mailbox !== undefined && { mailbox: options.mailbox, mailboxLimits: { stampBits: STAMP_BITS } }),
        logger: watched(options.logger),
        version: 'simulated',
        bootstrap: () => [],
        rememberBootstrap: () => undefined,
        closed: async () => undefined,
        observer: { driving: driving.resolve, cameToRest: () => undefined },
      })
      const recorded = recordingNode(node, {
        name,
        history,
        ledger: options.ledger,
        nameOf: options.nameOf,
        lives: () => life === begun,
      })
      const running: Running = { node: recorded, network, driver: await driving.promise }
      begun.running = running
      return running
    }

    const begun: Life = {
      timers: () => process.pending,
      starting: open(),
      running: null,
      stopping: null,
      kill() {
        process.kill()
        network.die()
        kill()
      },
      freeze: process.freeze,
      thaw: process.thaw,
      returned: () => process.soon(network.returned),
    }
    return begun
  }

  /** What is on the disk of a home that is made of a backup. */
  async function homeOf({ at, seal, portions }: SimulatedBackup): Promise<DiskImage> {
    const raw = createMemoryStore()
    const store = createSealedStore(raw, { primitives: atRest, random, masterKey })
    const now = wall.stoppedAt ?? clock.now + wall.skewMs
    const unlock = async (): Promise<Uint8Array> => seal.key
    await restoreBackup(inOrder(portions), store, {
      primitives: options.primitives,
      random,
      now,
      run: clock.runOf(now),
      unlock,
    })
    return imageOf(raw, at)
  }

  function dyingAround(lives: () => boolean): Around {
    return (effect, run) => {
      // The first start is not over yet, or the process died before.
      if (deadly === null || !lives()) {
        effects++
        return run()
      }
      effects++
      const { moment } = deadly
      const dies = --deadly.at === 0
      if (dies) {
        deadly = null
        history.note('dies', name, moment, effect)
      }
      if (dies && moment === 'before') {
        crash()
        return undefined
      }
      const result = run()
      if (dies) crash()
      return result
    }
  }

  function watched(logger: Logger): Logger {
    const passing =
      (level: keyof Logger) =>
      (fields: Readonly<Record<string, unknown>>, message: string): void => {
        watch.logged(name, fields, message)
        logger[level](fields, message)
      }
    return { debug: passing('debug'), info: passing('info'), warn: passing('warn') }
  }

  function crash(): void {
    if (life === null) return
    history.note('crash', name)
    life.kill()
    life = null
    asleep = false
    internet.setOffline(name, offline)
    options.died()
  }

  async function stop(ending: Life): Promise<void> {
    const running = await ending.starting
    history.note('stop', name)
    ending.running = null
    await running.node.stop()
    ending.kill()
    if (life === ending) life = null
  }

  return {
    name,
    account: newcomer.self.accountRecord.account,
    disk,
    masterKey,
    wall,
    get peerId() {
      return peerId
    },
    get asleep() {
      return asleep
    },
    get effects() {
      return effects
    },
    crashAt(effect, moment) {
      deadly = { at: effect, moment }
    },
    async backUp() {
      const node = life?.running?.node
      if (node === undefined) return null
      const seal = { key: random.bytes(32), head: encodeHead(random.bytes(32)) }
      const at = clock.now
      const portions: Uint8Array[] = []
      for await (const portion of node.backup(seal)) portions.push(portion)
      return { at, seal, portions }
    },
    async loseHome(backup) {
      crash()
      const lost = { image: await disk.snapshot(), masterKey, peerSeed }
      await disk.rollBack(await homeOf(backup))
      // Another machine has another name in the network.
      peerSeed = random.bytes(32)
      ;({ peer, peerId } = peerOf(peerSeed))
      return lost
    },
    get load() {
      if (life === null || life.running === null) return null
      return { timers: life.timers(), links: life.running.network.status().connections }
    },
    secrets() {
      const { accountKey, deviceKey, identityKey } = newcomer.self
      return [masterKey, accountKey.exportSeed(), deviceKey.exportSeed(), identityKey.exportPrivate()]
    },
    get up() {
      return life !== null
    },
    get running() {
      return life?.running ?? null
    },
    start(moved = false) {
      if (life !== null) throw new TypeError(`${name} is up already`)
      if (moved) moves++
      history.note('start', name)
      const begun = begin()
      life = begun
      begun.starting.catch(() => {
        if (life === begun) life = null
      })
      return begun.starting
    },
    async stop() {
      if (life === null) return
      if (asleep) throw new TypeError(`${name} is asleep: wake it before it is stopped`)
      life.stopping ??= stop(life)
      await life.stopping
    },
    crash,
    setAsleep(sleeps) {
      if (sleeps === asleep) return
      asleep = sleeps
      history.note(sleeps ? 'sleep' : 'wake', name)
      internet.setOffline(name, sleeps || offline)
      if (sleeps) life?.freeze()
      else life?.thaw()
      if (!sleeps && !offline) life?.returned()
    },
    setOffline(isOffline) {
      if (isOffline === offline) return
      offline = isOffline
      history.note(isOffline ? 'offline' : 'online', name)
      internet.setOffline(name, offline || asleep)
      if (!offline && !asleep) life?.returned()
    },
  }
}
