/** Every reason for which the protocol refuses something. The set is closed: callers may switch over it. */
export type ProtocolErrorCode =
  /** Bytes that are no canonical encoding of what was expected: wrong size, type, version, nesting or trailing bytes. */
  | 'malformed'
  /** A signature, tag or proof that does not hold. */
  | 'unauthentic'
  /** Well-formed and authentic, but no longer or not yet valid by the given time. */
  | 'out-of-date'
  /** Lower than what is pinned, or the same number with other content. */
  | 'rolled-back'
  /** Another version of the format: written by a newer Sotto. */
  | 'newer-version'
  /** A documented limit would be exceeded. */
  | 'limit'
  /** A frame or prefix for which no key is held. */
  | 'unreadable'

/**
 * What `lib` throws when input from outside is refused. The state that was passed in stays valid and unchanged.
 * Messages are lower case, say what was expected and what came, and never carry a secret.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
