import type { NodeEvent } from '../node/api.ts'
import { EVENTS } from './schema/events.ts'
import type { Fields } from './schema/forms.ts'
import type { ApiEvent, EventKind, Of } from './schema/infer.ts'
import { bareName, formOf, typeOf } from './validate.ts'

/** A person, a message, an event as they leave the local API and `--json`. */
export type ContactJson = Of<'Contact'>
export type MessageJson = Of<'Message'>
export type GroupJson = Of<'Group'>
export type ConversationJson = Of<'Conversation'>
export type MailboxJson = Of<'Mailbox'>
export type DeviceJson = Of<'Device'>
export type EventJson = ApiEvent

/**
 * The value with exactly the fields of its type, absent ones left out. Objects of the node may carry more (methods, later
 * fields): what leaves it is taken by name.
 */
export function shape<Value>(type: string, value: Value): Value {
  return shapeValue(type, value) as Value
}

function shapeValue(type: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => shapeValue(type.replace(/\[\]$/, ''), each))
  const form = formOf(type)
  if (typeof value !== 'object' || value === null) return value
  if (form.is === 'map') {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shapeValue(form.of, each)]))
  }
  return form.is === 'object' ? shapeFields(form.fields, value) : value
}

function shapeFields(fields: Fields, value: object): Record<string, unknown> {
  const shaped: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(fields)) {
    const { name } = bareName(key)
    const given: unknown = Reflect.get(value, name)
    if (given !== undefined) shaped[name] = shapeValue(typeOf(field), given)
  }
  return shaped
}

/** As `shape`, for an event: its kind names its fields. */
export function shapeEvent(event: NodeEvent | ApiEvent): ApiEvent {
  const kind: EventKind = event.kind
  return { kind, ...shapeFields(EVENTS[kind].fields, event) } as ApiEvent
}
