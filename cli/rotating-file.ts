import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** The log of a node in the background, in the home's directory of logs. */
export const LOG_FILE = 'sotto.log'
/** Five files of five megabytes at most: `sotto.log`, then `sotto.log.1`, which is newer than `sotto.log.2`. */
export const LOG_FILES = 5
export const LOG_FILE_BYTES: number = 5 * 1024 * 1024

const NEWLINE = 0x0a

/**
 * Writes lines to a file that only this user may read, and begins a new one when it is full. A line is with the system
 * when the call returns, so that a killed process has said all that it said. Never throws: what a full disk does not take
 * is lost, and the next line tries again.
 */
export function createRotatingFile(path: string, limits?: { files?: number; bytes?: number }): (line: string) => void {
  const files = limits?.files ?? LOG_FILES
  const maxBytes = limits?.bytes ?? LOG_FILE_BYTES
  let fd: number | undefined
  let size = 0
  let torn = false

  function open(): number {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const opened = openSync(path, 'a', 0o600)
    size = fstatSync(opened).size
    fd = opened
    return opened
  }

  function rotate(): void {
    // a number that was closed may soon be another file's
    if (fd !== undefined) closeSync(fd)
    fd = undefined
    rmSync(`${path}.${files - 1}`, { force: true })
    for (let n = files - 2; n >= 0; n--) {
      try {
        renameSync(n === 0 ? path : `${path}.${n}`, `${path}.${n + 1}`)
      } catch {
        // that many do not exist yet
      }
    }
  }

  function write(line: string): void {
    const bytes = Buffer.from(`${torn ? '\n' : ''}${line.trimEnd()}\n`)
    if (fd === undefined) open()
    if (size > 0 && size + bytes.length > maxBytes) rotate()
    const written = writeSync(fd ?? open(), bytes)
    size += written
    // a disk that is nearly full takes a part of a line
    torn = written < bytes.length && bytes[written - 1] !== NEWLINE
  }

  return (line) => {
    try {
      write(line)
    } catch {
      // a node does not end because it wanted to tell something
    }
  }
}
