import { ProtocolError, type ProtocolErrorCode } from '../lib/errors.ts'
import { NodeError, type NodeErrorCode } from '../node/errors.ts'

/** What only the command line and the local API refuse. */
export type CliErrorCode =
  /** The command was not understood. */
  | 'usage'
  /** No node runs on this home and the command needs one. */
  | 'no-node'
  /** A signal ended the command. */
  | 'interrupted'
  /** The home is protected and no passphrase was given. */
  | 'passphrase-needed'
  /** An address to listen on is in use already. */
  | 'address-in-use'
  /** `config.json` is no configuration. */
  | 'bad-config'
  /** A client of the local API was too slow, too greedy or spoke something else. */
  | 'refused'
  /** The operating system refused something. */
  | 'system'
  /** A defect of Sotto. */
  | 'internal'

export type ErrorCode = CliErrorCode | NodeErrorCode | ProtocolErrorCode

/** An error as people and programs see it. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly candidates?: readonly string[]
}

/** How a command ends. Part of the contract with scripts. */
export const EXIT = { ok: 0, failed: 1, usage: 2, noNode: 3, notReached: 4, interrupted: 130 } as const

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

interface Explanation {
  readonly exit: number
  /** Replaces a message that is not written for people. */
  readonly sentence?: string
  /** What to do, unless the error itself says something better. */
  readonly hint?: string
}

/** Every code, how the command ends with it and what is said. */
const EXPLANATIONS: { readonly [Code in ErrorCode]: Explanation } = {
  usage: { exit: EXIT.usage },
  'no-node': { exit: EXIT.noNode, hint: 'Start one with: sotto up' },
  interrupted: { exit: EXIT.interrupted },
  'passphrase-needed': {
    exit: EXIT.usage,
    hint: 'Give it with --passphrase-file FILE or --passphrase-fd N, or run this on a terminal.',
  },
  'address-in-use': {
    exit: EXIT.failed,
    hint: 'Choose another with --listen, or stop what uses it.',
  },
  'bad-config': { exit: EXIT.failed, hint: 'Correct config.json in the home, or remove it.' },
  refused: { exit: EXIT.failed },
  system: { exit: EXIT.failed },
  internal: { exit: EXIT.failed, hint: 'This is a defect of Sotto; -v shows where.' },

  'wrong-passphrase': { exit: EXIT.failed },
  damaged: { exit: EXIT.failed },
  'newer-schema': { exit: EXIT.failed, hint: 'Install that version of Sotto, or a newer one.' },
  locked: { exit: EXIT.failed, hint: 'Stop the other one (sotto down), or wait until it is done.' },
  'no-account': { exit: EXIT.failed, hint: 'Make one with: sotto init' },
  'account-exists': { exit: EXIT.failed, hint: 'Use it, or make another in a new home: sotto --home DIR init' },
  'not-found': { exit: EXIT.failed, hint: 'Whom you know: sotto contacts, sotto requests' },
  ambiguous: { exit: EXIT.usage },
  invalid: { exit: EXIT.usage },
  'wrong-state': { exit: EXIT.failed },
  peer_away: {
    exit: EXIT.notReached,
    hint: 'Try again when they are online, or let the node keep it: sotto up --delivery outbox',
  },
  'outbox-full': { exit: EXIT.failed, hint: 'Wait until what is queued was delivered.' },
  timeout: { exit: EXIT.notReached },
  failed: { exit: EXIT.failed },
  unreachable: { exit: EXIT.failed },
  storage: { exit: EXIT.failed, hint: 'Look for free space and permissions of the home.' },
  stopped: { exit: EXIT.noNode, hint: 'Start it again with: sotto up' },

  malformed: { exit: EXIT.failed, sentence: 'This is not in the expected form.' },
  unauthentic: {
    exit: EXIT.failed,
    sentence: 'A signature does not hold; this was altered or is not from whom it claims.',
  },
  'out-of-date': { exit: EXIT.failed, sentence: 'This is no longer valid.', hint: 'Ask for a new one.' },
  'rolled-back': { exit: EXIT.failed, sentence: 'This is older than what is known already.' },
  'newer-version': { exit: EXIT.failed, sentence: 'This was made by a newer version of Sotto.' },
  limit: { exit: EXIT.failed, sentence: 'This is larger than the protocol allows.' },
  unreadable: { exit: EXIT.failed, sentence: 'There is no key that opens this.' },
}

/** Whether a text, from the local API for example, is a code of this version. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(EXPLANATIONS, code)
}

/** How a command ends that failed like this. */
export function exitCodeOf(failure: Failure): number {
  return EXPLANATIONS[failure.code].exit
}

function systemFailure(error: Error): { code: CliErrorCode | NodeErrorCode; message: string } | undefined {
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
