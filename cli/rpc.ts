import { type ApiContext, isMethod, runMethod } from './api.ts'
import { type Failure, failureOf } from './errors.ts'
import { jsonLine } from './terminal.ts'

/** JSON-RPC 2.0, §5.1; `-32000` carries the code of the failure in `data.code`. */
export const RPC_ERROR = { parse: -32700, request: -32600, method: -32601, params: -32602, failure: -32000 } as const

/** The longest line that is read, in bytes: the largest message with every character escaped fits. */
export const MAX_LINE_BYTES: number = 512 * 1024

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type Id = string | number | null

function refusal(id: Id, code: number, message: string, failure?: Failure): string {
  const { message: _, ...data } = failure ?? { message }
  return jsonLine({ jsonrpc: '2.0', id, error: { code, message, ...(failure === undefined ? {} : { data }) } })
}

/** The answer to a line that is longer than allowed and was not read. */
export function tooLong(): string {
  return refusal(null, RPC_ERROR.parse, `A line is longer than ${MAX_LINE_BYTES} bytes.`)
}

/** The answer to a line that came while too many others are unanswered. */
export function tooMany(limit: number): string {
  return refusal(null, RPC_ERROR.failure, `More than ${limit} calls are unanswered.`)
}

function parse(line: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(line))
  } catch {
    return undefined
  }
}

function isId(id: unknown): id is Id {
  return id === null || typeof id === 'number' || (typeof id === 'string' && id.length <= 128)
}

/**
 * Answers one line of a client: a line of JSON, or undefined for a notification. Never rejects; whatever is wrong with
 * the line or the call is the answer.
 */
export async function answer(line: Uint8Array, context: ApiContext): Promise<string | undefined> {
  const call = parse(line)
  if (call === undefined) return refusal(null, RPC_ERROR.parse, 'This line is not JSON in UTF-8.')
  if (typeof call !== 'object' || call === null || Array.isArray(call)) {
    return refusal(
      null,
      RPC_ERROR.request,
      'A JSON-RPC 2.0 call is one object a line; several calls are several lines.',
    )
  }
  const given = Object.hasOwn(call, 'id')
  const id = 'id' in call ? call.id : null
  if (!isId(id)) return refusal(null, RPC_ERROR.request, 'An id is a number or a text of at most 128 characters.')
  if (!('jsonrpc' in call) || call.jsonrpc !== '2.0' || !('method' in call) || typeof call.method !== 'string') {
    return refusal(id, RPC_ERROR.request, 'A call has "jsonrpc": "2.0" and a "method".')
  }
  try {
    if (!isMethod(call.method)) return given ? refusal(id, RPC_ERROR.method, 'There is no such method.') : undefined
    const result = await runMethod(call.method, 'params' in call ? call.params : undefined, context)
    return given ? jsonLine({ jsonrpc: '2.0', id, result }) : undefined
  } catch (error) {
    const failure = failureOf(error)
    if (!given) return undefined
    return refusal(id, failure.code === 'invalid' ? RPC_ERROR.params : RPC_ERROR.failure, failure.message, failure)
  }
}
