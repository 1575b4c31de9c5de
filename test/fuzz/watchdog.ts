import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { fromUtf8, toHex, utf8 } from '../../lib/bytes.ts'

/** So much processor time one input may take before the run is given up, ms. */
const PATIENCE_MS = 20_000
/** Where nothing is computed, an input may take so many times as long: the machine may be busy, or the process stopped. */
const IDLE_FACTOR = 30
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
    /** How many inputs there were, the length of this one, that of the target's name (0: nothing is tried), and the patience. */
    numbers: new Int32Array(shared, 0, 4),
    name: new Uint8Array(shared, 16, MAX_NAME_BYTES),
    input: new Uint8Array(shared, 16 + MAX_NAME_BYTES, MAX_INPUT_BYTES),
  }
}

/** A worker that ends the process and names the input when one hangs. Resolves when it runs. */
export async function startWatchdog(patienceMs: number = PATIENCE_MS): Promise<Watchdog> {
  const shared = new SharedArrayBuffer(16 + MAX_NAME_BYTES + MAX_INPUT_BYTES)
  const parts = partsOf(shared)
  parts.numbers[3] = patienceMs
  const worker = new Worker(new URL(import.meta.url), { workerData: shared })
  await once(worker, 'online')
  worker.unref()
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
  const patienceMs = numbers[3] as number
  let seen = -1
  let looks = 0
  let spent = process.cpuUsage()
  setInterval(() => {
    const [count = 0, length = 0, nameLength = 0] = numbers
    if (nameLength === 0 || count !== seen) {
      seen = count
      looks = 0
      spent = process.cpuUsage()
      return
    }
    const { user, system } = process.cpuUsage(spent)
    // by half of it: the clocks of the two threads are not one
    if ((user + system) / 1000 < patienceMs / 2 && ++looks < IDLE_FACTOR) return
    const target = fromUtf8(name.slice(0, nameLength))
    const replay = `npm run fuzz -- --target ${target} --input ${toHex(input.slice(0, length))}`
    // the stream of this thread is written by the other one, which hangs
    writeSync(1, `${target}: hangs\n  ${replay}\n`)
    process.kill(process.pid, 'SIGKILL')
  }, patienceMs)
}

if (!isMainThread && workerData instanceof SharedArrayBuffer) guard(workerData)
