import { EVENTS } from '../../cli/schema/events.ts'
import type { EventForm, Field, Fields, Form, MethodForm } from '../../cli/schema/forms.ts'
import { METHODS } from '../../cli/schema/methods.ts'
import { TYPES } from '../../cli/schema/types.ts'
import { bareName, expectation, formOf, typeOf } from '../../cli/validate.ts'

const types: Readonly<Record<string, Form>> = TYPES
const methods: Readonly<Record<string, MethodForm>> = METHODS
const events: Readonly<Record<string, EventForm>> = EVENTS

/** `docs/api.md` with what the schema says of methods, events and types written anew; the text around it stays. */
export function withReference(text: string): string {
  return Object.entries(SECTIONS).reduce((before, [name, write]) => replaceSection(before, name, write()), text)
}

const SECTIONS: Readonly<Record<string, () => string>> = {
  methods: () => Object.entries(methods).map(methodText).join('\n\n'),
  events: () => Object.entries(events).map(eventText).join('\n\n'),
  types: () => [valuesText(), ...Object.entries(types).flatMap(objectText)].join('\n\n'),
}

function replaceSection(text: string, name: string, section: string): string {
  const [begin, end] = [`<!-- begin ${name}: written by npm run docs -->`, `<!-- end ${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) throw new TypeError(`docs/api.md has no place for ${name}`)
  return `${text.slice(0, from + begin.length)}\n\n${section}\n\n${text.slice(to)}`
}

function methodText([name, { says, params, result, errors, example }]: [string, MethodForm]): string {
  const call = { jsonrpc: '2.0', id: 1, method: name, ...(Object.keys(example).length > 0 && { params: example }) }
  return [
    `### ${name}`,
    says,
    ...(Object.keys(params).length === 0 ? ['No parameters.'] : [fieldsTable('parameter', params)]),
    `Result: ${link(result)}.${errors.length === 0 ? '' : ` Errors: ${errors.map(code).join(', ')}.`}`,
    `\`\`\`json\n${JSON.stringify(call)}\n\`\`\``,
  ].join('\n\n')
}

function eventText([kind, { says, fields }]: [string, EventForm]): string {
  return [`### ${kind}`, says, fieldsTable('field', { ...fields })].join('\n\n')
}

/** Values by name: what they are and mean. */
function valuesText(): string {
  const rows = Object.entries(types).filter(([, form]) => form.is !== 'object')
  return table(
    ['type', 'is', 'means'],
    rows.map(([name, form]) => [
      `<a id="${anchor(name)}"></a>${code(name)}`,
      form.is === 'map'
        ? `an object; each value: ${link(form.of)}`
        : form.is === 'list'
          ? `${kindOf(name)}; each: ${link(form.of)}`
          : kindOf(name),
      form.says,
    ]),
  )
}

function objectText([name, form]: [string, Form]): string[] {
  return form.is === 'object'
    ? [`### <a id="${anchor(name)}"></a>${name}`, sentence(form.says), fieldsTable('field', form.fields)]
    : []
}

function fieldsTable(what: 'parameter' | 'field', fields: Fields): string {
  return table(
    [what, 'type', ''],
    Object.entries(fields).map(([key, field]) => {
      const { name, optional } = bareName(key)
      // what a node gives is looked up; what it takes has its bounds here
      const bounds = what === 'parameter' ? `: ${kindOf(typeOf(field))}` : ''
      return [code(name) + (optional ? ', optional' : ''), link(typeOf(field)) + bounds, saying(field)]
    }),
  )
}

function saying(field: Field): string {
  if (typeof field !== 'string') return field[1]
  return formOf(field.replace('[]', '')).says
}

/** What a value must be, with the words of a list as code. */
function kindOf(type: string): string {
  if (type.endsWith('[]')) return 'a list'
  const form = formOf(type)
  if (form.is !== 'word') return expectation(type)
  return form.words.length === 0 ? 'no value' : form.words.map((word) => code(String(word))).join(', ')
}

function link(type: string): string {
  const name = type.replace('[]', '')
  return `[${type.endsWith('[]') ? `list of ${name}` : name}](#${anchor(name)})`
}

function anchor(name: string): string {
  return `type-${name.toLowerCase().replaceAll(' ', '-')}`
}

function code(text: string): string {
  return `\`${text}\``
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [row(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(row)].join('\n')
}
