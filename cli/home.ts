import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { Io } from './io.ts'

/** The directory of XDG's kind, or its usual place. XDG says that a relative one is to be ignored. */
export function xdgDirectory(env: Io['env'], name: 'XDG_DATA_HOME' | 'XDG_CACHE_HOME', usual: string): string {
  const given = env[name]
  return given !== undefined && isAbsolute(given) ? given : join(env['HOME'] ?? homedir(), usual)
}

/** Which home a command works on: the flag, else `SOTTO_HOME`, else `sotto` in the XDG data directory. */
export function resolveHome(flag: string | undefined, env: Io['env']): string {
  const given = flag ?? env['SOTTO_HOME']
  return given === undefined || given === ''
    ? join(xdgDirectory(env, 'XDG_DATA_HOME', '.local/share'), 'sotto')
    : resolve(given)
}
