import type { Logger } from '../../node/api.ts'
import { createMesh, type SimulatedMesh } from '../../node/mesh/index.ts'
import { createDice } from '../../node/mesh/simulated/dice.ts'
import type { DiskFault, DiskImage } from '../../node/mesh/simulated/disk.ts'

/** What a day among four people is made of; every fault can be left out. */
export interface DayOptions {
  /** From two to four. */
  readonly people?: number
  readonly hours?: number
  readonly faults?: readonly Fault[]
  /** How far clocks are off at most, ms. */
  readonly skewMs?: number
  /** So many random things in an hour. */
  readonly pace?: number
  /** By default `fast`. */
  readonly primitives?: 'real' | 'fast'
}

export type Fault = 'crash' | 'restart' | 'sleep' | 'offline' | 'partition' | 'reset' | 'disk' | 'slow' | 'roll-back'

export const FAULTS: readonly Fault[] = ['crash', 'restart', 'sleep', 'offline', 'partition', 'reset', 'disk', 'slow']

/** How a day ended. */
export interface Day {
  /** What is wrong; nothing when all is well. */
  readonly complaints: readonly string[]
  /** SHA-256 of everything that happened. */
  readonly digest: string
  readonly lines: readonly string[]
  readonly accepted: number
  readonly virtualMs: number
  readonly steps: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NAMES = ['alice', 'bob', 'carol', 'dave'] as const

interface Sent {
  readonly from: string
  readonly to: string
  readonly text: string
}

/** People write to each other while things go wrong; then nothing does any more, and everything must have arrived. */
export async function runDay(seed: string, options: DayOptions = {}): Promise<Day> {
  const people = NAMES.slice(0, options.people ?? NAMES.length)
  const { hours = 24, faults = FAULTS, pace = 12, skewMs = 0 } = options
  const dice = createDice(`day ${seed}`)
  const skews = new Map(people.map((name) => [name as string, skewMs === 0 ? 0 : dice.between(-skewMs, skewMs)]))
  const complaints: string[] = []
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (fields, message) => {
      if (message === 'a job of the driver failed' || message === 'the store cannot be read') {
        complaints.push(`${message}: ${JSON.stringify(fields)}`)
      }
    },
  }
  await using mesh = await createMesh({
    nodes: people,
    network: 'simulated',
    primitives: options.primitives ?? 'fast',
    contacts: true,
    seed,
    logger,
    clockSkewMs: (name) => skews.get(name) ?? 0,
  })
  const began = mesh.now
  const smooth = mesh.faults
  const accepted: Sent[] = []
  const images = new Map<string, DiskImage>()
  const wentBack = new Set<string>()
  const asleep = new Set<string>()
  const away = new Set<string>()
  let written = 0

  async function say(from: string, to: string): Promise<void> {
    if (!mesh.people.has(from) || asleep.has(from)) return
    const text = `${from} ${++written}`
    // A process that dies never answers; whoever asked it does not know.
    mesh
      .person(from)
      .send(to, text)
      .then(
        () => accepted.push({ from, to, text }),
        () => undefined,
      )
    await mesh.atRest()
  }

  async function up(name: string): Promise<void> {
    if (mesh.people.has(name)) return
    await mesh.start(name, { moved: dice.chance(0.3) })
    await mesh.atRest()
  }

  async function act(): Promise<void> {
    const who = dice.pick(people)
    const other = dice.pick(people.filter((each) => each !== who))
    if (dice.chance(0.6)) {
      for (let burst = dice.chance(0.1) ? dice.between(2, 30) : 1; burst > 0; burst--) await say(who, other)
      return
    }
    const fault = dice.pick(faults)
    switch (fault) {
      case 'crash':
        mesh.crash(who)
        asleep.delete(who)
        return
      case 'restart':
        if (mesh.people.has(who) && !asleep.has(who)) await mesh.stop(who)
        else await up(who)
        return
      case 'sleep':
        if (asleep.delete(who)) mesh.wake(who)
        else if (mesh.people.has(who)) {
          asleep.add(who)
          mesh.sleep(who)
        }
        return
      case 'offline':
        if (away.delete(who)) mesh.reconnect(who)
        else {
          away.add(who)
          mesh.disconnect(who)
        }
        return
      case 'partition':
        if (dice.chance(0.4)) mesh.heal()
        else mesh.partition(who, other, { oneWay: dice.chance(0.3) })
        return
      case 'reset':
        mesh.reset(who, other)
        return
      case 'disk':
        mesh.disk(who).writeMs = dice.pick([0, 0, 2, 20, 500])
        mesh
          .disk(who)
          .failAt(dice.between(1, 6), dice.pick<DiskFault>(['crash-before', 'crash-after', 'ENOSPC', 'EIO']))
        return
      case 'slow': {
        const worst = dice.pick([20, 200, 3_000])
        const refusals = dice.pick([0, 0.2, 0.5])
        mesh.faults = {
          ...smooth,
          latencyMs: () => dice.between(1, worst),
          refuses: () => dice.chance(refusals),
          bytesPerMs: () => (worst === 3_000 ? 2 : Number.POSITIVE_INFINITY),
        }
        return
      }
      case 'roll-back': {
        if (asleep.has(who)) return
        const kept = images.get(who)
        if (kept === undefined || dice.chance(0.5)) {
          images.set(who, await mesh.disk(who).snapshot())
          return
        }
        mesh.crash(who)
        await mesh.disk(who).rollBack(kept)
        wentBack.add(who)
      }
    }
  }

