import { lstatSync, mkdirSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { xdgDirectory } from './home.ts'
import type { Io } from './io.ts'

/** When a node that has become ready writes down what was compiled: what it does at once is done by then. */
const SETTLED_MS = 2000

/**
 * Where compiled code of this user lies between runs, or undefined when there is no place for it. What lies there is run:
 * nobody else may have made or be able to change it. Never in a home, which is copied and moved.
 */
export function compileCacheDirectory(env: Io['env'], kind: 'node' | 'command'): string | undefined {
  const parent = join(xdgDirectory(env, 'XDG_CACHE_HOME', '.cache'), 'sotto', 'compiled')
  const directory = join(parent, kind)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return [parent, directory].every(isPrivate) ? directory : undefined
  } catch {
    return undefined
  }
}

function isPrivate(path: string): boolean {
  const stat = lstatSync(path)
  const own = process.getuid === undefined || stat.uid === process.getuid()
  return stat.isDirectory() && own && (stat.mode & 0o022) === 0
}

/** A node and a command that ends use other functions of the same modules, so that each has a cache of its own. */
export function useCompileCache(env: Io['env'], argv: readonly string[]): void {
  const isNode = argv.includes('up') || argv.includes('bootstrap')
  const directory = compileCacheDirectory(env, isNode ? 'node' : 'command')
  if (directory !== undefined) enableCompileCache(directory)
}

/** Writes down what was compiled although the process goes on: long after, most of it is forgotten, and it may be killed. */
export function keepCompiled(): void {
  setTimeout(flushCompileCache, SETTLED_MS).unref()
}
