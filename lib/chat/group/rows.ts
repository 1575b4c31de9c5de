import { concat, u32be } from '../../bytes.ts'
import { decodeDelivery, encodeDelivery } from '../../conversation/delivery.ts'
import { MAX_PAYLOAD_BYTES } from '../../conversation/payload.ts'
import { MAX_TOPIC_KEYS, readHeldTopicKey, writeHeldTopicKey } from '../../group/topic.ts'
import { asArray, asBytes, asNullable, asUint, decodeTyped, encode, malformed } from '../../wire.ts'
import { type Fellow, type GroupRow, MAX_DUE_KEYS, MAX_PAST_CHAINS, type Standing } from './state.ts'

const STANDINGS: readonly Standing[] = ['invited', 'joined', 'leaving', 'left', 'removed', 'declined']

/** `[1, "group", gid, standing, by, since, secret, card at, [[operation, topic key, by its author]…], [[chain, n, ended at]…]]`. Secret. */
export function encodeGroup(gid: Uint8Array, row: GroupRow): Uint8Array {
  return encode([
    1,
    'group',
    gid,
    STANDINGS.indexOf(row.standing),
    row.by,
    row.since,
    row.secret,
    row.cardAt,
    row.topics.map(writeHeldTopicKey),
    row.past.map(({ id, n, endedAt }) => [id, n, endedAt]),
  ])
}

/** Throws `malformed` or `newer-version`. */
export function decodeGroup(bytes: Uint8Array): { readonly gid: Uint8Array; readonly row: GroupRow } {
  const fields = decodeTyped(bytes, { type: 'group', fields: 8, maxBytes: 4096 })
  const standing = STANDINGS[asUint(fields[1], 'standing')]
  if (standing === undefined) throw malformed('group: a standing that no version wrote')
  return {
    gid: asBytes(fields[0], 'gid', { length: 32 }),
    row: {
      standing,
      by: asNullable(fields[2], (value) => asBytes(value, 'by', { length: 32 })),
      since: asUint(fields[3], 'since'),
      secret: asBytes(fields[4], 'secret', { length: 32 }),
      cardAt: asUint(fields[5], 'card at'),
      topics: asArray(fields[6], 'topics', { max: MAX_TOPIC_KEYS }).map(readHeldTopicKey),
      past: asArray(fields[7], 'past', { max: MAX_PAST_CHAINS }).map((item) => {
        const [id, n, endedAt] = asArray(item, 'past', { length: 3 })
        return {
          id: asBytes(id, 'chain', { length: 16 }),
          n: asUint(n, 'n'),
          endedAt: asUint(endedAt, 'ended at'),
        }
      }),
    },
  }
}

/** `[1, "fellow", delivery, after, [[chain, group-keys]…]]`. Secret. */
export function encodeFellow({ delivery, after, due }: Fellow): Uint8Array {
  return encode([1, 'fellow', encodeDelivery(delivery), after, due.map(({ chain, content }) => [chain, content])])
}

/** Throws `malformed` or `newer-version`. */
export function decodeFellow(bytes: Uint8Array): Pick<Fellow, 'delivery' | 'after' | 'due'> {
  const fields = decodeTyped(bytes, { type: 'fellow', fields: 3, maxBytes: 256 * 1024 })
  return {
    delivery: decodeDelivery(asBytes(fields[0], 'delivery')),
    after: asNullable(fields[1], (value) => asUint(value, 'after')),
    due: asArray(fields[2], 'due', { max: MAX_DUE_KEYS }).map((item) => {
      const [chain, content] = asArray(item, 'due', { length: 2 })
      return {
        chain: asBytes(chain, 'chain', { length: 16 }),
        content: asBytes(content, 'content', { max: MAX_PAYLOAD_BYTES }),
      }
    }),
  }
}

/** Key of the row of an operation. */
export function operationKey(handle: Uint8Array, place: number): Uint8Array {
  return concat(handle, u32be(place))
}

/** Key of the row of another's chain, or with the id that no chain has of the own. */
export function chainKey(handle: Uint8Array, id: Uint8Array = OWN_CHAIN): Uint8Array {
  return concat(handle, id)
}

/** Stands for the own chain, which is rewritten with every frame, where others' have their id. */
export const OWN_CHAIN: Uint8Array = new Uint8Array(16)

/** Key of the row of a frame. */
export function frameKey(handle: Uint8Array, chain: Uint8Array, n: number): Uint8Array {
  return concat(handle, chain, u32be(n))
}

/** Key of the row of another member. */
export function fellowKey(handle: Uint8Array, account: Uint8Array): Uint8Array {
  return concat(handle, account)
}
