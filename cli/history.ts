import type { HistoryMode } from '../node/api.ts'
import { parseDuration } from './duration.ts'
import { CliError } from './errors.ts'

/** What `off`, `keep` or a duration means to the node. Throws `usage`. */
export function historyMode(text: string): HistoryMode {
  return text === 'off' || text === 'keep' ? text : parseDuration(text)
}

/** Whether something that was read is a history. */
export function isHistory(value: unknown): value is string {
  try {
    return typeof value === 'string' && historyMode(value) !== undefined
  } catch (error) {
    if (error instanceof CliError) return false
    throw error
  }
}
