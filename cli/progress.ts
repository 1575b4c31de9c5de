import type { Invocation } from './invocation.ts'

/** How often it is said anew how far something is, ms: nothing that is faster says anything. */
const EVERY_MS = 500

/** Says on a terminal, in one line that is gone at the end, how far something is. */
export function showProgress(
  { io, json, verbosity, show }: Invocation,
  text: () => string | undefined | Promise<string | undefined>,
): Disposable {
  if (io.stderr.isTTY !== true || json || verbosity === 'quiet') return { [Symbol.dispose]: () => undefined }
  let width = 0
  let over = false
  const write = (line: string): void => {
    io.stderr.write(`\r${line.padEnd(width)}`)
    width = line.length
  }
  const timer = setInterval(() => {
    void Promise.resolve(text()).then((line) => {
      if (!over && line !== undefined) write(show(line))
    })
  }, EVERY_MS)
  return {
    [Symbol.dispose]() {
      over = true
      clearInterval(timer)
      if (width > 0) io.stderr.write(`\r${' '.repeat(width)}\r`)
    },
  }
}

/** A number of bytes, for people. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.ceil(bytes / 1024)} KiB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

/** "1 contact", "2 contacts". */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}
