import { concat } from '../../lib/bytes.ts'

/**
 * Where the values of an encoding lie, read without any of the strictness of the decoder: what the cases and mutations
 * are made from. Byte strings that hold CBOR themselves are looked into.
 */
export interface Node {
  readonly major: number
  readonly start: number
  /** Where the head (type and length) ends. */
  readonly headEnd: number
  readonly end: number
  /** The length, count or number that the head says. */
  readonly argument: number
  readonly parent: Node | null
  /** Which of its parent's it is. */
  readonly index: number
  readonly depth: number
}

/** All values of an encoding, outermost first; none when the bytes do not begin with one. What follows it is left alone. */
export function nodesOf(bytes: Uint8Array): readonly Node[] {
  const nodes: Node[] = []
  return readNode(bytes, 0, bytes.length, null, 0, nodes) === null ? [] : nodes
}

const MAX_DEPTH = 24

function readNode(
  bytes: Uint8Array,
  start: number,
  limit: number,
  parent: Node | null,
  index: number,
  nodes: Node[],
): number | null {
  const first = bytes[start]
  const depth = parent === null ? 0 : parent.depth + 1
  if (first === undefined || start >= limit || depth > MAX_DEPTH) return null
  const major = first >> 5
  const info = first & 31
  let headEnd = start + 1
  let argument = info
  if (info >= 24) {
    if (info > 27) return null
    const size = 1 << (info - 24)
    if (headEnd + size > limit) return null
    argument = 0
    for (let i = 0; i < size; i++) argument = argument * 256 + (bytes[headEnd + i] as number)
    headEnd += size
  }
  let end = headEnd
  if (major === 2 || major === 3) end += argument
  if (end > limit || major === 1 || major === 5 || major === 6) return null
  const node = { major, start, headEnd, end, argument, parent, index, depth }
  const at = nodes.push(node)
  if (major === 4) {
    for (let i = 0; i < argument; i++) {
      const next = readNode(bytes, node.end, limit, node, i, nodes)
      if (next === null) return null
      node.end = next
    }
  } else if (major === 2 && argument > 1 && (bytes[headEnd] as number) >> 5 === 4) {
    // perhaps CBOR in bytes, with a signature behind it
    const inner = readNode(bytes, headEnd, node.end, node, 0, nodes)
    if (inner === null || (inner !== node.end && inner !== node.end - 64)) nodes.length = at
  }
  return node.end
}

/** A head of the shortest form, or of the one that `size` bytes of argument make. */
export function head(major: number, argument: number | bigint, size?: 0 | 1 | 2 | 4 | 8): Uint8Array {
  const value = BigInt(argument)
  const bytes = size ?? (value < 24n ? 0 : value < 256n ? 1 : value < 65_536n ? 2 : value < 4_294_967_296n ? 4 : 8)
  if (bytes === 0) return Uint8Array.of((major << 5) | Number(value))
  const whole = new Uint8Array(1 + bytes)
  whole[0] = (major << 5) | (23 + { 1: 1, 2: 2, 4: 3, 8: 4 }[bytes])
  let rest = value
  for (let at = bytes; at > 0; at--) {
    whole[at] = Number(rest & 255n)
    rest >>= 8n
  }
  return whole
}

/** The encoding with other bytes in the place of a value; the lengths of byte strings around it follow. */
export function replaced(bytes: Uint8Array, node: Node, replacement: Uint8Array, items = 0): Uint8Array {
  let from = node.start
  let to = node.end
  let middle = replacement
  let added = items
  for (let around = node.parent; around !== null; around = around.parent) {
    if (around.major === 2) {
      const length = around.end - around.headEnd - (to - from) + middle.length
      middle = concat(head(2, length), bytes.subarray(around.headEnd, from), middle, bytes.subarray(to, around.end))
      from = around.start
      to = around.end
    } else if (added !== 0) {
      const count = Math.max(0, around.argument + added)
      middle = concat(head(4, count), bytes.subarray(around.headEnd, from), middle, bytes.subarray(to, around.end))
      from = around.start
      to = around.end
    }
    added = 0
  }
  return concat(bytes.subarray(0, from), middle, bytes.subarray(to))
}
