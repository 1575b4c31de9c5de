import { CliError } from './errors.ts'

const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** The longest that can be asked for: ten years. */
export const MAX_DURATION_MS: number = 3650 * 86_400_000

/** Milliseconds of `500ms`, `10s`, `5m`, `2h`, `30d`. Throws `usage` on anything else and above ten years. */
export function parseDuration(text: string): number {
  const [, digits, unit] = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text) ?? []
  const milliseconds = Number(digits) * (UNITS_MS.get(unit ?? '') ?? Number.NaN)
  if (!(milliseconds <= MAX_DURATION_MS)) {
    throw new CliError('usage', `A duration was expected, for example 500ms, 10s or 30d, and not "${text}".`)
  }
  return milliseconds
}

/** A duration as `parseDuration` reads it, in the largest unit that gives a whole number. */
export function formatDuration(ms: number): string {
  const [unit, length] = [...UNITS_MS].reverse().find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1]
  return `${Math.round(ms / length)}${unit}`
}

/** The moment, in ms since the epoch, that a duration ago (`2h`) or a date (`2026-08-01`, `2026-08-01T12:00`) means. */
export function parseMoment(text: string, now: number): number {
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    // a bare date is a day where the person is, not in Greenwich
    const moment = Date.parse(text.length === 10 ? `${text}T00:00` : text)
    if (!Number.isNaN(moment)) return moment
  } else {
    return Math.max(0, now - parseDuration(text))
  }
  throw new CliError('usage', `A duration or a date was expected, for example 2h or 2026-08-01, and not "${text}".`)
}
