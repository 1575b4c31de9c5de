import { writeSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { fromUtf8, toHex, utf8 } from '../../lib/bytes.ts'

/** How long one input may keep the other thread busy before the run is given up, ms. */
const PATIENCE_MS = 20_000
const MAX_NAME_BYTES = 64
const MAX_INPUT_BYTES = 1 << 17

/** Sees from another thread that an input hangs, which the thread that runs it cannot. */
export interface Watchdog {
  trying(input: Uint8Array): void
  /** From now on the inputs are of this target; null: nothing is tried. */
  watch(target: string | null): void
}

/** What both threads see. */
function partsOf(shared: SharedArrayBuffer) {
  return {
    /** How many inputs there were, the length of this one, and that of the target's name (0: nothing is tried). */
    numbers: new Int32Array(shared, 0, 3),
    name: new Uint8Array(shared, 12, MAX_NAME_BYTES),
    input: new Uint8Array(shared, 12 + MAX_NAME_BYTES, MAX_INPUT_BYTES),
  }
}

/** A worker that ends the process and names the input when one hangs. */
export function startWatchdog(): Watchdog {
  const shared = new SharedArrayBuffer(12 + MAX_NAME_BYTES + MAX_INPUT_BYTES)
  const parts = partsOf(shared)
  new Worker(new URL(import.meta.url), { workerData: shared }).unref()
  return {
    trying(input) {
      const length = Math.min(input.length, MAX_INPUT_BYTES)
      parts.input.set(length === input.length ? input : input.subarray(0, length))
      parts.numbers[1] = length
      parts.numbers[0] = ((parts.numbers[0] as number) + 1) | 0
    },
    watch(target) {
      const name = utf8(target ?? '').subarray(0, MAX_NAME_BYTES)
      parts.name.set(name)
      parts.numbers[2] = name.length
    },
  }
}

function guard(shared: SharedArrayBuffer): void {
  const { numbers, name, input } = partsOf(shared)
  let seen = -1
  setInterval(() => {
    const [count = 0, length = 0, nameLength = 0] = numbers
    if (nameLength > 0 && count === seen) {
      const target = fromUtf8(name.slice(0, nameLength))
      const replay = `npm run fuzz -- --target ${target} --input ${toHex(input.slice(0, length))}`
      // the stream of this thread is written by the other one, which hangs
      writeSync(1, `${target}: hangs\n  ${replay}\n`)
      process.kill(process.pid, 'SIGKILL')
    }
    seen = count
  }, PATIENCE_MS)
}

if (!isMainThread && workerData instanceof SharedArrayBuffer) guard(workerData)
