import { ProtocolError } from '../../lib/errors.ts'

/**
 * What a decoder made of an input: the same value encoded again (which must give the input), or `accepted` where that
 * cannot be demanded (`loose` says why), or `refused` where a refusal is a value and no error.
 */
export type Outcome = Uint8Array | 'accepted' | 'refused'

/** One decoder or handler that meets bytes from outside. */
export interface Target {
  readonly name: string
  /** The functions of the product that it runs, as `path#name`. */
  readonly covers: readonly string[]
  /** Valid inputs: what the real encoders or the frozen vectors give. */
  readonly seeds: readonly Uint8Array[]
  /** Throws what the decoder throws. Must not keep the input. */
  run(input: Uint8Array): Outcome | Promise<Outcome>
  /**
   * As `run` gives it, with other cryptography around the input that costs next to nothing: most of many inputs go here.
   * For what wraps the input itself, so that the same inputs are taken and refused with the same words.
   */
  readonly quick?: (input: Uint8Array) => Outcome | Promise<Outcome>
  /** Whether an error is one that the decoder may throw; a `ProtocolError` unless said otherwise. */
  readonly refuses?: (error: unknown) => boolean
  /** Nobody but the writer can make another valid input: whatever differs from the seeds must be refused. */
  readonly authenticated?: true
  /** Why more than one input may give one value. */
  readonly loose?: string
  /** Why the seeds are well-formed and refused nevertheless. */
  readonly refusesSeeds?: string
  /** One accepted input costs more than 20 µs (signatures, key agreements, files): fewer cases. */
  readonly dear?: true
  /** What holds of the seeds is looked at as text. */
  readonly text?: true
  /** Milliseconds that one input may take; 50 unless said otherwise. */
  readonly maxMs?: number
}

/** What became of an input. `why` is the message without its numbers and quotations, or what is wrong. */
export interface Verdict {
  readonly kind: 'accepted' | 'refused' | 'failed'
  readonly why: string
}

/** The target as most of many inputs meet it. */
export function quickForm(target: Target): Target {
  return target.quick === undefined ? target : { ...target, run: target.quick }
}

const MAX_MS = 50
const ACCEPTED: Verdict = { kind: 'accepted', why: '' }
const REFUSED: Verdict = { kind: 'refused', why: '' }

/** Runs a target on an input. Only a target that works asynchronously gives a promise. */
export function judge(target: Target, input: Uint8Array): Verdict | Promise<Verdict> {
  const before = performance.now()
  let outcome: Outcome | Promise<Outcome>
  try {
    outcome = target.run(input)
  } catch (error) {
    return inTime(target, input, before, refusalOf(target, error))
  }
  if (!(outcome instanceof Promise)) return inTime(target, input, before, verdictOf(target, input, outcome))
  return outcome.then(
    (value) => inTime(target, input, before, verdictOf(target, input, value)),
    (error: unknown) => inTime(target, input, before, refusalOf(target, error)),
  )
}

function refusalOf(target: Target, error: unknown): Verdict {
  const expected = target.refuses?.(error) ?? error instanceof ProtocolError
  if (expected) return { kind: 'refused', why: error instanceof Error ? withoutNumbers(error.message) : '' }
  return { kind: 'failed', why: `threw ${nameOf(error)}` }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const at = error.stack
    ?.split('\n')
    .find((line) => /\/(?:lib|node|cli)\//.test(line))
    ?.replace(/^.*\/((?:lib|node|cli)\/[^)]*).*$/, ' at $1')
  return `${error.name}: ${error.message}${at ?? ''}`
}

function verdictOf(target: Target, input: Uint8Array, outcome: Outcome): Verdict {
  if (outcome === 'refused') return REFUSED
  if (target.authenticated !== undefined && !target.seeds.some((seed) => Buffer.compare(seed, input) === 0)) {
    return { kind: 'failed', why: 'took what nobody wrote' }
  }
  if (outcome === 'accepted') return ACCEPTED
  if (Buffer.compare(outcome, input) === 0) return ACCEPTED
  const other = new TextDecoder().decode(outcome.subarray(0, 60)).replace(/[^ -~]+/g, '.')
  return { kind: 'failed', why: `encodes to other bytes than it was read from (${other})` }
}

/** A pause of the machine is no fault of the decoder: only what is slow each time is, by the time of its own thread. */
function inTime(target: Target, input: Uint8Array, before: number, verdict: Verdict): Verdict {
  const limit = target.maxMs ?? MAX_MS
  if (performance.now() - before <= limit || verdict.kind === 'failed') return verdict
  for (let again = 0; again < 4; again++) {
    const start = process.threadCpuUsage()
    try {
      const outcome = target.run(input)
      if (outcome instanceof Promise) {
        // what it waits for is not its own time
        outcome.catch(() => undefined)
        return verdict
      }
    } catch {
      // the verdict is known
    }
    const { user, system } = process.threadCpuUsage(start)
    if ((user + system) / 1000 <= limit) return verdict
  }
  return { kind: 'failed', why: `takes longer than ${limit} ms` }
}

function withoutNumbers(message: string): string {
  return message.replace(/"[^]*"/g, '""').replace(/\d+/g, '#')
}
