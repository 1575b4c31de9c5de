import type { ErrorCode } from '../errors.ts'

/** How the schema describes a value. Data, so that types, checks and the reference all come of it. */
export type Form =
  /** With `maxBytes`: not empty, and so many bytes of UTF-8 at most. Without: any text, as the node gives it. */
  | { readonly is: 'text'; readonly says: string; readonly maxBytes?: number }
  /** A whole number within bounds, both included. */
  | { readonly is: 'integer'; readonly says: string; readonly min: number; readonly max: number }
  | { readonly is: 'flag'; readonly says: string }
  /** One of these and nothing else. */
  | { readonly is: 'word'; readonly says: string; readonly words: readonly (string | boolean)[] }
  | { readonly is: 'nullable'; readonly says: string; readonly of: string }
  | { readonly is: 'object'; readonly says: string; readonly fields: Fields }
  | { readonly is: 'list'; readonly says: string; readonly of: string; readonly max: number }
  /** An object with any names, all values of one type. */
  | { readonly is: 'map'; readonly says: string; readonly of: string }

/** The name of a type, `name[]` for a list of it; or that and what it means in this place. */
export type Field = string | readonly [type: string, says: string]

/** A name that ends in `?` may be left out. */
export type Fields = Readonly<Record<string, Field>>

/** What is known of a method but how it is done. */
export interface MethodForm {
  readonly says: string
  readonly params: Fields
  /** The name of a type, or `name[]`. */
  readonly result: string
  /** The codes it may refuse with, beside those of every method. */
  readonly errors: readonly ErrorCode[]
  /** Parameters of the call that the reference shows. */
  readonly example: object
}

export interface EventForm {
  readonly says: string
  readonly fields: Fields
}
