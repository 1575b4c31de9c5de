import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own that can be filled. */
export interface SmallDisk extends Disposable {
  /** Empty at first. */
  readonly directory: string
  /** Takes all room but so many bytes, for everybody. */
  fill(left?: number): void
  /** Gives the room back. */
  free(): void
  /** Lets nobody write; fails while somebody has a file open to write. */
  lock(): void
  unlock(): void
}

/** Mounts a file system in memory. Linux only, and only for the superuser: see `canMount`. */
export function mountSmallDisk(bytes: number): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), 'sotto-disk-'))
  mount('-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tmpfs', directory)
  const filler = join(directory, 'filler')
  return {
    directory,
    fill(left = 0) {
      const { bavail, bsize } = statfsSync(directory)
      writeFileSync(filler, new Uint8Array(Math.max(0, bavail * bsize - left)))
    },
    free: () => rmSync(filler, { force: true }),
    lock: () => mount('-o', 'remount,ro', directory),
    unlock: () => mount('-o', 'remount,rw', directory),
    [Symbol.dispose]() {
      // lazily: a process that was just killed may hold it for a moment
      execFileSync('umount', ['--lazy', directory])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function mount(...words: readonly string[]): void {
  execFileSync('mount', [...words], { stdio: 'pipe' })
}

/** Whether this machine lets the tests mount something. */
export const canMount: boolean = (() => {
  try {
    mountSmallDisk(1 << 16)[Symbol.dispose]()
    return true
  } catch {
    return false
  }
})()
