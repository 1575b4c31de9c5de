import { base64urlnopad } from '@scure/base'
import { PUBLIC_KEY_BYTES } from '../crypto/ed25519.ts'
import { ProtocolError } from '../errors.ts'
import { asArray, asBytes, asNullable, asUint, decodeTyped, encode, malformed } from '../wire.ts'
import { assertAccountKey, decodeAccount } from './account.ts'

/** The longest link, characters: what a QR code still shows well and a chat does not break. */
export const MAX_LINK_LENGTH = 512

/** How many addresses an invite may carry. */
export const MAX_INVITE_ADDRESSES = 4

/** The longest address in an invite, bytes: room for a name, a port and a PeerId. */
export const MAX_INVITE_ADDRESS_BYTES = 128

/** What a link says: whom to add, and how to find them. */
export interface Invite {
  /** AK_0, 32 bytes. */
  readonly account: Uint8Array
  /** The secret of the slot in which the inviter's addresses lie, 32 bytes; null for the public slot. */
  readonly secret: Uint8Array | null
  /** Unix seconds after which the inviter no longer serves it; null for never. */
  readonly expires: number | null
  /** At most four binary multiaddrs with `/p2p`, to be tried before the DHT. */
  readonly addresses: readonly Uint8Array[]
}

/**
 * The invite as a URI: `sotto:` and the base64url of `[1, "invite", AK_0, secret, expires, addresses]`. It is not signed:
 * whoever can change a link on its way can put in another account as well.
 * Throws `limit` when it would be longer than `MAX_LINK_LENGTH` or carries too many addresses.
 */
export function encodeInvite({ account, secret, expires, addresses }: Invite): string {
  if (addresses.length > MAX_INVITE_ADDRESSES) {
    throw new ProtocolError('limit', `at most ${MAX_INVITE_ADDRESSES} addresses fit an invite, got ${addresses.length}`)
  }
  const link = SCHEME + base64urlnopad.encode(encode([1, 'invite', account, secret, expires, addresses]))
  if (link.length > MAX_LINK_LENGTH) {
    throw new ProtocolError('limit', `a link has at most ${MAX_LINK_LENGTH} characters, got ${link.length}`)
  }
  return link
}

/**
 * Reads an invite, or a bare account (`sotto1…`) as an invite that says no more. Space around it is forgiven. Whether it
 * has expired is the caller's to ask. Throws `malformed` or `newer-version`.
 */
export function decodeLink(text: string): Invite {
  if (text.length > MAX_TEXT_LENGTH) throw malformed(`a link has at most ${MAX_LINK_LENGTH} characters`)
  const link = text.trim()
  if (link.length > MAX_LINK_LENGTH) throw malformed(`a link has at most ${MAX_LINK_LENGTH} characters`)
  if (link.slice(0, SCHEME.length).toLowerCase() === SCHEME) return decodeInvite(link.slice(SCHEME.length))
  if (link.slice(0, 6).toLowerCase() === 'sotto1') {
    return { account: decodeAccount(link), secret: null, expires: null, addresses: [] }
  }
  throw malformed('expected an invite (sotto:…) or an account (sotto1…)')
}

function decodeInvite(payload: string): Invite {
  const fields = decodeTyped(fromBase64Url(payload), { type: 'invite', fields: 4, maxBytes: MAX_LINK_LENGTH })
  const account = asBytes(fields[0], 'account', { length: PUBLIC_KEY_BYTES })
  const secret = asNullable(fields[1], (value) => asBytes(value, 'invite secret', { length: 32 }))
  const expires = asNullable(fields[2], (value) => asUint(value, 'expires'))
  const addresses = asArray(fields[3], 'addresses', { max: MAX_INVITE_ADDRESSES }).map((address) =>
    asBytes(address, 'address', { max: MAX_INVITE_ADDRESS_BYTES }),
  )
  assertAccountKey(account)
  return { account, secret, expires, addresses }
}

function fromBase64Url(text: string): Uint8Array {
  try {
    return base64urlnopad.decode(text)
  } catch {
    // The cause would carry the secret.
    throw malformed('invite: a character is wrong or missing')
  }
}

const SCHEME = 'sotto:'
/** With the space around a link that people copy along. */
const MAX_TEXT_LENGTH = 4 * MAX_LINK_LENGTH
