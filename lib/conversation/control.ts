import { asArray, asBytes, asUint, type WireValue } from '../wire.ts'
import { MAX_COUNTER } from './ranges.ts'
import { MAX_TIME_MS } from './payload.ts'

/** The most that an offer or answer of the post-quantum step may be: a number and a key or ciphertext of ML-KEM-768. */
export const MAX_PQ_BYTES = 1280

/** What the two ends of a session tell each other about it; never shown, never numbered. */
export type Control =
  /** The refused session's gen (ms) was not above this one. */
  | { readonly code: 'gen-too-low'; readonly gen: number }
  /** Your device used again what it had used: your highest counter that I know in the payload's conversation. */
  | { readonly code: 'rolled-back'; readonly counter: number }
  /** In the old session: the next one is mine. */
  | { readonly code: 'moved'; readonly session: Uint8Array }
  | { readonly code: 'pq-offer'; readonly bytes: Uint8Array }
  | { readonly code: 'pq-answer'; readonly bytes: Uint8Array }
  /** My latest counter in the payload's conversation, so that a lost last message is noticed. */
  | { readonly code: 'heartbeat'; readonly counter: number }

export const CONTROL_CODES: Readonly<Record<Control['code'], number>> = {
  'gen-too-low': 1,
  'rolled-back': 2,
  moved: 3,
  'pq-offer': 4,
  'pq-answer': 5,
  heartbeat: 6,
}

/** `[code, argument]`. */
export function writeControl(control: Control): WireValue {
  const code = CONTROL_CODES[control.code]
  switch (control.code) {
    case 'gen-too-low':
      return [code, control.gen]
    case 'rolled-back':
    case 'heartbeat':
      return [code, control.counter]
    case 'moved':
      return [code, control.session]
    default:
      return [code, control.bytes]
  }
}

/** Reads `[code, argument]`; null for a code that only a newer version knows. Throws `malformed`. */
export function readControl(value: WireValue): Control | null {
  const items = asArray(value, 'control', { length: 2 })
  const argument = items[1]
  switch (asUint(items[0], 'control code')) {
    case CONTROL_CODES['gen-too-low']:
      return { code: 'gen-too-low', gen: asUint(argument, 'gen', MAX_TIME_MS) }
    case CONTROL_CODES['rolled-back']:
      return { code: 'rolled-back', counter: asUint(argument, 'counter', MAX_COUNTER) }
    case CONTROL_CODES.moved:
      return { code: 'moved', session: asBytes(argument, 'session id', { length: 32 }) }
    case CONTROL_CODES['pq-offer']:
      return { code: 'pq-offer', bytes: asBytes(argument, 'pq-offer', { max: MAX_PQ_BYTES }) }
    case CONTROL_CODES['pq-answer']:
      return { code: 'pq-answer', bytes: asBytes(argument, 'pq-answer', { max: MAX_PQ_BYTES }) }
    case CONTROL_CODES.heartbeat:
      return { code: 'heartbeat', counter: asUint(argument, 'counter', MAX_COUNTER) }
    default:
      return null
  }
}
