import { isMet, type Row, type Target } from './row.ts'

/** The rows as text for a terminal. */
export function tableOf(rows: readonly Row[]): string {
  return rows.map(textOf).join('\n')
}

function textOf({ name, figures, targets, notes = [] }: Row): string {
  const lines = [
    name,
    ...columns(
      figures.map(({ name, unit, median, low, high, count }) => [
        name,
        round(median),
        unit,
        count > 1 ? `${round(low)} to ${round(high)} in ${count} rounds` : '',
      ]),
    ),
    ...columns(targets.map((target) => [`= ${target.name}`, round(target.value), target.unit, verdict(target)])),
    ...notes.map((note) => `  (${note})`),
  ]
  return `${lines.join('\n')}\n`
}

function verdict(target: Target): string {
  const met = isMet(target)
  if (target.goal === undefined || met === null) return ''
  const goal = `${target.goal.at === 'least' ? '≥' : '≤'} ${round(target.goal.value)}`
  return met ? `meets ${goal}` : `MISSES ${goal}`
}

/** Names to the left, numbers to the right. */
function columns(cells: readonly (readonly [string, string, string, string])[]): string[] {
  const width = (column: 0 | 1 | 2): number => Math.max(...cells.map((cell) => cell[column].length))
  return cells.map(
    ([name, value, unit, rest]) =>
      `  ${name.padEnd(Math.max(52, width(0)))} ${value.padStart(Math.max(9, width(1)))} ${unit.padEnd(Math.max(5, width(2)))} ${rest}`,
  )
}

/** Three significant digits, whole from a hundred on. */
function round(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}
