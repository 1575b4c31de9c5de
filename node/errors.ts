/** Every reason for which a node refuses or fails. Closed, so that the command line can give each its sentence, hint and exit code. */
export type NodeErrorCode =
  /** The passphrase does not open this home. */
  | 'wrong-passphrase'
  /** The vault or the database was altered or is damaged; nothing was changed. */
  | 'damaged'
  /** The home was written by a newer Sotto. */
  | 'newer-schema'
  /** Another process uses this home. */
  | 'locked'
  /** There is no account in this home yet. */
  | 'no-account'
  /** There is one already. */
  | 'account-exists'
  /** A file that is to be written is there already. */
  | 'file-exists'
  /** No contact, request or message goes by that name. */
  | 'not-found'
  /** Several contacts do; `candidates` names them. */
  | 'ambiguous'
  /** What was given is no link, account, text … of the expected form. */
  | 'invalid'
  /** The contact is not in a state in which this can be done (not accepted, blocked, own account …). */
  | 'wrong-state'
  /** The account was made again on another device: this one says nothing to anybody any more. */
  | 'revoked'
  /** `live` mode: there is no live path to the peer. */
  | 'peer_away'
  /** The bounded outbox is full. */
  | 'outbox-full'
  /** The state waited for was not reached in time. */
  | 'timeout'
  /** The state waited for can no longer be reached. */
  | 'failed'
  /** None of the addresses of a peer answers. */
  | 'unreachable'
  /** The disk refused a write; nothing was accepted. */
  | 'storage'
  /** The node was stopped. */
  | 'stopped'

/** What `node` throws. Messages are whole sentences for people and carry no secret; `hint` says what to do. */
export class NodeError extends Error {
  override readonly name = 'NodeError'
  readonly code: NodeErrorCode
  readonly hint: string | undefined
  readonly candidates: readonly string[] | undefined

  constructor(
    code: NodeErrorCode,
    message: string,
    options?: { cause?: unknown; hint?: string; candidates?: readonly string[] },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options?.hint
    this.candidates = options?.candidates
  }
}

const BY_REASON: readonly (readonly [reason: RegExp, hint: string])[] = [
  [/ENOSPC|EDQUOT|no space left|quota exceeded/i, 'make room on the disk'],
  [
    /EIO|input\/output error/i,
    'the disk itself fails: see the log of the system, make a backup to another disk (sotto backup FILE) and go on there',
  ],
]

/** The disk did not do what it was to do; what helps follows from why, as far as it said so. Damage stays damage. */
export function storageError(message: string, cause: unknown): NodeError {
  if (cause instanceof NodeError && cause.code === 'damaged') return cause
  const hint = BY_REASON.find(([reason]) => reason.test(reasonsOf(cause)))?.[1]
  return new NodeError('storage', message, { cause, ...(hint !== undefined && { hint }) })
}

function reasonsOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${reasonsOf(error.cause)}` : ''
}
