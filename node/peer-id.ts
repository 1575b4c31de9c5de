import { base58 } from '@scure/base'
import { concat } from '../lib/bytes.ts'

/** The head of an Ed25519 PeerId: identity multihash of 36 bytes, holding a protobuf of key type 1 and 32 key bytes. */
const ED25519_HEAD: Uint8Array = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/**
 * The text of the PeerId of an Ed25519 public key (libp2p peer-ids spec), so that a command that opens no connection need
 * not load libp2p to say it.
 */
export function peerIdText(publicKey: Uint8Array): string {
  return base58.encode(concat(ED25519_HEAD, publicKey))
}
