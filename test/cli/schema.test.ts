import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import '../support/seed.ts'
import { isErrorCode } from '../../cli/errors.ts'
import { EVENTS } from '../../cli/schema/events.ts'
import type { EventForm, Fields, Form, MethodForm } from '../../cli/schema/forms.ts'
import { METHODS } from '../../cli/schema/methods.ts'
import { TYPES } from '../../cli/schema/types.ts'
import type { MethodName } from '../../cli/schema/infer.ts'
import { bareName, formOf, readParams, typeOf } from '../../cli/validate.ts'
import { MAX_HELLO_BYTES, MAX_NAME_BYTES } from '../../lib/chat/contact-row.ts'
import { MAX_TEXT_BYTES } from '../../lib/conversation/contents.ts'
import { MAX_MEMBERS } from '../../lib/group/members.ts'
import { MAX_GROUP_NAME_BYTES } from '../../lib/group/operation-content.ts'
import { NodeError } from '../../node/errors.ts'

const types: Readonly<Record<string, Form>> = TYPES
const methods: Readonly<Record<string, MethodForm>> = METHODS
const events: Readonly<Record<string, EventForm>> = EVENTS

/** Names of types that a form names in its turn. */
function namedBy(form: Form): string[] {
  if (form.is === 'object') return Object.values(form.fields).map(typeOf)
  return form.is === 'nullable' || form.is === 'map' || form.is === 'list' ? [form.of] : []
}

const bare = (name: string): string => name.replace(/\[\]$/, '')

describe('the schema', () => {
  test('names only types that it has, and has none that nothing names', () => {
    const named = [
      ...Object.values(types).flatMap(namedBy),
      ...Object.values(methods).flatMap(({ params, result }) => [...Object.values(params).map(typeOf), result]),
      ...Object.values(events).flatMap(({ fields }) => Object.values(fields).map(typeOf)),
    ].map(bare)
    expect([...new Set(named)].sort()).toEqual(Object.keys(types).sort())
  })

  test('gives every parameter a bound', () => {
    const bounded = (name: string): boolean => {
      const form = formOf(name)
      if (form.is === 'text') return form.maxBytes !== undefined
      return form.is === 'nullable' ? bounded(form.of) : form.is !== 'object' && form.is !== 'map'
    }
    const params = Object.values(methods).flatMap((method) => Object.values(method.params).map(typeOf))
    expect(params.filter((type) => !bounded(type))).toEqual([])
  })

  test('has the bounds of the protocol', () => {
    expect(TYPES.messageText.maxBytes).toBe(MAX_TEXT_BYTES)
    expect(TYPES.petname.maxBytes).toBe(MAX_NAME_BYTES)
    expect(TYPES.hello.maxBytes).toBe(MAX_HELLO_BYTES)
    expect(TYPES.groupName.maxBytes).toBe(MAX_GROUP_NAME_BYTES)
    expect(TYPES.people.max).toBe(MAX_MEMBERS)
  })

  test.each(Object.entries(methods))('shows a call of %s that is one, and codes that exist', (name, method) => {
    expect(readParams(name as MethodName, method.example)).toEqual(method.example)
    expect(method.errors.filter((code) => !isErrorCode(code))).toEqual([])
  })
})

/** A text of exactly so many bytes of UTF-8, of characters of one to four bytes. */
function textOf(bytes: number, random: string): string {
  let text = ''
  for (const character of `${random}é€😀`) {
    if (Buffer.byteLength(text + character) <= bytes) text += character
  }
  return text + 'x'.repeat(bytes - Buffer.byteLength(text))
}

/** Values that a type takes, up to its bounds. */
function valid(type: string): fc.Arbitrary<unknown> {
  const form = formOf(type)
  switch (form.is) {
    case 'text': {
      const max = form.maxBytes ?? 0
      const length = fc.oneof(fc.integer({ min: 1, max }), fc.constantFrom(1, max))
      return fc.tuple(length, fc.string({ unit: 'grapheme' })).map(([bytes, random]) => textOf(bytes, random))
    }
    case 'integer':
      return fc.oneof(fc.integer({ min: form.min, max: form.max }), fc.constantFrom(form.min, form.max))
    case 'flag':
      return fc.boolean()
    case 'word':
      return fc.constantFrom(...form.words)
    case 'nullable':
      return fc.oneof(fc.constant(null), valid(form.of))
    case 'list':
      return fc.array(valid(form.of), { minLength: 1, maxLength: 5 })
    default:
      throw new TypeError(`no parameter is ${form.is}`)
  }
}

/** Values that just miss what a type takes, or are of another. */
function invalid(type: string): readonly unknown[] {
  const form = formOf(type)
  const others = (...kinds: string[]): unknown[] =>
    ['', 0, true, null, [], {}, ['x'], { is: 'x' }].filter((value) => value === null || !kinds.includes(typeof value))
  switch (form.is) {
    case 'text': {
      const max = form.maxBytes ?? 0
      return [...others(), 'x'.repeat(max + 1), `${'x'.repeat(max - 1)}é`, '\ud800']
    }
    case 'integer':
      return [...others('number'), form.min - 1, form.max + 1, form.min + 0.5, Number.NaN, `${form.min}`]
    case 'flag':
      return [...others('boolean'), 'true', 1]
    case 'word':
      return [...others('boolean'), `${String(form.words[0])} `, String(form.words[0]).toUpperCase()]
    case 'nullable':
      return invalid(form.of).filter((value) => value !== null)
    case 'list': {
      const many = Array.from({ length: form.max + 1 }, () => 'x')
      return ['', 'x', 0, true, null, {}, { length: 1 }, [], many, ...invalid(form.of).map((value) => ['x', value])]
    }
    default:
      return []
  }
}

const refusal = (name: string, params: unknown): unknown => {
  try {
    readParams(name as MethodName, params)
    return 'accepted'
  } catch (error) {
    return error instanceof NodeError ? error.code : error
  }
}

describe.each(Object.entries(methods))('the parameters of %s', (name, method) => {
  const fields: Fields = method.params
  const entries = Object.entries(fields).map(([key, field]) => ({ ...bareName(key), type: typeOf(field) }))
  const needed = entries.filter(({ optional }) => !optional).map((entry) => entry.name)
  const params = fc.record(Object.fromEntries(entries.map((entry) => [entry.name, valid(entry.type)])), {
    requiredKeys: needed,
  })

  test('pass when each is within its bounds, whichever of the optional ones are there', () => {
    fc.assert(
      fc.property(params, (given) => {
        expect(readParams(name as MethodName, given)).toEqual(given)
      }),
    )
  })

  test('are refused when one is just out of its bounds, of another type, missing, or unknown', () => {
    fc.assert(
      fc.property(params, fc.string({ minLength: 1 }), (given, other) => {
        for (const entry of entries) {
          for (const value of invalid(entry.type)) {
            expect([entry.name, value, refusal(name, { ...given, [entry.name]: value })]).toEqual([
              entry.name,
              value,
              'invalid',
            ])
          }
        }
        for (const missing of needed) {
          const rest = Object.entries(given).filter(([key]) => key !== missing)
          expect(refusal(name, Object.fromEntries(rest))).toBe('invalid')
        }
        const unknown = Object.entries(given).filter(([key]) => key !== other)
        if (entries.every((entry) => entry.name !== other)) {
          expect(refusal(name, Object.fromEntries([...unknown, [other, 1]]))).toBe('invalid')
        }
      }),
      { numRuns: 20 },
    )
  })
})
