/** Peers that break the rules, for tests of what keeps them: one file each. They live in simulated meshes, one in the real DHT. */
export { type ClonedDevice, createClonedDevice } from './cloned-device.ts'
export { createRefusingServer, createStaleServer, type HostileServer, type Staleness } from './dht-server.ts'
export { createEquivocator, type Equivocator } from './equivocator.ts'
export { createFlooder, type Flood, type Flooder } from './flooder.ts'
export { createForger, type Forger, type Forgery } from './forger.ts'
export {
  createHostileMailbox,
  type HostileMailbox,
  MAILBOX_MISBEHAVIOURS,
  type MailboxMisbehaviour,
} from './hostile-mailbox.ts'
export { createHostileNode, type HostileNode, type Tamper } from './hostile-node.ts'
export { createKeyCrowder, type KeyCrowder } from './key-crowder.ts'
export {
  createMailboxIntruder,
  type Intrusion,
  MAILBOX_INTRUSIONS,
  type MailboxIntruder,
  type MailboxIntrusion,
} from './mailbox-intruder.ts'
export { createLibp2pServer, type Libp2pServer, type Misbehaviour } from './libp2p-server.ts'
export type { MalformedKey } from './malformed-keys.ts'
export { createMalformedSigner, type MalformedSigner } from './malformed-signer.ts'
export { createOutsider } from './outsider.ts'
export type { HostileCounts, HostileLink, HostileOptions, HostilePeer, Outsider } from './outsider.ts'
export { createOversizeSender, type OversizeSender } from './oversize-sender.ts'
export { createPrekeyThief, type PrekeyThief } from './prekey-thief.ts'
export { createReplayer, type Recorded, type Replayer } from './replayer.ts'
export { createSlowReader, type SlowReader } from './slow-reader.ts'
