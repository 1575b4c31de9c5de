import { readFileSync } from 'node:fs'

/** What a frozen file of vectors holds. (This tree runs without vitest too.) */
export function frozen(file: string): unknown {
  const value: unknown = JSON.parse(readFileSync(new URL(`../../vectors/${file}`, import.meta.url), 'utf8'))
  return value
}

/** Every text under a name, wherever in a value it stands. */
export function textsNamed(value: unknown, name: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, field]: [string, unknown]) =>
    key === name && typeof field === 'string' ? [field] : textsNamed(field, name),
  )
}
