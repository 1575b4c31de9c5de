import type { EVENTS } from './events.ts'
import type { METHODS } from './methods.ts'
import type { TYPES } from './types.ts'

type Types = typeof TYPES
type Methods = typeof METHODS
type Events = typeof EVENTS

/** The type that a name of the schema stands for: `Of<'Contact'>`, `Of<'Contact[]'>`. */
export type Of<Name> = Name extends `${infer One}[]`
  ? readonly Of<One>[]
  : Name extends keyof Types
    ? ValueOf<Types[Name]>
    : never

type ValueOf<Form> = Form extends { is: 'text' }
  ? string
  : Form extends { is: 'integer' }
    ? number
    : Form extends { is: 'flag' }
      ? boolean
      : Form extends { is: 'word'; words: readonly (infer Word)[] }
        ? Word
        : Form extends { is: 'nullable'; of: infer Name }
          ? Of<Name> | null
          : Form extends { is: 'map'; of: infer Name }
            ? Readonly<Record<string, Of<Name>>>
            : Form extends { is: 'list'; of: infer Name }
              ? readonly Of<Name>[]
              : Form extends { is: 'object'; fields: infer Fields }
                ? Struct<Fields>
                : never

type TypeOf<Field> = Of<Field extends readonly [infer Name, string] ? Name : Field>
type Needed<Name> = Name extends `${string}?` ? never : Name
type Optional<Name> = Name extends `${infer Bare}?` ? Bare : never
/** One object type instead of an intersection, for readable errors. */
type Flat<T> = { [Name in keyof T]: T[Name] }

/** The object that the fields describe. */
type Struct<Fields> = Flat<
  { readonly [Name in keyof Fields as Needed<Name>]: TypeOf<Fields[Name]> } & {
    readonly [Name in keyof Fields as Optional<Name>]?: TypeOf<Fields[Name]>
  }
>

export type MethodName = keyof Methods
export type Params<M extends MethodName> = Struct<Methods[M]['params']>
export type Result<M extends MethodName> = Of<Methods[M]['result']>

export type EventKind = keyof Events
export type EventOf<K extends EventKind> = {
  [Kind in K]: Flat<{ readonly kind: Kind } & Struct<Events[Kind]['fields']>>
}[K]
/** Whatever a subscription tells. */
export type ApiEvent = EventOf<EventKind>
