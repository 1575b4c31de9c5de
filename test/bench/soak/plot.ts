import type { Sample } from './holdings.ts'
import { isFlat, meanOf, type Quantity, type SoakReport } from './report.ts'

const PANEL = { width: 400, height: 170, left: 52, right: 14, top: 44, bottom: 30 } as const
const COLUMNS = 2
const HEAD = 48

interface Panel {
  readonly title: string
  readonly unit: string
  /** One line each; a gap where nothing was measured. */
  readonly lines: readonly (readonly (number | null)[])[]
  /** What stands under the title. */
  readonly remark: string
}

/** The run as a picture: a panel for each thing that was followed, a thin line for each node and a thick one for their mean. */
export function plotOf(report: SoakReport): string {
  const { samples, settings } = report
  const minutes = samples.map((sample) => sample.minutes)
  const panels: readonly Panel[] = [
    held(report, 'heap', 'live JavaScript after a collection', 'MiB'),
    held(report, 'external', 'memory owned by it outside of the heap', 'MiB'),
    held(report, 'resident', 'resident, with mapped files of the database', 'MiB'),
    held(report, 'descriptors', 'open files and sockets', ''),
    held(report, 'timers', 'timers', ''),
    held(report, 'handles', 'other handles and requests', ''),
    held(report, 'links', 'connections', ''),
    {
      title: 'processor time of a node, collections included',
      unit: '%',
      lines: withMean(
        samples,
        settings.people,
        (sample, who) => 100 * (sample.people[who]?.cpu ?? 0),
        (sample) => (100 * sample.people.reduce((sum, { cpu }) => sum + cpu, 0)) / sample.people.length,
      ),
      remark: 'of one core',
    },
    {
      title: 'from the call of send to the arrival',
      unit: 'ms',
      lines: [samples.map(({ arrival }) => arrival?.p99 ?? null), samples.map(({ arrival }) => arrival?.p50 ?? null)],
      remark: 'thick: median, thin: 99 of 100, in each minute',
    },
    {
      title: 'written and not known to be delivered',
      unit: '',
      lines: [samples.map(({ sent, delivered }) => sent - delivered)],
      remark: `${report.sent} texts in all`,
    },
  ]
  const rows = Math.ceil(panels.length / COLUMNS)
  const [width, height] = [COLUMNS * PANEL.width, HEAD + rows * PANEL.height]
  const body = panels.map((panel, i) => {
    const [x, y] = [(i % COLUMNS) * PANEL.width, HEAD + Math.floor(i / COLUMNS) * PANEL.height]
    return `<g transform="translate(${x} ${y})">\n${panelOf(panel, minutes)}\n</g>`
  })
  const { people, rate, machine } = settings
  const title = `${people} nodes, ${rate} texts a second among them, ${settings.minutes} minutes`
  const where = `${machine.at.slice(0, 16).replace('T', ' ')} UTC, ${machine.processor}, ${machine.cores} cores (shared), Node ${machine.node}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="#333">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="14" y="22" font-size="15" font-weight="bold">${escaped(title)}</text>
<text x="14" y="39" fill="#666">${escaped(where)}</text>
${body.join('\n')}
</svg>
`
}

function held({ samples, settings, trends }: SoakReport, quantity: Quantity, title: string, unit: string): Panel {
  const trend = trends[quantity]
  const remark =
    trend === null
      ? 'too short for a trend'
      : `${trend.slope.toFixed(2)} ± ${trend.margin.toFixed(2)} an hour in the second half: ${isFlat(trend) ? 'flat' : 'not flat'}`
  const lines = withMean(
    samples,
    settings.people,
    (sample, who) => sample.people[who]?.[quantity] ?? null,
    ({ people }) => meanOf(people, quantity),
  )
  return { title, unit, lines, remark }
}

/** A line for each person, and the mean as the last. */
function withMean(
  samples: readonly Sample[],
  people: number,
  each: (sample: Sample, who: number) => number | null,
  mean: (sample: Sample) => number,
): readonly (readonly (number | null)[])[] {
  const own = Array.from({ length: people }, (_, who) => samples.map((sample) => each(sample, who)))
  return [...own, samples.map(mean)]
}

function panelOf({ title, unit, lines, remark }: Panel, minutes: readonly number[]): string {
  const { width, height, left, right, top, bottom } = PANEL
  const highest = Math.max(...lines.flat().map((value) => value ?? 0), 0)
  const step = niceStep(highest / 4)
  const most = Math.max(step, Math.ceil(highest / step) * step)
  const end = minutes.at(-1) ?? 1
  const x = (at: number): string => (left + (at / end) * (width - left - right)).toFixed(1)
  const y = (value: number): string => (height - bottom - (value / most) * (height - top - bottom)).toFixed(1)
  const parts = [
    `<text x="${left}" y="16" font-weight="bold">${escaped(title)}${unit === '' ? '' : `, ${unit}`}</text>`,
    `<text x="${left}" y="31" fill="#666">${escaped(remark)}</text>`,
  ]
  for (let value = 0; value <= most + step / 2; value += step) {
    parts.push(
      `<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" stroke="#e4e4e4"/>`,
      `<text x="${left - 6}" y="${y(value)}" dy="4" text-anchor="end" fill="#666">${Number(value.toPrecision(3))}</text>`,
    )
  }
  const every = niceStep(end / 6)
  for (let at = 0; at <= end + every / 100; at += every) {
    parts.push(
      `<text x="${x(at)}" y="${height - bottom + 15}" text-anchor="middle" fill="#666">${Number(at.toPrecision(3))}</text>`,
    )
  }
  for (const [i, line] of lines.entries()) {
    const points = line.flatMap((value, at) => (value === null ? [] : [`${x(minutes[at] ?? 0)},${y(value)}`]))
    const style = i === lines.length - 1 ? 'stroke="#1f5fa8" stroke-width="2"' : 'stroke="#9dbfe0" stroke-width="1"'
    parts.push(`<polyline fill="none" ${style} points="${points.join(' ')}"/>`)
  }
  return parts.join('\n')
}

/** One, two or five times a power of ten, at least `rough`. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 0.001)))
  return power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
