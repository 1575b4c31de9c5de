import { execFile } from 'node:child_process'
import { expect, test } from 'vitest'
import { root } from '../support/source-tree.ts'

/** What a process says, and how it ends, that tries one input under a watchdog of 200 ms. */
function trying(what: string): Promise<{ readonly signal: string | null; readonly stdout: string }> {
  const script = `import('./test/fuzz/watchdog.ts').then(async ({ startWatchdog }) => {
    const watchdog = await startWatchdog(200)
    watchdog.watch('planted')
    watchdog.trying(Uint8Array.of(1, 2))
    ${what}
    process.exit(0)
  })`
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', script], { cwd: root }, (error, stdout) =>
      resolve({ signal: error?.signal ?? null, stdout }),
    )
  })
}

test('an input that keeps a process busy ends it, and is named', async () => {
  const { signal, stdout } = await trying('for (const end = Date.now() + 20_000; Date.now() < end; );')
  expect(signal).toBe('SIGKILL')
  expect(stdout).toBe('planted: hangs\n  npm run fuzz -- --target planted --input 0102\n')
})

test('a process that was given no time is left alone', async () => {
  const stopped = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500)'
  expect(await trying(stopped)).toEqual({ signal: null, stdout: '' })
})
