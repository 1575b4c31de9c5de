import { readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { root } from '../support/source-tree.ts'
import type { Protection } from './protection.ts'

/** What a run of the tests does not need, or must not share. */
const LEFT_OUT: ReadonlySet<string> = new Set(['.git', 'node_modules', 'dist', 'coverage'])

/** A copy of the tree in which protections may be taken out. */
export interface Workspace extends AsyncDisposable {
  readonly directory: string
  /** Takes a protection out, and gives what puts it back. Throws when an edit does not fit in exactly one place. */
  takeOut(protection: Protection): Promise<() => Promise<void>>
}

/** Copies the tree to a temporary directory. The packages are those of the tree itself. */
export async function createWorkspace(): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-protections-'))
  await cp(root, directory, { recursive: true, filter: (source) => !LEFT_OUT.has(basename(source)) })
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  return {
    directory,
    async takeOut(protection) {
      const changed = withoutIt(protection, (file) => readFileSync(join(directory, file), 'utf8'))
      for (const [file, { after }] of changed) await writeFile(join(directory, file), after)
      return async () => {
        for (const [file, { before }] of changed) await writeFile(join(directory, file), before)
      }
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** The files that a protection is in, with it and without. Throws when an edit does not fit in exactly one place. */
export function withoutIt(
  { file, takeOut }: Pick<Protection, 'file' | 'takeOut'>,
  read: (file: string) => string,
): ReadonlyMap<string, { readonly before: string; readonly after: string }> {
  const changed = new Map<string, { before: string; after: string }>()
  for (const { file: other, find, replace } of takeOut) {
    const path = other ?? file
    const before = changed.get(path)?.before ?? read(path)
    const parts = (changed.get(path)?.after ?? before).split(find)
    if (parts.length !== 2) throw new Error(`${path}: found ${parts.length - 1} times instead of once: ${find}`)
    changed.set(path, { before, after: parts.join(replace) })
  }
  return changed
}
