/** What a node grants the network. Every number is per process. */
export interface NetworkLimits {
  /** Connections above which inbound ones are refused and idle ones closed. */
  readonly maxConnections: number
  /** New inbound connections that one host may open in a second. */
  readonly inboundPerHostAndSecond: number
  /** Inbound connections that have not finished their handshake. */
  readonly maxPendingInbound: number
  /** Open connections from one host. The library has no such limit. */
  readonly maxConnectionsPerHost: number
  /** Slot values kept for others. */
  readonly maxRecords: number
  /** Bytes of those values. */
  readonly maxRecordBytes: number
}

/** A laptop: contacts, twenty or so neighbours in the DHT, and room for strangers who write for the first time. */
export const NODE_LIMITS: NetworkLimits = {
  maxConnections: 80,
  inboundPerHostAndSecond: 5,
  maxPendingInbound: 10,
  // a household or a conference behind one address; one hostile host gets a fifth of the places
  maxConnectionsPerHost: 16,
  maxRecords: 4_096,
  maxRecordBytes: 32 * 1024 * 1024,
}

/** A rendezvous node: everybody's first connection. */
export const BOOTSTRAP_LIMITS: NetworkLimits = {
  maxConnections: 2_000,
  inboundPerHostAndSecond: 20,
  maxPendingInbound: 200,
  // whole providers sit behind one address (carrier-grade NAT)
  maxConnectionsPerHost: 128,
  maxRecords: 32_768,
  maxRecordBytes: 256 * 1024 * 1024,
}

/** Many nodes on one machine, all of them from one address and started at once. */
export const MESH_LIMITS: NetworkLimits = {
  maxConnections: 500,
  inboundPerHostAndSecond: 10_000,
  maxPendingInbound: 1_000,
  maxConnectionsPerHost: 10_000,
  maxRecords: 4_096,
  maxRecordBytes: 32 * 1024 * 1024,
}

/** Inbound chat streams of one connection: one is in use, the others are of a peer that reconnects within it. */
export const MAX_CHAT_STREAMS = 4
/** Inbound streams to the own mailbox of one connection: one to leave, one to fetch, others of a peer that reconnects. */
export const MAX_MAILBOX_STREAMS = 4
/** Streams of gossip in each direction of one connection: one is in use, the other of a peer that begins again. */
export const MAX_GOSSIP_STREAMS = 2
/** Links of one peer: two that dial each other at once have two for good, reconnecting makes it more for a moment. */
export const MAX_LINKS_PER_PEER = 4
/**
 * The yamux window of a stream, and thereby what a sender can push onto a reader that is busy. Above the library's 4 MiB
 * read buffer (its window grows to 16 MiB) a paused stream would be reset by a fast sender.
 */
export const MAX_STREAM_WINDOW_BYTES: number = 1024 * 1024
/** All dials of one address, from the TCP handshake to the identity of the peer. */
export const ADDRESS_TIMEOUT_MS = 6_000
/** Opening a stream on a connection that already exists; a dead one is found out by this. */
export const STREAM_TIMEOUT_MS = 4_000
