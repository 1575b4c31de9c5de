import { ProtocolError } from '../lib/errors.ts'
import { NodeError } from '../node/errors.ts'
import { type ErrorCode, EXPLANATIONS } from './explanations.ts'

export { type ErrorCode, EXIT } from './explanations.ts'

/** An error as people and programs see it. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly candidates?: readonly string[]
}

/** What the command line throws, and what an error from the local API becomes again at the client. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly candidates: readonly string[] | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options?: { cause?: unknown; hint?: string | undefined; candidates?: readonly string[] | undefined },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options?.hint
    this.candidates = options?.candidates
  }
}

/** What a command throws that a signal of the system ended. */
export function interruption(ended: AbortSignal): CliError {
  return ended.reason instanceof CliError ? ended.reason : new CliError('interrupted', 'Interrupted.')
}

/** Whether a text, from the local API for example, is a code of this version. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(EXPLANATIONS, code)
}

/** How a command ends that failed like this. */
export function exitCodeOf(failure: Failure): number {
  return EXPLANATIONS[failure.code].exit
}

function systemFailure(error: Error): { code: ErrorCode; message: string } | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  switch (code) {
    case 'EADDRINUSE':
      return { code: 'address-in-use', message: 'An address to listen on is in use already.' }
    case 'EADDRNOTAVAIL':
      return { code: 'usage', message: 'An address to listen on does not belong to this machine.' }
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EROFS':
      return { code: 'storage', message: `The disk refused a write (${code}).` }
    case 'EIO':
      return { code: 'storage', message: 'The disk failed (EIO).' }
    default:
      return /^E[A-Z0-9]+$/.test(code)
        ? { code: 'system', message: `The system refused: ${error.message}.` }
        : undefined
  }
}

function findCause(error: Error): Error {
  // a transport wraps the reason for which it cannot listen
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  return inner instanceof Error && systemFailure(error) === undefined ? findCause(inner) : error
}

/** Node and protocol speak in lower case, for logs; people read sentences. */
function sentenceOf(message: string): string {
  const sentence = capitalised(message)
  return /[.!?:]$/.test(sentence) ? sentence : `${sentence}.`
}

/** A hint may end in a command, to be copied: it gets no full stop. */
function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}

/** What anything that was thrown means to people and programs. Carries no stack and nothing of an unexpected error but its text. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CliError || error instanceof NodeError || error instanceof ProtocolError) {
    const { sentence, hint: usual } = EXPLANATIONS[error.code]
    const own = error instanceof ProtocolError ? undefined : error
    const hint = own?.hint ?? usual
    return {
      code: error.code,
      message: sentence ?? sentenceOf(error.message),
      ...(hint === undefined ? {} : { hint: capitalised(hint) }),
      ...(own?.candidates === undefined ? {} : { candidates: own.candidates }),
    }
  }
  if (error instanceof Error) {
    const system = systemFailure(findCause(error))
    if (system !== undefined) return failureOf(new CliError(system.code, system.message))
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no error was thrown'
  return failureOf(new CliError('internal', `Something went wrong that should not (${text}).`))
}
