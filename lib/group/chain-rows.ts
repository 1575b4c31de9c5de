import { isZero } from '../bytes.ts'
import { CHAIN_ID_BYTES, MAX_GROUP_HEADS, readIds } from '../conversation/group-contents.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { asArray, asBytes, asNullable, asUint, decodeTyped, encode, malformed, type WireValue } from '../wire.ts'
import type { SkippedRun } from '../session/received-chain.ts'
import { KEPT_SALT_BYTES, saltBytes, saltsFrom } from '../session/salts.ts'
import { MAX_GROUP_CHAIN_FRAMES, type OwnChain, type PeerChain, type SenderChain } from './sender-chain.ts'

/** The row of a chain of which every second frame was passed over. */
export const MAX_CHAIN_ROW_BYTES = 16_384

/** The own chain as a row of the sealed store, with its secrets. */
export function encodeOwnChain(chain: OwnChain): Uint8Array {
  return encode([
    1,
    'own-chain',
    ...commonFields(chain),
    chain.signer.exportSeed(),
    chain.chainKey,
    chain.n,
    chain.createdAt,
  ])
}

/** Reads a row. Throws `malformed` when it is not one that was written. */
export function decodeOwnChain(primitives: Primitives, bytes: Uint8Array): OwnChain {
  const fields = decodeTyped(bytes, { type: 'own-chain', fields: 10, maxBytes: MAX_CHAIN_ROW_BYTES })
  const common = readCommon(fields)
  return {
    ...common,
    signer: primitives.signing.fromSeed(key(fields[6])),
    chainKey: secret(fields[7]),
    n: asUint(fields[8], 'n', MAX_GROUP_CHAIN_FRAMES),
    createdAt: asUint(fields[9], 'created at'),
  }
}

/** Another member's chain as a row of the sealed store, with its secrets. */
export function encodePeerChain(chain: PeerChain): Uint8Array {
  return encode([
    1,
    'peer-chain',
    ...commonFields(chain),
    chain.publicKey,
    chain.chainKey,
    chain.first,
    chain.next,
    saltBytes(chain.salts),
    chain.skipped.map(({ from, to, at }) => [from, to, at]),
    chain.replacedAt,
  ])
}

/** Reads a row. Throws `malformed` when it is not one that was written. */
export function decodePeerChain(bytes: Uint8Array): PeerChain {
  const fields = decodeTyped(bytes, { type: 'peer-chain', fields: 13, maxBytes: MAX_CHAIN_ROW_BYTES })
  const first = asUint(fields[8], 'first', MAX_GROUP_CHAIN_FRAMES)
  const next = asUint(fields[9], 'next', MAX_GROUP_CHAIN_FRAMES)
  if (first > next) throw malformed('a chain that stands before its first frame')
  const salts = asBytes(fields[10], 'salts', { length: (next - first) * KEPT_SALT_BYTES })
  return {
    ...readCommon(fields),
    publicKey: key(fields[6]),
    chainKey: secret(fields[7]),
    first,
    next,
    salts: saltsFrom(salts),
    skipped: readSkipped(fields[11], first, next),
    replacedAt: asNullable(fields[12], (value) => asUint(value, 'replaced at')),
  }
}

function commonFields({ gid, aid, did, id, headerKey, heads }: SenderChain): readonly WireValue[] {
  return [gid, aid, did, id, headerKey, heads]
}

function readCommon(fields: readonly WireValue[]): SenderChain {
  return {
    gid: key(fields[0]),
    aid: key(fields[1]),
    did: asBytes(fields[2], 'device id', { length: 16 }),
    id: asBytes(fields[3], 'chain id', { length: CHAIN_ID_BYTES }),
    headerKey: secret(fields[4]),
    heads: readIds(fields[5], 'heads', MAX_GROUP_HEADS),
  }
}

function key(value: WireValue | undefined): Uint8Array {
  return asBytes(value, 'key', { length: 32 })
}

/** What is sealed from zeros anybody could open, and a row like that would stop the machine at its next frame. */
function secret(value: WireValue | undefined): Uint8Array {
  const bytes = key(value)
  if (isZero(bytes)) throw malformed('a key of zeros')
  return bytes
}

function readSkipped(value: WireValue | undefined, first: number, next: number): readonly SkippedRun[] {
  let free = first
  return asArray(value, 'skipped', { max: MAX_GROUP_CHAIN_FRAMES }).map((item) => {
    const [from, to, at] = asArray(item, 'skipped', { length: 3 })
    const run: SkippedRun = {
      from: asUint(from, 'from', next),
      to: asUint(to, 'to', next),
      at: asUint(at, 'at'),
    }
    if (run.from < free || run.to <= run.from) throw malformed('skipped: expected ascending runs')
    free = run.to
    return run
  })
}
