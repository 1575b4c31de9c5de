import { toHex } from '../../lib/bytes.ts'
import { type Entry, entryOf, mutated } from './mutate.ts'
import { createDice, type Dice } from './random.ts'
import { judge, quickForm, type Target, type Verdict } from './target.ts'

export interface FuzzOptions {
  readonly runs: number
  readonly seed: number
  /** Ends earlier after this many seconds. */
  readonly seconds?: number
  /** More inputs to start from. */
  readonly kept?: Iterable<Uint8Array>
  /** Told before each input that is tried, so that somebody else knows which one hangs. */
  readonly trying?: (input: Uint8Array) => void
  /** Told every few seconds. */
  readonly progress?: (done: Progress) => void
  /** Told of each input that was handled in a way that none before was. */
  readonly found?: (input: Uint8Array) => void
}

export interface Progress {
  readonly inputs: number
  readonly perSecond: number
  readonly accepted: number
  /** Inputs from which others are made. */
  readonly corpus: number
}

export interface Fuzzed extends Progress {
  readonly failure: {
    readonly input: Uint8Array
    readonly why: string
    readonly at: number
    /** The target, in the form that failed. */
    readonly target: Target
  } | null
}

const PROGRESS_MS = 3_000
/** Inputs that are kept at most; what comes later takes the place of one of the found, never of a seed. */
const MAX_CORPUS = 512
/** So many inputs meet the real cryptography where a target has a quick form too, and one of so many after them. */
const REAL_FIRST = 100_000
const REAL_EVERY = 256
/** Every so often the target's input is compared with what it was. */
const LOOK_EVERY = 64

/**
 * Feeds a target with inputs that follow from `seed`, until one is handled wrongly. Which way an input was handled is
 * told by the words of its refusal: an input that is refused (or taken) as none was before is kept and changed further.
 */
export async function fuzz(target: Target, options: FuzzOptions): Promise<Fuzzed> {
  const dice = createDice(options.seed)
  const quick = quickForm(target)
  const corpus: Entry[] = [...target.seeds, ...(options.kept ?? [])].map(entryOf)
  const fixed = corpus.length
  const ways = new Set<string>()
  const started = performance.now()
  let reported = started
  let accepted = 0

  function soFar(inputs: number): Progress {
    const perSecond = Math.round((inputs / Math.max(1, performance.now() - started)) * 1000)
    return { inputs, perSecond, accepted, corpus: corpus.length }
  }

  for (let i = 0; i < options.runs; i++) {
    const input = mutated(dice.pick(corpus), corpus, dice, target.text === true)
    options.trying?.(input)
    const copy = i % LOOK_EVERY === 0 ? input.slice() : null
    const form = i < REAL_FIRST || i % REAL_EVERY === 0 ? target : quick
    const judged = judge(form, input)
    const verdict = judged instanceof Promise ? await judged : judged
    const why = copy !== null && Buffer.compare(copy, input) !== 0 ? 'writes into its input' : faultOf(verdict)
    if (why !== null) return { ...soFar(i + 1), failure: { input, why, at: i, target: form } }
    if (verdict.kind === 'accepted') accepted++
    else if (!ways.has(verdict.why) && ways.size < 4 * MAX_CORPUS) {
      ways.add(verdict.why)
      keep(corpus, fixed, input, dice)
      options.found?.(input)
    }
    if (verdict.kind === 'accepted' && dice.below(256) === 0) keep(corpus, fixed, input, dice)
    if ((i & 255) !== 0) continue
    const now = performance.now()
    if (options.seconds !== undefined && now - started > options.seconds * 1000)
      return { ...soFar(i + 1), failure: null }
    if (now - reported < PROGRESS_MS) continue
    reported = now
    options.progress?.(soFar(i + 1))
  }
  return { ...soFar(options.runs), failure: null }
}

function faultOf(verdict: Verdict): string | null {
  return verdict.kind === 'failed' ? verdict.why : null
}

function keep(corpus: Entry[], fixed: number, input: Uint8Array, dice: Dice): void {
  if (input.length > 16_384) return
  const entry = entryOf(input.slice())
  if (corpus.length < fixed + MAX_CORPUS) corpus.push(entry)
  else corpus[fixed + dice.below(MAX_CORPUS)] = entry
}

const MAX_SHRINKS = 4_000

/** A shorter and plainer input that is handled wrongly in the same way, as far as a few thousand attempts find one. */
export async function shrink(target: Target, input: Uint8Array, why: string): Promise<Uint8Array> {
  const kind = kindOf(why)
  let attempts = 0
  const fails = async (candidate: Uint8Array): Promise<boolean> => {
    attempts++
    const verdict = await judge(target, candidate)
    return verdict.kind === 'failed' && kindOf(verdict.why) === kind
  }
  let best = input
  for (let size = best.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.length && attempts < MAX_SHRINKS; ) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)])
      if (await fails(new Uint8Array(shorter))) best = new Uint8Array(shorter)
      else at += size
    }
  }
  for (let at = 0; at < best.length && attempts < MAX_SHRINKS; at++) {
    if (best[at] !== 0 && (await fails(best.with(at, 0)))) best = best.with(at, 0)
  }
  return best
}

/** The kind of a fault without its numbers and texts. */
function kindOf(why: string): string {
  return why.replace(/\d+/g, '#').slice(0, 40)
}

/** How an input is given on a command line. */
export function replayOf(target: Target, input: Uint8Array): string {
  return `npm run fuzz -- --target ${target.name} --input ${toHex(input)}`
}
