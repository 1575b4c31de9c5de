/**
 * The protocol alone: pure functions and one state machine, without network, disk, clock or randomness of its own. Time
 * is in ms unless a name says otherwise, keys and records are byte arrays, and what is refused throws a `ProtocolError`.
 */
export { ProtocolError, type ProtocolErrorCode } from './errors.ts'
export { decode, encode, type WireValue } from './wire.ts'
export { RANGES, type Range, type Row } from './rows.ts'

export type {
  Aead,
  DhKeyPair,
  DhPublic,
  KemKeyPair,
  Primitives,
  Random,
  SigningKey,
} from './crypto/primitives.ts'
export { portable } from './crypto/portable.ts'
export { verifyEd25519 } from './crypto/ed25519.ts'
export { pad, unpad } from './crypto/padding.ts'

export { createRecoverySeed, seedFromWords, wordsFromSeed } from './identity/words.ts'
export { accountId, decodeAccount, encodeAccount } from './identity/account.ts'
export { createSelf, decodeSelf, encodeSelf, renewAccountRecord, type Self } from './identity/self.ts'
export { type AccountRecord, verifyAccountRecord } from './identity/account-record.ts'
export { type DeviceRecord, signDeviceRecord, verifyDeviceRecord } from './identity/device-record.ts'
export { createPrekey, type Prekey, type PrekeyPair, parsePrekey } from './identity/prekeys.ts'
export { daysToLookUp, daysToPublish, openSlot, PUBLIC_SLOT_SECRET, sealSlot, slotKey } from './identity/slot.ts'
export { checkSlotValue, compareSlotValues } from './identity/slot-value.ts'
export { decodeLink, encodeInvite, type Invite } from './identity/invite.ts'
export { formatSafetyNumber, safetyNumber } from './identity/safety-number.ts'

export {
  acceptPrefix,
  createPrefix,
  openPrefix,
  type OwnKeys,
  type OwnPrekey,
  type PeerKeys,
} from './session/handshake.ts'
export { prefixHash, splitPrefix } from './session/prefix.ts'
export { canSeal, type Session } from './session/session.ts'
export { fits, sealFrame } from './session/seal.ts'
export { openFrame, type OpenResult } from './session/open.ts'
export { decodeSession, encodeSession } from './session/session-codec.ts'
export { linkProof } from './session/link-proof.ts'

export { decodePayload, encodePayload, KINDS, type Payload } from './conversation/payload.ts'
export { type Content, decodeContent, encodeContent } from './conversation/contents.ts'
export { decodeRecord, type MessageRecord, viewMessage } from './conversation/history.ts'

export { type Chat, createChat, type Person } from './chat.ts'
export type { ChatEvent, Command, Effect, Event, Reply } from './chat/events.ts'
export { HELD_RANGES, heldRows, type StoredRows } from './chat/loading.ts'
export type { ChatOptions } from './chat/machine.ts'
export { rowsOfNewAccount } from './chat/own.ts'
