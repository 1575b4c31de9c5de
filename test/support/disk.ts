import { lstat, readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Something below a directory. */
export interface OnDisk {
  readonly kind: 'directory' | 'file' | 'other'
  /** Permissions, such as 0o600. */
  readonly mode: number
  /** Of a file. */
  readonly bytes: Buffer
}

/** Everything in a directory, itself as `''`, by its path from there. What vanishes meanwhile is left out. */
export async function everythingIn(directory: string): Promise<Map<string, OnDisk>> {
  const found = new Map<string, OnDisk>()
  const names = await readdir(directory, { recursive: true, withFileTypes: true })
  const paths = [directory, ...names.map((entry) => join(entry.parentPath, entry.name)).sort()]
  for (const path of paths) {
    try {
      const stats = await lstat(path)
      const kind = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'other'
      const bytes = kind === 'file' ? await readFile(path) : Buffer.alloc(0)
      found.set(relative(directory, path), { kind, mode: stats.mode & 0o777, bytes })
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error
    }
  }
  return found
}

/** Which of the named byte strings occur in a text or a sequence of bytes. */
export function findIn(haystack: Uint8Array, needles: Readonly<Record<string, string | Uint8Array>>): string[] {
  const bytes = Buffer.from(haystack.buffer, haystack.byteOffset, haystack.byteLength)
  return Object.entries(needles).flatMap(([name, needle]) => (bytes.includes(Buffer.from(needle)) ? [name] : []))
}
