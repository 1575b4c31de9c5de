import { MAX_COUNTER } from './ranges.ts'
import { asArray, asBytes, asNullable, asUint, malformed, type WireValue } from '../wire.ts'

/** Operations in one payload; more are catching up for a while anyway. */
export const MAX_GROUP_OPS = 64
/** Over all operations of one payload, so that with the other fields of the payload it stays below its limit. */
export const MAX_GROUP_OPS_BYTES: number = 13 * 1024
/** Newest operations that somebody knows; as many as an operation may have parents. */
export const MAX_GROUP_HEADS = 16
/**
 * Newest operations in one `group-have`. Everybody who joins at once makes one, and what is not named there is sent again: so nearly as many
 * as a group has members, and as many as fit beside its chains.
 */
export const MAX_HAVE_HEADS = 224
/** Sender chains in one `group-have`: one for each member of the largest group. */
export const MAX_HAVE_CHAINS = 256
export const MAX_WANTED_OPS = 128
export const MAX_WANTED_RUNS = 64
/** Over all runs of one `group-want`: what is looked up and sent again at most. */
export const MAX_WANTED_FRAMES = 1024
export const CHAIN_ID_BYTES = 16
export const OPERATION_ID_BYTES = 32

const U32 = 0xffff_ffff

/** The key that topics of a group are made of, and the operation that it belongs to. */
export interface TopicKey {
  /** Id of the create or the removal whose author drew the key, 32 bytes. */
  readonly operation: Uint8Array
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** A sender chain as its owner hands it out: from frame `n` on it can be read. */
export interface ChainAnnouncement {
  /** Stands at number `n`; 32 bytes. */
  readonly chainKey: Uint8Array
  readonly n: number
  /** Number of the owner's last numbered payload before that frame: up to it nothing is for whom is told. */
  readonly after: number
  /** Opens the headers of all frames of the chain; 32 bytes. */
  readonly headerKey: Uint8Array
  /** Ed25519, signs the frames of this chain and nothing else; 32 bytes. */
  readonly publicKey: Uint8Array
  /** Ids of the newest operations that the owner knew when it began the chain. */
  readonly heads: readonly Uint8Array[]
  /** The newest topic key that the owner holds. */
  readonly topic: TopicKey | null
}

/** How far somebody has come in a chain. */
export interface ChainProgress {
  /** 16 bytes. */
  readonly chain: Uint8Array
  /** One more than the highest number of it that is here. */
  readonly next: number
}

/** Frames of a chain, both numbers included. */
export interface FrameRun {
  /** 16 bytes. */
  readonly chain: Uint8Array
  readonly from: number
  readonly to: number
}

/** What members of a group tell each other; which group says the payload's field `conversation`. */
export type GroupContent =
  /** Operations of the author's, numbered with its other messages. */
  | { readonly kind: 'group-op'; readonly operations: readonly Uint8Array[] }
  /** Operations of anybody, to catch up: each proves itself by its signature. */
  | { readonly kind: 'group-ops'; readonly operations: readonly Uint8Array[] }
  | { readonly kind: 'group-keys'; readonly announcement: ChainAnnouncement }
  | { readonly kind: 'group-have'; readonly heads: readonly Uint8Array[]; readonly chains: readonly ChainProgress[] }
  | { readonly kind: 'group-want'; readonly operations: readonly Uint8Array[]; readonly frames: readonly FrameRun[] }

type GroupReader = (value: WireValue) => GroupContent

/** How the content stands on the wire. */
export function writeGroupContent(content: GroupContent): WireValue {
  switch (content.kind) {
    case 'group-op':
    case 'group-ops':
      return content.operations
    case 'group-keys': {
      const { chainKey, n, after, headerKey, publicKey, heads, topic } = content.announcement
      return [chainKey, n, after, headerKey, publicKey, heads, topic && [topic.operation, topic.key]]
    }
    case 'group-have':
      return [content.heads, content.chains.map(({ chain, next }) => [chain, next])]
    default:
      return [content.operations, content.frames.map(({ chain, from, to }) => [chain, from, to])]
  }
}

/** One reader for each kind; it takes the whole content and throws `malformed`. */
export const GROUP_READERS: Readonly<Record<GroupContent['kind'], GroupReader>> = {
  'group-op': (value) => ({ kind: 'group-op', operations: readOperations(value) }),
  'group-ops': (value) => ({ kind: 'group-ops', operations: readOperations(value) }),
  'group-keys'(value) {
    const [chainKey, n, after, headerKey, publicKey, heads, topic] = asArray(value, 'group-keys', { length: 7 })
    return {
      kind: 'group-keys',
      announcement: {
        chainKey: asBytes(chainKey, 'chain key', { length: 32 }),
        n: asUint(n, 'n', U32),
        after: asUint(after, 'after', MAX_COUNTER),
        headerKey: asBytes(headerKey, 'header key', { length: 32 }),
        publicKey: asBytes(publicKey, 'public key', { length: 32 }),
        heads: readIds(heads, 'heads', MAX_GROUP_HEADS),
        topic: asNullable(topic, readTopicKey),
      },
    }
  },
  'group-have'(value) {
    const [heads, chains] = asArray(value, 'group-have', { length: 2 })
    return {
      kind: 'group-have',
      heads: readIds(heads, 'heads', MAX_HAVE_HEADS),
      chains: asArray(chains, 'chains', { max: MAX_HAVE_CHAINS }).map(readProgress),
    }
  },
  'group-want'(value) {
    const [operations, frames] = asArray(value, 'group-want', { length: 2 })
    return {
      kind: 'group-want',
      operations: readIds(operations, 'operations', MAX_WANTED_OPS),
      frames: readRuns(frames),
    }
  },
}

/** Reads `[operation id, key]`. Throws `malformed`. */
export function readTopicKey(value: WireValue): TopicKey {
  const [operation, key] = asArray(value, 'topic', { length: 2 })
  return {
    operation: asBytes(operation, 'operation', { length: OPERATION_ID_BYTES }),
    key: asBytes(key, 'topic key', { length: 32 }),
  }
}

/** Reads at most `max` operation ids. Throws `malformed`. */
export function readIds(value: WireValue | undefined, name: string, max: number): readonly Uint8Array[] {
  return asArray(value, name, { max }).map((id) => asBytes(id, name, { length: OPERATION_ID_BYTES }))
}

function readOperations(value: WireValue): readonly Uint8Array[] {
  let free = MAX_GROUP_OPS_BYTES
  const operations = asArray(value, 'operations', { max: MAX_GROUP_OPS }).map((item) => {
    const operation = asBytes(item, 'operation')
    if (operation.length === 0) throw malformed('operation: expected at least one byte')
    free -= operation.length
    if (free < 0) throw malformed(`operations: at most ${MAX_GROUP_OPS_BYTES} bytes in all`)
    return operation
  })
  if (operations.length === 0) throw malformed('operations: expected at least one')
  return operations
}

function readProgress(value: WireValue): ChainProgress {
  const [chain, next] = asArray(value, 'chain', { length: 2 })
  return { chain: asBytes(chain, 'chain', { length: CHAIN_ID_BYTES }), next: asUint(next, 'next', U32) }
}

function readRuns(value: WireValue | undefined): readonly FrameRun[] {
  let free = MAX_WANTED_FRAMES
  return asArray(value, 'frames', { max: MAX_WANTED_RUNS }).map((item) => {
    const [chain, from, to] = asArray(item, 'frames', { length: 3 })
    const run: FrameRun = {
      chain: asBytes(chain, 'chain', { length: CHAIN_ID_BYTES }),
      from: asUint(from, 'from', U32),
      to: asUint(to, 'to', U32),
    }
    if (run.to < run.from) throw malformed('frames: expected to ≥ from')
    free -= run.to - run.from + 1
    if (free < 0) throw malformed(`frames: at most ${MAX_WANTED_FRAMES} in all`)
    return run
  })
}
