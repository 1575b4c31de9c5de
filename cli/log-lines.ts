import { jsonLine, safeLine } from './terminal.ts'

/** A line of a log. What is no line of ours, such as the last words of a process that crashed, is of the level `output`. */
export interface LogLine {
  /** ms since the epoch. */
  readonly time?: number
  readonly level: string
  readonly said: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Reads a line of a log; any text is one. */
export function readLogLine(line: string): LogLine {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    value = null
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { time, level, said, ...fields } = value as Readonly<Record<string, unknown>>
    if (typeof time === 'number' && Number.isSafeInteger(time) && typeof level === 'string' && typeof said === 'string')
      return { time, level, said, fields }
  }
  return { level: 'output', said: line, fields: {} }
}

/** A line for people: local time, level, what happened, and its fields. */
export function formatLogLine({ time, level, said, fields }: LogLine): string {
  const rest = Object.keys(fields).length === 0 ? '' : ` ${jsonLine(fields)}`
  const when = time === undefined ? '' : `${formatMoment(time)} `
  return `${when}${safeLine(level)} ${safeLine(said)}${rest}`
}

/** Local time to the ms, the same in every locale. */
function formatMoment(ms: number): string {
  const at = new Date(ms)
  if (Number.isNaN(at.getTime())) return '-'
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  const milliseconds = String(at.getMilliseconds()).padStart(3, '0')
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${milliseconds}`
}
