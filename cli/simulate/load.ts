import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Scenario } from '../../node/mesh/index.ts'
import { CliError } from '../errors.ts'

const HINT = 'A scenario file says: export default scenario({ name, people, play }), with scenario from sotto/mesh.'

/** Imports a scenario file. Throws `usage` when there is none, or when it exports no scenario by default. */
export async function loadScenario(file: string): Promise<Scenario> {
  let exported: unknown
  try {
    exported = ((await import(pathToFileURL(resolve(file)).href)) as { readonly default?: unknown }).default
  } catch (cause) {
    throw new CliError('usage', `${file} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
      hint: HINT,
    })
  }
  if (isScenario(exported)) return exported
  throw new CliError('usage', `${file} exports no scenario by default.`, { hint: HINT })
}

function isScenario(value: unknown): value is Scenario {
  if (typeof value !== 'object' || value === null) return false
  const { name, people, play } = value as Readonly<Record<keyof Scenario, unknown>>
  return typeof name === 'string' && (typeof people === 'number' || Array.isArray(people)) && typeof play === 'function'
}