  await mesh.settled()
  for (const end = began + hours * HOUR; mesh.now < end; ) {
    await act()
    await mesh.advance(dice.chance(0.5) ? dice.below(2_000) : dice.below((4 * HOUR) / pace))
    for (const name of people) if (!mesh.people.has(name) && dice.chance(0.2)) await up(name)
  }

  mesh.faults = smooth
  mesh.heal()
  for (const name of people) {
    mesh.disk(name).failNever()
    mesh.disk(name).writeMs = 0
    if (asleep.delete(name)) mesh.wake(name)
    if (away.delete(name)) mesh.reconnect(name)
    await up(name)
  }
  await mesh.advance(20 * MINUTE)
  const calm = accepted.length
  for (const from of people) for (const to of people) if (from !== to) await say(from, to)
  await mesh.settled().catch((error: Error) => complaints.push(error.message))
  for (const error of mesh.errors) complaints.push(`a handler threw ${String(error)}`)
  for (const from of people) {
    for (const to of people)
      if (from !== to) complaints.push(...(await missed(mesh, { from, to, accepted, wentBack, calm })))
  }
  const { history, now, steps } = mesh
  return {
    complaints,
    digest: history.digest(),
    lines: history.lines,
    accepted: accepted.length,
    virtualMs: now - began,
    steps,
  }
}

/** What is not as it should be with what one wrote to the other. */
async function missed(
  mesh: SimulatedMesh,
  day: {
    readonly from: string
    readonly to: string
    readonly accepted: readonly Sent[]
    readonly wentBack: ReadonlySet<string>
    /** Where in `accepted` begins what was written when all was well again. */
    readonly calm: number
  },
): Promise<string[]> {
  const { from, to, accepted, wentBack, calm } = day
  const complaints: string[] = []
  const way = `${from} to ${to}`
  // A machine that went back in time may lose what it wrote before it noticed; not what it writes when all is well again.
  const expected = accepted.filter(
    (sent, i) => sent.from === from && sent.to === to && (i >= calm || !wentBack.has(from)),
  )
  const texts = expected.map(({ text }) => text)
  const shown = (await mesh.person(to).messages(from, { last: 100_000 }))
    .filter((message) => message.from === mesh.person(from).identity.account)
    .map(({ text = '?' }) => text)
  const counts = new Map<string, number>()
  for (const text of shown) counts.set(text, (counts.get(text) ?? 0) + 1)
  for (const [text, count] of counts) if (count > 1) complaints.push(`${way}: "${text}" is shown ${count} times`)
  for (const text of texts) if (!counts.has(text)) complaints.push(`${way}: "${text}" was accepted and is missing`)
  const known = new Set(texts)
  if (wentBack.size === 0 && shown.filter((text) => known.has(text)).join() !== texts.join()) {
    complaints.push(`${way}: another order than written`)
  }
  const own = await mesh.person(from).messages(to, { last: 100_000 })
  for (const { text = '?', state } of own) {
    if (known.has(text) && state !== 'delivered' && state !== 'read') {
      complaints.push(`${way}: "${text}" is ${state} to its author`)
    }
  }
  const { dropped } = await mesh.person(from).status()
  for (const reason of Object.keys(dropped)) {
    if (/^(?:seal|timer|settle)/.test(reason)) complaints.push(`${from}: something failed inside (${reason})`)
  }
  return complaints
}
