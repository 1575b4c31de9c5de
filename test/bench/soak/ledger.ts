/** What is known of every text of a run. */
export interface Ledger {
  /** Makes the next text, from one to another. */
  write(from: number, to: number, at: number): string
  arrived(text: string, at: number, who: number): void
  /** A receipt came. One that says read may come in place of the first, and each comes once. */
  reached(text: string, state: 'delivered' | 'read'): void
  /** Arrived and told to be delivered. */
  readonly done: number
  readonly sent: number
  /** From writing to arrival of what arrived since the last call, ms. */
  latencies(): readonly number[]
  /** What did not happen exactly once, in words; at most `limit` of them. */
  faults(limit?: number): readonly string[]
}

interface Entry {
  readonly from: number
  readonly to: number
  readonly at: number
  arrivals: number
  readonly receipts: ('delivered' | 'read')[]
}

/**
 * The states that a text may have been told to reach, in their order. An event shows the message as the store has it by
 * then, so two receipts that come close to each other may both show `read`.
 */
const RECEIPTS: ReadonlySet<string> = new Set(['delivered', 'delivered,read', 'read', 'read,read'])

/** Sizes of texts, bytes: most are short. */
const SIZES = [12, 20, 40, 40, 80, 80, 160, 300, 700, 2_000] as const

export function createLedger(): Ledger {
  const entries: Entry[] = []
  const strange: string[] = []
  let recent: number[] = []
  const counted = new Set<Entry>()
  let done = 0

  function entryOf(text: string): Entry | undefined {
    return entries[Number.parseInt(text, 10)]
  }

  function count(entry: Entry): void {
    if (entry.arrivals > 0 && entry.receipts.length > 0 && !counted.has(entry)) {
      counted.add(entry)
      done++
    }
  }

  return {
    write(from, to, at) {
      const number = entries.push({ from, to, at, arrivals: 0, receipts: [] }) - 1
      return `${number} `.padEnd(SIZES[number % SIZES.length] as number, 'x')
    },
    arrived(text, at, who) {
      const entry = entryOf(text)
      if (entry === undefined || entry.to !== who) {
        strange.push(`${who} was shown a text that nobody wrote to them: ${text.slice(0, 20)}`)
        return
      }
      entry.arrivals++
      if (entry.arrivals === 1) recent.push(at - entry.at)
      count(entry)
    },
    reached(text, state) {
      const entry = entryOf(text)
      if (entry === undefined) return
      entry.receipts.push(state)
      count(entry)
    },
    get done() {
      return done
    },
    get sent() {
      return entries.length
    },
    latencies() {
      const taken = recent
      recent = []
      return taken
    },
    faults(limit = 10) {
      const wrong = entries.flatMap(({ from, to, arrivals, receipts }, number) => [
        ...(arrivals === 1 ? [] : [`text ${number} from ${from} to ${to} arrived ${arrivals} times`]),
        ...(RECEIPTS.has(receipts.join()) ? [] : [`text ${number} from ${from} to ${to} became ${receipts.join()}`]),
      ])
      return [...strange, ...wrong].slice(0, limit)
    },
  }
}
