import { quantile } from '../statistics.ts'
import { startWorker, type Worker } from '../worker.ts'
import type { MeshTasks } from '../workers/mesh.ts'
import type { SoakerTasks } from '../workers/soaker.ts'
import type { Sample } from './holdings.ts'
import { createLedger, type Ledger } from './ledger.ts'

export interface SoakOptions {
  readonly people: number
  readonly minutes: number
  /** Texts a second among all of them. */
  readonly rate: number
  readonly sampleSeconds: number
  /** A folder for what the heap of the first person holds, after a sixth of the time and at the end. */
  readonly snapshots?: string
  /** Called with each sample. */
  sampled?(sample: Sample): void
}

export interface SoakResult {
  readonly samples: readonly Sample[]
  readonly sent: number
  /** What was not delivered exactly once, in words; empty when all was. */
  readonly faults: readonly string[]
}

/** How often it is asked what happened, and how often everything is marked as read, ms. */
const TAKE_MS = 250
const READ_MS = 5_000
/** How long what is under way may take at the end, ms. */
const SETTLE_MS = 60_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))

/** Whole nodes, each a process of its own, that all know each other and write to each other for a while. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  await using stack = new AsyncDisposableStack()
  const mesh = stack.use(startWorker<MeshTasks>('mesh'))
  const bootstrap = await mesh.ask('start', 0)
  const people = Array.from({ length: options.people }, () => stack.use(startWorker<SoakerTasks>('soaker')))
  const accounts = await Promise.all(people.map((person) => person.ask('start', bootstrap)))
  await acquaint(people)

  const ledger = createLedger()
  const faults: string[] = []
  const samples: Sample[] = []
  const start = performance.now()
  const end = start + options.minutes * 60_000

  const take = async (): Promise<void> => {
    for (const [who, person] of people.entries()) {
      for (const { kind, text, at } of await person.ask('take')) {
        if (kind === 'arrived') ledger.arrived(text, at, who)
        else if (kind === 'delivered' || kind === 'read') ledger.reached(text, kind)
        else faults.push(`${who} was alarmed: ${text}`)
      }
    }
  }
  const sample = async (): Promise<void> => {
    const minutes = (performance.now() - start) / 60_000
    const holdings = await Promise.all(people.map((person) => person.ask('hold')))
    const times = ledger.latencies()
    const arrival = times.length === 0 ? null : { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
    samples.push({ minutes, sent: ledger.sent, delivered: ledger.done, arrival, people: holdings })
    options.sampled?.(samples.at(-1) as Sample)
  }
  const every = async (ms: number, act: () => Promise<void>): Promise<void> => {
    for (let at = start + ms; at <= end + 1; at += ms) {
      await pause(at - performance.now())
      await act()
    }
  }

  const sending: Promise<void>[] = []
  let turn = 0
  const write = async (): Promise<void> => {
    const [from, to] = pairOf(turn++, people.length)
    const text = ledger.write(from, to, Date.now())
    const account = accounts[to] as string
    sending.push(
      (people[from] as Worker<SoakerTasks>).ask('send', { account, text }).catch((error: unknown) => {
        faults.push(`a text of ${from} was refused: ${String(error)}`)
      }),
    )
    if (sending.length > 100) await Promise.all(sending.splice(0))
  }
  const photographs = async (): Promise<void> => {
    if (options.snapshots === undefined) return
    await pause(start + (end - start) / 6 - performance.now())
    await people[0]?.ask('snapshot', `${options.snapshots}/early.heapsnapshot`)
  }

  await Promise.all([
    every(1000 / options.rate, write),
    every(TAKE_MS, take),
    every(READ_MS, async () => void (await Promise.all(people.map((person) => person.ask('readAll'))))),
    every(options.sampleSeconds * 1000, sample),
    photographs(),
  ])
  await Promise.all(sending)
  for (const last = performance.now() + SETTLE_MS; ledger.done < ledger.sent && performance.now() < last; ) {
    await pause(TAKE_MS)
    await take()
  }
  if (options.snapshots !== undefined) await people[0]?.ask('snapshot', `${options.snapshots}/late.heapsnapshot`)
  faults.push(...ledger.faults(), ...(await faultsOfStores(people, accounts, ledger)))
  return { samples, sent: ledger.sent, faults }
}

/** The ordered pairs of people one after the other. */
export function pairOf(turn: number, people: number): readonly [from: number, to: number] {
  const from = turn % people
  const distance = 1 + (Math.floor(turn / people) % (people - 1))
  return [from, (from + distance) % people]
}

async function acquaint(people: readonly Worker<SoakerTasks>[]): Promise<void> {
  for (const [i, host] of people.entries()) {
    const link = await host.ask('invite')
    for (const guest of people.slice(i + 1)) await guest.ask('add', link)
  }
  for (const last = performance.now() + 60_000; ; await pause(50)) {
    const friends = await Promise.all(people.map((person) => person.ask('friends')))
    if (friends.every((count) => count === people.length - 1)) return
    if (performance.now() > last) throw new Error(`not everybody was accepted within a minute: ${friends.join(' ')}`)
  }
}

/** What the stores of both sides have of each conversation: every text once at its author and once at its reader. */
async function faultsOfStores(
  people: readonly Worker<SoakerTasks>[],
  accounts: readonly string[],
  ledger: Ledger,
): Promise<readonly string[]> {
  const faults: string[] = []
  const [own, theirs] = [new Set<string>(), new Set<string>()]
  for (const [who, person] of people.entries()) {
    for (const account of accounts.filter((_, i) => i !== who)) {
      for (const { text, own: isOwn, state } of await person.ask('texts', account)) {
        const seen = isOwn ? own : theirs
        const number = text.split(' ', 1)[0] ?? ''
        if (seen.has(number)) faults.push(`text ${number} is twice in the store of ${who}`)
        if (isOwn && state !== 'delivered' && state !== 'read') faults.push(`text ${number} is ${state} in the store`)
        seen.add(number)
      }
    }
  }
  for (const [name, seen] of [
    ['authors', own],
    ['readers', theirs],
  ] as const) {
    if (seen.size !== ledger.sent) faults.push(`the stores of the ${name} have ${seen.size} of ${ledger.sent} texts`)
  }
  return faults.slice(0, 10)
}
