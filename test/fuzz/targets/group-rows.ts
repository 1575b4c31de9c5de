import { decodeWay, encodeWay } from '../../../lib/chat/group/card.ts'
import { decodeFellow, decodeGroup, encodeFellow, encodeGroup } from '../../../lib/chat/group/rows.ts'
import { type GroupRow, newFellow } from '../../../lib/chat/group/state.ts'
import type { Target } from '../target.ts'

const key = Uint8Array.from({ length: 32 }, (_, i) => i)
const chain = key.subarray(0, 16)
const row: GroupRow = {
  standing: 'joined',
  by: key,
  since: 1_780_000_000_000,
  secret: key,
  cardAt: 1_780_000_000_001,
  topics: [{ operation: key, key, byAuthor: true }],
  past: [{ id: chain, n: 7, endedAt: 5 }],
}
const fellow = {
  ...newFellow(key),
  delivery: { delivered: [[1, 9] as const], read: [[1, 3] as const] },
  after: 4,
  due: [{ chain, content: key }],
}

/** What is kept of groups beside what others wrote, and what a card says in a field that operations do not look into. */
export const groupRowTargets: readonly Target[] = [
  {
    name: 'group-row',
    covers: ['lib/chat/group/rows.ts#decodeGroup'],
    seeds: [encodeGroup(key, row), encodeGroup(key, { ...row, standing: 'left', by: null, topics: [], past: [] })],
    run(input) {
      const { gid, row: read } = decodeGroup(input)
      return encodeGroup(gid, read)
    },
  },
  {
    name: 'fellow-row',
    covers: ['lib/chat/group/rows.ts#decodeFellow'],
    seeds: [encodeFellow(fellow), encodeFellow(newFellow(key))],
    run: (input) => encodeFellow({ ...fellow, ...decodeFellow(input) }),
  },
  {
    name: 'card-way',
    covers: ['lib/chat/group/card.ts#decodeWay'],
    seeds: [encodeWay({ secret: key, route: key, name: 'Ada' }), encodeWay({ secret: null, route: null, name: null })],
    run(input) {
      const way = decodeWay(input)
      return way === null ? 'refused' : encodeWay(way)
    },
  },
]
