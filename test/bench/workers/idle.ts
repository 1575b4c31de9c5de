/** How long a process is left alone before its memory is looked at, ms. */
const IDLE_MS = 500

/** Resident memory once nothing happens, MiB. */
export async function idleMemory(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  globalThis.gc?.()
  return process.memoryUsage.rss() / 2 ** 20
}
