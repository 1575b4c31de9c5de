import { NodeError } from '../node/errors.ts'
import type { Field, Fields, Form } from './schema/forms.ts'
import type { MethodName, Params } from './schema/infer.ts'
import { METHODS } from './schema/methods.ts'
import { TYPES } from './schema/types.ts'

/** The form that a name of the schema stands for, without `[]`. Throws `TypeError` for a name that the schema lacks. */
export function formOf(name: string): Form {
  if (!Object.hasOwn(TYPES, name)) throw new TypeError(`the schema has no type ${name}`)
  return TYPES[name as keyof typeof TYPES]
}

export function typeOf(field: Field): string {
  return typeof field === 'string' ? field : field[0]
}

/** The name without the `?` that says that it may be left out. */
export function bareName(name: string): { name: string; optional: boolean } {
  return name.endsWith('?') ? { name: name.slice(0, -1), optional: true } : { name, optional: false }
}

/** What a value of the type must be, as the end of a sentence. */
export function expectation(type: string): string {
  if (type.endsWith('[]')) return 'a list'
  const form = formOf(type)
  switch (form.is) {
    case 'text':
      return form.maxBytes === undefined ? 'a text' : `a text of 1 to ${form.maxBytes} bytes`
    case 'integer':
      // larger ones are not exact in JSON
      return `a whole number from ${form.min}${form.max === Number.MAX_SAFE_INTEGER ? '' : ` to ${form.max}`}`
    case 'flag':
      return 'true or false'
    case 'word':
      return form.words.length === 1 ? String(form.words[0]) : `one of ${form.words.join(', ')}`
    case 'nullable':
      return `null or ${expectation(form.of)}`
    case 'list':
      return `a list of 1 to ${form.max}`
    case 'object':
    case 'map':
      return 'an object'
  }
}

function wrong(type: string, path: string): NodeError {
  return new NodeError('invalid', `The parameter "${path}" must be ${expectation(type)}.`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown, maxBytes: number | undefined): boolean {
  if (typeof value !== 'string' || !value.isWellFormed()) return false
  return maxBytes === undefined || (value !== '' && Buffer.byteLength(value) <= maxBytes)
}

function isWithin(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
}

/** Throws `invalid`, naming the path, unless the value is exactly what the type says. */
function checkValue(type: string, value: unknown, path: string): void {
  if (type.endsWith('[]')) {
    if (!Array.isArray(value)) throw wrong(type, path)
    for (const [at, each] of value.entries()) checkValue(type.slice(0, -2), each, `${path}[${at}]`)
    return
  }
  const form = formOf(type)
  switch (form.is) {
    case 'text':
      if (!isText(value, form.maxBytes)) throw wrong(type, path)
      return
    case 'integer':
      if (!isWithin(value, form.min, form.max)) throw wrong(type, path)
      return
    case 'flag':
      if (typeof value !== 'boolean') throw wrong(type, path)
      return
    case 'word':
      if (!form.words.some((word) => word === value)) throw wrong(type, path)
      return
    case 'nullable':
      if (value !== null) checkValue(form.of, value, path)
      return
    case 'map':
      if (!isObject(value)) throw wrong(type, path)
      for (const [name, each] of Object.entries(value)) checkValue(form.of, each, `${path}.${name}`)
      return
    case 'list':
      if (!Array.isArray(value) || value.length === 0 || value.length > form.max) throw wrong(type, path)
      checkValue(`${form.of}[]`, value, path)
      return
    case 'object':
      if (!isObject(value)) throw wrong(type, path)
      checkFields(form.fields, value, `${path}.`)
  }
}

function checkFields(fields: Fields, given: object, path: string): void {
  const values = new Map<string, unknown>(Object.entries(given))
  for (const [key, field] of Object.entries(fields)) {
    const { name, optional } = bareName(key)
    const value = values.get(name)
    values.delete(name)
    if (value !== undefined) checkValue(typeOf(field), value, path + name)
    else if (!optional) throw new NodeError('invalid', `The parameter "${path}${name}" is missing.`)
  }
  const [unknown] = values.keys()
  if (unknown !== undefined) throw new NodeError('invalid', `There is no parameter "${unknown.slice(0, 40)}" here.`)
}

/** Reads named parameters strictly: unknown names are refused, so that a typing error never passes for a default. */
export function readParams<M extends MethodName>(method: M, params: unknown): Params<M> {
  const given = params ?? {}
  if (!isObject(given)) throw new NodeError('invalid', 'Parameters must be an object with names.')
  checkFields(METHODS[method].params, given, '')
  return given as Params<M>
}

/** Throws `invalid`, naming the place, unless a value is exactly what a type of the schema says. */
export function checkType(type: string, value: unknown): void {
  checkValue(type, value, type)
}
