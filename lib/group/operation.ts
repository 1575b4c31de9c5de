import { compareBytes, concat, toHex } from '../bytes.ts'
import { PUBLIC_KEY_BYTES } from '../crypto/ed25519.ts'
import type { Primitives, SigningKey } from '../crypto/primitives.ts'
import { sign, verifySignature } from '../crypto/signed.ts'
import { asEmptyOr, GROUP_ID_BYTES, HASH_BYTES, MAX_TIME_MS } from '../conversation/payload.ts'
import { ProtocolError } from '../errors.ts'
import { DEVICE_ID_BYTES } from '../identity/account-record.ts'
import { splitSigned } from '../identity/signed-value.ts'
import { asBytes, asUint, decodeTyped, encode, malformed, type WireValue } from '../wire.ts'
import { type Content, readContent, readIds, writeContent } from './operation-content.ts'

/** The largest operation with its signature, bytes: a card with sixteen parents takes about 3,300. */
export const MAX_OPERATION_BYTES = 4096
/** How many operations one may name that it follows, besides the author's own previous one. */
export const MAX_PARENTS = 16
/** How deep a graph may be: an operation stands one above the highest that it follows. */
export const MAX_OPERATION_LAMPORT: number = 2 ** 32 - 1

/** An operation's name: the SHA-256 of its bytes in lower-case hexadecimal. That of the create operation names the group. */
export type OperationId = string

/** What an author decides about an operation; the rest is its signature. */
export interface OperationBody {
  /** 32 bytes; empty in the create operation, whose id it is. */
  readonly gid: Uint8Array
  /** The ids that it follows, at most 16, ascending, without `previous`. */
  readonly parents: readonly Uint8Array[]
  /** The id of the newest operation of the same device in this group; empty in its first. */
  readonly previous: Uint8Array
  /** AK_0 of the author, 32 bytes. */
  readonly account: Uint8Array
  /** The author's device, 16 bytes. */
  readonly did: Uint8Array
  /** One more than the highest of those that it follows; 0 in the create operation. */
  readonly lamport: number
  readonly content: Content
  /** The author's clock in ms, for display. */
  readonly sentAt: number
}

/**
 * One step in the life of a group, signed by the device that made it:
 * `[1, "op", gid, parents, previous, AK_0, did, lamport, kind, args, sent-at] || signature`.
 */
export interface Operation extends OperationBody {
  /** 64 bytes, by DSK. */
  readonly signature: Uint8Array
  /** The exact bytes, signature included. Never encode a received operation again. */
  readonly bytes: Uint8Array
}

/** Signs an operation by the DSK of its author. Throws a `TypeError` for one that readers would refuse to read. */
export function signOperation(primitives: Primitives, key: SigningKey, body: OperationBody): Operation {
  const encoded = encode(fieldsOf(body))
  const bytes = concat(encoded, sign(primitives, key, 'op', encoded))
  try {
    return decodeOperation(bytes)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new TypeError(`operation: ${cause.message}`, { cause })
  }
}

/**
 * Reads an operation that came from outside. Neither its signature nor that of the account record in it is checked, nor
 * whether its author may do this: the graph and its view decide that. Throws `malformed` or `newer-version`.
 */
export function decodeOperation(bytes: Uint8Array): Operation {
  const { body, signature } = splitSigned(bytes, 'operation', MAX_OPERATION_BYTES)
  const fields = decodeTyped(body, { type: 'op', fields: 9, maxBytes: MAX_OPERATION_BYTES })
  const operation: Operation = {
    gid: asEmptyOr(fields[0], 'gid', GROUP_ID_BYTES),
    parents: readIds(fields[1], 'parents', MAX_PARENTS),
    previous: asEmptyOr(fields[2], 'previous operation', HASH_BYTES),
    account: asBytes(fields[3], 'account', { length: PUBLIC_KEY_BYTES }),
    did: asBytes(fields[4], 'did', { length: DEVICE_ID_BYTES }),
    lamport: asUint(fields[5], 'lamport', MAX_OPERATION_LAMPORT),
    content: readContent(fields[6], fields[7]),
    sentAt: asUint(fields[8], 'sent-at', MAX_TIME_MS),
    signature,
    bytes,
  }
  assertPlace(operation)
  return operation
}

/** The bytes of an operation from its fields and its signature. */
export function encodeOperation(operation: OperationBody & Pick<Operation, 'signature'>): Uint8Array {
  return concat(encode(fieldsOf(operation)), operation.signature)
}

/** The name of an operation: SHA-256 of its exact bytes, signature included. */
export function operationId(primitives: Primitives, bytes: Uint8Array): OperationId {
  return toHex(primitives.sha256(bytes))
}

/** Whether a device's key signed the operation. */
export function isSignedBy(primitives: Primitives, dsk: Uint8Array, { bytes, signature }: Operation): boolean {
  return verifySignature(primitives, dsk, 'op', bytes.subarray(0, bytes.length - signature.length), signature)
}

function fieldsOf(body: OperationBody): readonly WireValue[] {
  const { gid, parents, previous, account, did, lamport, content, sentAt } = body
  const [kind, args] = writeContent(content)
  return [1, 'op', gid, parents, previous, account, did, lamport, kind, args, sentAt]
}

/** The create operation follows nothing and belongs to nothing yet; every other one does both. */
function assertPlace({ gid, parents, previous, lamport, content }: Operation): void {
  const first = content.kind === 'create'
  if (first !== (gid.length === 0)) throw malformed('gid: only the create operation has none')
  const follows = parents.length + (previous.length > 0 ? 1 : 0)
  if (first !== (follows === 0)) throw malformed('parents: only the create operation has none')
  if (first !== (lamport === 0)) throw malformed('lamport: only the create operation has 0')
  if (parents.some((id) => compareBytes(id, previous) === 0))
    throw malformed('parents: the own previous is none of them')
}
