import { posix } from 'node:path'
import { read } from './source-tree.ts'

/** The rows of the table of a Markdown text whose header has these columns, each cell trimmed. Throws when there is none. */
export function tableRows(text: string, ...columns: readonly string[]): string[][] {
  const lines = text.split('\n')
  const header = lines.findIndex((line) => cells(line).join() === columns.join())
  if (header < 0) throw new Error(`no table has the columns ${columns.join(', ')}`)
  const end = lines.findIndex((line, i) => i > header && !line.startsWith('|'))
  return lines.slice(header + 2, end < 0 ? undefined : end).map(cells)
}

/** The cell without the marks of code. */
export function plain(cell: string | undefined): string {
  return (cell ?? '').replace(/^`(.*)`$/, '$1')
}

function cells(line: string): string[] {
  if (!line.startsWith('|')) return []
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

/** A constant as the table writes it: lists with commas between. */
export function written(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'string') return String(value)
  return Array.isArray(value) && value.every((item) => typeof item === 'number') ? value.join(', ') : null
}

/** The value of an exported constant, or of one that its file keeps to itself, as far as its declaration spells it. */
export async function constantIn(file: string, name: string): Promise<unknown> {
  const exported = await exportsOf(file)
  if (Object.hasOwn(exported, name)) return exported[name]
  const [, declared] = new RegExp(`^const ${name}(?:: [^=]+)? = (.+)$`, 'm').exec(read(file)) ?? []
  if (declared === undefined) throw new Error(`${file} has no constant ${name}`)
  return declared.startsWith('[')
    ? declared
        .slice(1, -1)
        .split(',')
        .map((item) => calculated(file, item.trim()))
    : calculated(file, declared)
}

/** Everything that a module exports. */
export async function exportsOf(file: string): Promise<Readonly<Record<string, unknown>>> {
  const module: unknown = await import(posix.join('../..', file))
  return module as Readonly<Record<string, unknown>>
}

/** Numbers, own constants, sums, differences, products and powers, without parentheses. */
function calculated(file: string, expression: string): number {
  for (const [sign, apply] of OPERATORS) {
    const parts = expression.split(` ${sign} `)
    if (parts.length > 1) return parts.map((part) => calculated(file, part)).reduce(apply)
  }
  const [, own] = new RegExp(`^(?:export )?const ${expression}(?:: [^=]+)? = (.+)$`, 'm').exec(read(file)) ?? []
  const value = own === undefined ? Number(expression.replaceAll('_', '')) : calculated(file, own)
  if (Number.isNaN(value)) throw new Error(`${file}: cannot read ${expression}`)
  return value
}

const OPERATORS: readonly (readonly [string, (a: number, b: number) => number])[] = [
  ['+', (a, b) => a + b],
  ['-', (a, b) => a - b],
  ['*', (a, b) => a * b],
  ['**', (a, b) => a ** b],
]
