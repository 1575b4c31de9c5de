import { utf8 } from '../bytes.ts'
import type { Range } from '../rows.ts'
import { type Machine, save, setTimer } from './machine.ts'

/** The row of the range `self` that stands while something that was erased may still lie in the files of the disk. */
export const ERASED_KEY: Uint8Array = utf8('erased')

/** Ranges that texts lie in. */
export const TEXT_RANGES: readonly Range[] = ['message', 'change']

/** Files are rewritten at most once in this time, ms: it costs as much as there are messages. */
const COMPACT_APART_MS = 60_000

/**
 * Texts were erased: their keys are deleted in the turn's batch, and have to leave the files too. A row remembers that until
 * it is done, whatever happens to the process.
 */
export function wasErased(machine: Machine): void {
  const { erasing } = machine
  if (erasing.due) return
  erasing.due = true
  save(machine, { range: 'self', key: ERASED_KEY, value: Uint8Array.of(1) })
  planCompaction(machine)
}

/** Something was left to do when the process ended. */
export function resumeErasing(machine: Machine): void {
  if (machine.erasing.due) planCompaction(machine)
}

function planCompaction(machine: Machine): void {
  const { erasing, now } = machine
  if (erasing.running) return
  const at = erasing.last === null ? now : Math.min(erasing.last, now) + COMPACT_APART_MS
  setTimer(machine, 'compact', Math.max(now, at))
}

export function onCompactTimer(machine: Machine): void {
  const { erasing } = machine
  if (!erasing.due || erasing.running) return
  erasing.due = false
  erasing.running = true
  erasing.last = machine.now
  machine.effects.push({ kind: 'compact', ranges: TEXT_RANGES })
}

export function onCompacted(machine: Machine, done: boolean): void {
  const { erasing } = machine
  erasing.running = false
  erasing.due ||= !done
  if (erasing.due) planCompaction(machine)
  else {
    save(machine, { range: 'self', key: ERASED_KEY, value: null })
    setTimer(machine, 'compact', null)
  }
}
