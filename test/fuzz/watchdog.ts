import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'

/** How long one input may keep the other thread busy before the run is given up, ms. */
const PATIENCE_MS = 20_000
const HEAD_BYTES = 16
const MAX_INPUT_BYTES = 1 << 17

/** Sees from another thread that an input hangs, which the thread that runs it cannot. */
export interface Watchdog {
  trying(input: Uint8Array): void
  /** From now on these inputs are of this target; null: nothing is tried. */
  watch(target: string | null): void
}

/** A worker that ends the process with the input that hangs. */
export function startWatchdog(): Watchdog {
  const shared = new SharedArrayBuffer(HEAD_BYTES + MAX_INPUT_BYTES)
  const [counter, bytes] = [new Int32Array(shared, 0, 4), new Uint8Array(shared, HEAD_BYTES)]
  const worker = new Worker(new URL(import.meta.url), { workerData: shared })
  worker.unref()
  return {
    trying(input) {
      const length = Math.min(input.length, MAX_INPUT_BYTES)
      bytes.set(length === input.length ? input : input.subarray(0, length))
      counter[1] = length
      counter[0] = ((counter[0] as number) + 1) | 0
    },
    watch(target) {
      counter[2] = target === null ? 0 : 1
      counter[0] = ((counter[0] as number) + 1) | 0
      worker.postMessage(target)
    },
  }
}

function guard(shared: SharedArrayBuffer, port: MessagePort): void {
  const [counter, bytes] = [new Int32Array(shared, 0, 4), new Uint8Array(shared, HEAD_BYTES)]
  let target = ''
  let seen = 0
  port.on('message', (name: string | null) => (target = name ?? ''))
  setInterval(() => {
    if (counter[2] === 1 && counter[0] === seen) {
      const input = Buffer.from(bytes.slice(0, counter[1])).toString('hex')
      process.stdout.write(`${target}: hangs\n  npm run fuzz -- --target ${target} --input ${input}\n`, () =>
        process.kill(process.pid, 'SIGKILL'),
      )
    }
    seen = counter[0] as number
  }, PATIENCE_MS)
}

if (!isMainThread && parentPort !== null && workerData instanceof SharedArrayBuffer) guard(workerData, parentPort)
