/** What test files import as `vitest` when mutants run: the real `expect`, and suites that are lists to be run by `runner.ts`. */
export { expect } from 'vitest'

interface Context {
  readonly skip: (reason?: string) => never
}
type Body = (...args: unknown[]) => unknown

/** One test with its name and the names of the suites around it. */
export interface CollectedTest {
  readonly name: string
  readonly run: () => Promise<void>
}

/** Thrown by `context.skip`. */
export class Skipped extends Error {}

let collected: CollectedTest[] = []
let suites: { readonly name: string; readonly skipped: boolean }[] = []

/** The tests that were declared since the last call. */
export function takeCollected(): CollectedTest[] {
  const tests = collected
  collected = []
  suites = []
  return tests
}

const context: Context = {
  skip: () => {
    throw new Skipped()
  },
}

function declareSuite(name: string, body: Body, skipped: boolean, args: readonly unknown[] = []): void {
  suites.push({ name, skipped })
  try {
    body(...args)
  } finally {
    suites.pop()
  }
}

function declareTest(name: string, body: Body, args: readonly unknown[]): void {
  if (suites.some(({ skipped }) => skipped)) return
  const run = async () => void (await body(...args, context))
  collected.push({ name: [...suites.map((suite) => suite.name), name].join(' > '), run })
}

/** `%s` and `$field` of a title, and a number that makes it unlike its neighbours. */
function titled(title: string, item: unknown, i: number): string {
  const args = Array.isArray(item) ? item : [item]
  const named = title
    .replace(/%[sdi]/, () => String(args[0]).slice(0, 80))
    .replace(/\$(\w+)/, (_, field: string) => String((args[0] as Record<string, unknown>)[field]))
  return `${named} [${i}]`
}

const argsOf = (item: unknown): readonly unknown[] => (Array.isArray(item) ? (item as unknown[]) : [item])

export const describe: unknown = Object.assign((name: string, body: Body) => declareSuite(name, body, false), {
  each: (items: readonly unknown[]) => (name: string, body: Body) => {
    for (const [i, item] of items.entries()) declareSuite(titled(name, item, i), body, false, argsOf(item))
  },
  skipIf: (skip: boolean) => (name: string, body: Body) => declareSuite(name, body, skip),
})

export const test: unknown = Object.assign((name: string, body: Body) => declareTest(name, body, []), {
  each: (items: readonly unknown[]) => (name: string, body: Body) => {
    for (const [i, item] of items.entries()) declareTest(titled(name, item, i), body, argsOf(item))
  },
})

export { test as it }
