import { privateKeyFromProtobuf, privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { concat } from '../../lib/bytes.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import type { Logger } from '../api.ts'
import type { Timers } from './bootstraps.ts'
import { BOOTSTRAP_LIMITS, MESH_LIMITS, type NetworkLimits, NODE_LIMITS } from './limits.ts'
import type { SlotRules } from './slot-store.ts'

export interface Libp2pNetworkOptions {
  /** The Ed25519 key of the PeerId: a seed of 32 bytes, or a libp2p private key in protobuf form. It authenticates links, never a person. */
  readonly privateKey: Uint8Array
  /** `memory` connects nodes within one process, for tests and meshes. */
  readonly transport: 'tcp' | 'memory'
  /** Multiaddr texts such as `/ip4/0.0.0.0/tcp/0` (port 0: a free one; read it back from `addresses()`) or `/memory/name`. */
  readonly listen: readonly string[]
  /** What to tell others instead of the addresses listened on (a forwarded port, a public name). */
  readonly announce?: readonly string[]
  /** Binary multiaddrs with `/p2p`. */
  readonly bootstrap?: readonly Uint8Array[]
  /** A `bootstrap` node has no account: it is a DHT server and takes many connections, but no links. */
  readonly role: 'node' | 'bootstrap'
  /** Whether others may open links to a mailbox here. */
  readonly mailbox?: boolean
  readonly primitives: Primitives
  /** What makes a slot value good; the protocol's rules unless a test brings others. */
  readonly rules?: SlotRules
  readonly logger: Logger
  /** The defaults follow the role; `mesh` is for many nodes on one machine. */
  readonly limits?: 'mesh' | Partial<NetworkLimits>
  readonly timers?: Timers
  /** Time in ms, for what of slots depends on it. */
  now(): number
}

/** The limits that the options come to. */
export function limitsOf({ limits, role }: Libp2pNetworkOptions): NetworkLimits {
  if (limits === 'mesh') return MESH_LIMITS
  return { ...(role === 'bootstrap' ? BOOTSTRAP_LIMITS : NODE_LIMITS), ...limits }
}

/** The key of the PeerId. Throws a `TypeError` when it is none of the two forms. */
export function readPrivateKey(bytes: Uint8Array, { signing }: Primitives): PrivateKey {
  // the library would derive the public key in plain JavaScript, in a tenth of the time of a whole start
  if (bytes.length === 32) return privateKeyFromRaw(concat(bytes, signing.fromSeed(bytes).publicKey))
  let key: PrivateKey | undefined
  try {
    key = privateKeyFromProtobuf(bytes)
  } catch {
    // the error below says what was expected; the library's could quote the key
  }
  if (key?.type !== 'Ed25519') throw new TypeError('expected an Ed25519 private key: a 32-byte seed or libp2p protobuf')
  return key
}
