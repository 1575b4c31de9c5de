import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from '../node/api.ts'
import { jsonLine, safeLine } from './terminal.ts'

export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** The log of a node in the background, in the home's directory of logs. */
export const LOG_FILE = 'sotto.log'
/** Five files of five megabytes at most, newest first. */
export const LOG_FILES = 5
export const LOG_FILE_BYTES: number = 5 * 1024 * 1024

/** Writes lines to a file that only this user may read, and begins a new one when it is full. */
export function createRotatingFile(path: string, limits?: { files?: number; bytes?: number }): (line: string) => void {
  const files = limits?.files ?? LOG_FILES
  const maxBytes = limits?.bytes ?? LOG_FILE_BYTES
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let fd = openSync(path, 'a', 0o600)
  let size = fstatSync(fd).size

  function rotate(): void {
    closeSync(fd)
    rmSync(`${path}.${files - 1}`, { force: true })
    for (let n = files - 2; n >= 0; n--) {
      try {
        renameSync(n === 0 ? path : `${path}.${n}`, `${path}.${n + 1}`)
      } catch {
        // that many do not exist yet
      }
    }
    fd = openSync(path, 'a', 0o600)
    size = 0
  }

  return (line) => {
    const bytes = Buffer.from(`${line}\n`)
    if (size > 0 && size + bytes.length > maxBytes) rotate()
    size += bytes.length
    writeSync(fd, bytes)
  }
}

/** One line a message: time, level, text, and the fields as JSON. */
export function createLogger(write: (line: string) => void, verbosity: Verbosity): Logger {
  const log =
    (level: string): Logger['info'] =>
    (fields, message) => {
      const details = Object.keys(fields).length === 0 ? '' : ` ${jsonLine(fields)}`
      try {
        write(`${new Date().toISOString()} ${level} ${safeLine(message)}${details}`)
      } catch {
        // a full disk or a closed terminal must not end a node that only wanted to tell something
      }
    }
  const silent = (): void => {}
  return {
    debug: verbosity === 'verbose' ? log('debug') : silent,
    info: verbosity === 'quiet' ? silent : log('info'),
    warn: log('warn'),
  }
}
