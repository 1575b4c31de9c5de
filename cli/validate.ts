import { NodeError } from '../node/errors.ts'

/** How one parameter is read. Throws a `NodeError` `invalid` that names it. */
export interface Check<T> {
  readonly optional: boolean
  read(value: unknown, name: string): T
}

/** One check for each parameter of `P`. */
export type Checks<P> = { readonly [Name in keyof P]-?: Check<Exclude<P[Name], undefined>> }

function expected(name: string, what: string): NodeError {
  return new NodeError('invalid', `The parameter "${name}" must be ${what}.`)
}

/** A text of at most `maxBytes` UTF-8 bytes, not empty. */
export function text(maxBytes: number): Check<string> {
  return {
    optional: false,
    read: (value, name) => {
      if (typeof value === 'string' && value !== '' && value.isWellFormed() && Buffer.byteLength(value) <= maxBytes)
        return value
      throw expected(name, `a text of 1 to ${maxBytes} bytes`)
    },
  }
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number): Check<number> {
  return {
    optional: false,
    read: (value, name) => {
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
      throw expected(name, `a whole number from ${min} to ${max}`)
    },
  }
}

/** true or false. */
export function flag(): Check<boolean> {
  return {
    optional: false,
    read: (value, name) => {
      if (typeof value === 'boolean') return value
      throw expected(name, 'true or false')
    },
  }
}

/** One of some words. */
export function oneOf<T extends string>(words: readonly T[]): Check<T> {
  return {
    optional: false,
    read: (value, name) => {
      const word = words.find((candidate) => candidate === value)
      if (word !== undefined) return word
      throw expected(name, `one of ${words.join(', ')}`)
    },
  }
}

/** The parameter may be left out. */
export function optional<T>(check: Check<T>): Check<T> {
  return { ...check, optional: true }
}

/** Reads named parameters strictly: unknown names are refused, so that a typing error never passes for a default. */
export function readParams<P extends object>(checks: Checks<P>, params: unknown): P {
  const given = params ?? {}
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new NodeError('invalid', 'Parameters must be an object with names.')
  }
  const values = new Map<string, unknown>(Object.entries(given))
  const read: Record<string, unknown> = {}
  for (const [name, check] of Object.entries<Check<unknown>>(checks)) {
    const value = values.get(name)
    values.delete(name)
    if (value !== undefined) read[name] = check.read(value, name)
    else if (!check.optional) throw new NodeError('invalid', `The parameter "${name}" is missing.`)
  }
  const [unknown] = values.keys()
  if (unknown !== undefined) throw new NodeError('invalid', `There is no parameter "${unknown.slice(0, 40)}" here.`)
  return read as P
}
