import { expect } from 'vitest'

/** The matchers of vitest without their `any`. */
export const anyText: unknown = expect.any(String)
export const anyNumber: unknown = expect.any(Number)
export const anything: unknown = expect.anything()

export function containing(text: string): unknown {
  return expect.stringContaining(text)
}

export function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern)
}

export function having(fields: object): unknown {
  return expect.objectContaining(fields)
}
