import { concat } from '../../lib/bytes.ts'
import { head, type Node, nodesOf, replaced } from './cbor-tree.ts'
import { CLAIMS, PALETTE } from './palette.ts'
import type { Dice } from './random.ts'

/** A kept input with the values that were found in it. */
export interface Entry {
  readonly bytes: Uint8Array
  readonly nodes: readonly Node[]
}

export function entryOf(bytes: Uint8Array): Entry {
  return { bytes, nodes: nodesOf(bytes) }
}

const VALUES = [...PALETTE.values()]
const BYTES = [0, 1, 2, 0x17, 0x18, 0x19, 0x1b, 0x20, 0x40, 0x58, 0x60, 0x7f, 0x80, 0x81, 0x9f, 0xa0, 0xc0, 0xf6, 0xff]
/** Inputs do not grow beyond this by splicing. */
const MAX_BYTES = 65_536

/** A new input from a kept one; mostly one change, so that what is behind the first check is reached too. */
export function mutated(entry: Entry, corpus: readonly Entry[], dice: Dice, text: boolean): Uint8Array {
  let bytes = once(entry, corpus, dice, text)
  while (dice.below(4) === 0) bytes = inBytes(bytes, corpus, dice)
  return bytes.length > MAX_BYTES ? bytes.slice(0, MAX_BYTES) : bytes
}

function once(entry: Entry, corpus: readonly Entry[], dice: Dice, text: boolean): Uint8Array {
  if (text && dice.below(2) === 0) return inText(entry.bytes, dice)
  if (entry.nodes.length < 2 || dice.below(3) === 0) return inBytes(entry.bytes, corpus, dice)
  return inTree(entry, corpus, dice)
}

function inTree({ bytes, nodes }: Entry, corpus: readonly Entry[], dice: Dice): Uint8Array {
  const node = dice.pick(nodes)
  const value = bytes.subarray(node.start, node.end)
  const content = bytes.subarray(node.headEnd, node.end)
  switch (dice.below(12)) {
    case 0:
      return replaced(bytes, node, dice.pick(VALUES))
    case 1:
      return replaced(bytes, node, concat(value, value), dice.below(2))
    case 2:
      return replaced(bytes, node, new Uint8Array(0), -dice.below(2))
    case 3: {
      const other = dice.pick(nodes)
      return replaced(bytes, node, bytes.slice(other.start, other.end))
    }
    case 4: {
      const theirs = dice.pick(corpus)
      if (theirs.nodes.length === 0) return bytes.slice()
      const other = dice.pick(theirs.nodes)
      return replaced(bytes, node, theirs.bytes.subarray(other.start, other.end))
    }
    case 5:
      return replaced(bytes, node, concat(head(node.major, dice.pick(CLAIMS)), content))
    case 6:
      return replaced(bytes, node, concat(head(node.major, node.argument, dice.pick([1, 2, 4, 8] as const)), content))
    case 7:
      return replaced(bytes, node, concat(new Uint8Array(1 + dice.below(9)).fill(0x81), value))
    case 8:
      return replaced(bytes, node, concat(head(dice.below(8), dice.pick([0, 1, 24, 32])), value))
    case 9: {
      const length = dice.pick([0, 1, 15, 16, 17, 31, 32, 33, 64, 65, 300, 2_000])
      const filled = new Uint8Array(length).fill(dice.below(256))
      return replaced(bytes, node, concat(head(2 + dice.below(2), length), filled))
    }
    default:
      return replaced(bytes, node, numberNear(node, dice))
  }
}

/** Numbers move a little or far; anything else becomes one. */
function numberNear(node: Node, dice: Dice): Uint8Array {
  const by = [-2, -1, 0, 1, 2][dice.below(5)] as number
  const from = node.major === 0 && dice.below(2) === 0 ? node.argument : 2 ** dice.below(54)
  const number = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, from + by))
  return head(0, number)
}

function inBytes(bytes: Uint8Array, corpus: readonly Entry[], dice: Dice): Uint8Array {
  const { length } = bytes
  if (length === 0) return Uint8Array.of(dice.below(256))
  const at = dice.below(length)
  switch (dice.below(9)) {
    case 0:
    case 1:
      return bytes.with(at, (bytes[at] as number) ^ (1 << dice.below(8)))
    case 2:
      return bytes.with(at, dice.pick(BYTES))
    case 3:
      return bytes.with(at, ((bytes[at] as number) + dice.below(5) - 2) & 255)
    case 4:
      return bytes.slice(0, at)
    case 5:
      return concat(bytes.subarray(0, at), bytes.subarray(at + 1 + dice.below(Math.min(16, length))))
    case 6: {
      const some = new Uint8Array(1 + dice.below(12)).fill(dice.pick(BYTES))
      return concat(bytes.subarray(0, at), some, bytes.subarray(at))
    }
    case 7: {
      const { bytes: other } = dice.pick(corpus)
      return concat(bytes.subarray(0, at), other.subarray(dice.below(other.length + 1)))
    }
    default: {
      const end = Math.min(length, at + 1 + dice.below(32))
      return concat(bytes.subarray(0, end), bytes.subarray(at))
    }
  }
}

const CHARACTERS = Array.from('\0\n\r\t "\\/{}[]:,.-+_=%019aZzö€😀\u00a0\u200b\ufeffſİK１').map((character) =>
  new TextEncoder().encode(character),
)

function inText(bytes: Uint8Array, dice: Dice): Uint8Array {
  const at = dice.below(bytes.length + 1)
  const character = dice.pick(CHARACTERS)
  const skipped = dice.below(3)
  return concat(bytes.subarray(0, at), character, bytes.subarray(at + skipped))
}
