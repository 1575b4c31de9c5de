import { concat, fromHex, utf8 } from '../../lib/bytes.ts'
import { head, type Node, nodesOf, replaced } from './cbor-tree.ts'
import { CLAIMS, PALETTE } from './palette.ts'
import type { Target } from './target.ts'

/** A bad input with a name that finds it again. */
export interface Case {
  readonly name: string
  /** Made when it is needed: most of the cases of a long input are not. */
  readonly input: () => Uint8Array
}

/** The kinds of bad input, each made from a valid one. */
export const FAMILIES: Readonly<Record<string, (seed: Uint8Array, target: Target) => Generator<Case>>> = {
  truncation,
  'flipped bits': flippedBits,
  'wrong values': wrongValues,
  'long forms': longForms,
  'fields that are missing, twice or swapped': movedFields,
  'claimed lengths': claimedLengths,
  nesting,
  'trailing bytes': trailingBytes,
  filling,
  characters,
}

/** Cases of one family and seed at most; of a dear target fewer. They are spread evenly. */
const MOST = 1_000
const MOST_OF_DEAR = 80

/** The cases of one family, over all seeds; of many as many as their number allows, evenly spread. */
export function* casesOf(target: Target, family: string): Generator<Case> {
  const make = FAMILIES[family]
  if (make === undefined) throw new TypeError(`no family is called ${family}`)
  const most = target.dear === true ? MOST_OF_DEAR : MOST
  for (const [i, seed] of target.seeds.entries()) {
    let total = 0
    for (const _ of make(seed, target)) total++
    const step = Math.max(1, total / most)
    let next = 0
    let at = 0
    for (const { name, input } of make(seed, target)) {
      if (at++ < next) continue
      next += step
      yield { name: `${family}: seed ${i}, ${name}`, input }
    }
  }
}

function* truncation(seed: Uint8Array): Generator<Case> {
  for (let length = 0; length < seed.length; length++) {
    yield { name: `cut to ${length} bytes`, input: () => seed.slice(0, length) }
  }
  for (let from = 1; from < Math.min(seed.length, 64); from++) {
    yield { name: `without its first ${from} bytes`, input: () => seed.slice(from) }
  }
}

function* flippedBits(seed: Uint8Array): Generator<Case> {
  for (let bit = 0; bit < seed.length * 8; bit++) {
    const at = bit >> 3
    yield {
      name: `bit ${bit & 7} of byte ${at}`,
      input: () => seed.with(at, (seed[at] as number) ^ (1 << (bit & 7))),
    }
  }
}

/** Enough of them: beyond are the later items of long lists. */
function someNodes(seed: Uint8Array): readonly Node[] {
  return nodesOf(seed).slice(0, 150)
}

function placeOf(node: Node): string {
  const path: string[] = []
  for (let at: Node | null = node; at !== null; at = at.parent) if (at.parent !== null) path.unshift(String(at.index))
  return path.length === 0 ? 'the whole' : `field ${path.join('.')}`
}

function* wrongValues(seed: Uint8Array): Generator<Case> {
  for (const node of someNodes(seed)) {
    for (const [name, value] of PALETTE) {
      yield { name: `${name} as ${placeOf(node)}`, input: () => replaced(seed, node, value) }
    }
    if (node.major === 2 || node.major === 3) {
      const content = seed.subarray(node.headEnd, node.end)
      const as = (name: string, major: number, bytes: Uint8Array): Case => ({
        name: `${placeOf(node)} ${name}`,
        input: () => replaced(seed, node, concat(head(major, bytes.length), bytes)),
      })
      yield as('one byte longer', node.major, concat(content, Uint8Array.of(0)))
      yield as('one byte shorter', node.major, content.subarray(0, -1))
      yield as('of zeros', node.major, new Uint8Array(content.length))
      yield as('of FF', node.major, new Uint8Array(content.length).fill(255))
      yield as('as the other kind of string', 5 - node.major, content)
    } else if (node.major === 0) {
      for (const by of [-2, -1, 1, 2]) {
        const number = node.argument + by
        if (number < 0 || !Number.isSafeInteger(number)) continue
        yield { name: `${placeOf(node)} and ${by}`, input: () => replaced(seed, node, head(0, number)) }
      }
    }
  }
}

function* longForms(seed: Uint8Array): Generator<Case> {
  for (const node of someNodes(seed)) {
    const content = seed.subarray(node.headEnd, node.end)
    const own = node.headEnd - node.start - 1
    for (const size of [1, 2, 4, 8] as const) {
      if (size <= own || node.major === 7) continue
      const long = concat(head(node.major, node.argument, size), content)
      yield { name: `${placeOf(node)} with a head of ${size + 1} bytes`, input: () => replaced(seed, node, long) }
    }
    const value = seed.subarray(node.start, node.end)
    for (const tag of [0, 1, 24, 32, 258, 55_799]) {
      yield { name: `tag ${tag} on ${placeOf(node)}`, input: () => replaced(seed, node, concat(head(6, tag), value)) }
    }
    const end = Uint8Array.of(0xff)
    const open = Uint8Array.of((node.major << 5) | 31)
    if (node.major === 4) {
      yield { name: `${placeOf(node)} without a length`, input: () => replaced(seed, node, concat(open, content, end)) }
    } else if (node.major === 2 || node.major === 3) {
      yield { name: `${placeOf(node)} in pieces`, input: () => replaced(seed, node, concat(open, value, end)) }
    } else if (node.major === 0) {
      const float = new Uint8Array(9)
      float[0] = 0xfb
      new DataView(float.buffer).setFloat64(1, node.argument)
      yield { name: `${placeOf(node)} as a float`, input: () => replaced(seed, node, float) }
      const big = concat(fromHex('c248'), head(0, node.argument, 8).subarray(1))
      yield { name: `${placeOf(node)} as a big number`, input: () => replaced(seed, node, big) }
    }
  }
}

function* movedFields(seed: Uint8Array): Generator<Case> {
  const nodes = someNodes(seed)
  for (const node of nodes) {
    if (node.parent?.major !== 4) continue
    const value = seed.subarray(node.start, node.end)
    const place = placeOf(node)
    yield { name: `${place} twice`, input: () => replaced(seed, node, concat(value, value), 1) }
    yield { name: `${place} twice, uncounted`, input: () => replaced(seed, node, concat(value, value)) }
    yield { name: `${place} left out`, input: () => replaced(seed, node, new Uint8Array(0), -1) }
    yield { name: `${place} left out, still counted`, input: () => replaced(seed, node, new Uint8Array(0)) }
    yield { name: `${place} in an array`, input: () => replaced(seed, node, concat(Uint8Array.of(0x81), value)) }
    yield {
      name: `${place} in bytes`,
      input: () => replaced(seed, node, concat(head(2, value.length), value)),
    }
    for (const count of [40, 300]) {
      const many = (): Uint8Array => concat(...Array.from({ length: count }, () => value))
      yield { name: `${place} ${count} times`, input: () => replaced(seed, node, many(), count - 1) }
    }
    for (const other of nodes) {
      if (other.parent !== node.parent || other.index === node.index) continue
      const theirs = seed.subarray(other.start, other.end)
      yield { name: `${placeOf(other)} also as ${place}`, input: () => replaced(seed, node, theirs) }
    }
    const next = nodes.find((other) => other.parent === node.parent && other.index === node.index + 1)
    if (next === undefined) continue
    const swapped = { ...node, end: next.end }
    yield {
      name: `${place} and the next swapped`,
      input: () => replaced(seed, swapped, concat(seed.subarray(next.start, next.end), value)),
    }
  }
}

function* claimedLengths(seed: Uint8Array): Generator<Case> {
  for (const node of someNodes(seed)) {
    if (node.major < 2 || node.major > 4) continue
    const content = seed.subarray(node.headEnd, node.end)
    const claims = [...CLAIMS, BigInt(node.argument + 1), BigInt(Math.max(0, node.argument - 1))]
    for (const claim of claims) {
      const claimed = (): Uint8Array => concat(head(node.major, claim), content)
      yield { name: `${placeOf(node)} claims ${claim}`, input: () => replaced(seed, node, claimed()) }
    }
  }
  // big-endian lengths, wherever they might stand
  for (let at = 0; at + 4 <= Math.min(seed.length, 1400); at += 1) {
    yield { name: `FFFFFFFF at byte ${at}`, input: () => seed.slice().fill(0xff, at, at + 4) }
  }
}

const DEPTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 64, 1_000]

function* nesting(seed: Uint8Array): Generator<Case> {
  for (const node of someNodes(seed)) {
    const value = seed.subarray(node.start, node.end)
    for (const depth of DEPTHS) {
      const wrap = new Uint8Array(depth).fill(0x81)
      yield { name: `${placeOf(node)} in ${depth} arrays`, input: () => replaced(seed, node, concat(wrap, value)) }
    }
  }
  for (const depth of [...DEPTHS, 5_000, 100_000]) {
    for (const [name, byte] of [
      ['arrays', 0x81],
      ['indefinite arrays', 0x9f],
      ['maps', 0xa1],
      ['tags', 0xc1],
      ['square brackets', 0x5b],
    ] as const) {
      yield { name: `${depth} ${name} and nothing`, input: () => new Uint8Array(depth).fill(byte) }
    }
  }
}

function* trailingBytes(seed: Uint8Array): Generator<Case> {
  for (const length of [1, 2, 3, 4, 8, 16, 32, 64, 65, 128, 1_000, 20_000, 70_000]) {
    for (const fill of [0, 0x0a, 0x20, 0x41, 0x80, 0xf6, 0xff]) {
      const tail = new Uint8Array(length).fill(fill)
      yield { name: `${length} bytes of ${fill} behind it`, input: () => concat(seed, tail) }
      if (length <= 65) yield { name: `${length} bytes of ${fill} before it`, input: () => concat(tail, seed) }
    }
  }
  yield { name: 'itself behind it', input: () => concat(seed, seed) }
  for (let at = 1; at < seed.length; at += Math.max(1, Math.floor(seed.length / 64))) {
    yield {
      name: `a byte more at ${at}`,
      input: () => concat(seed.subarray(0, at), Uint8Array.of(0), seed.subarray(at)),
    }
    yield { name: `a byte less at ${at}`, input: () => concat(seed.subarray(0, at), seed.subarray(at + 1)) }
    yield { name: `a byte twice at ${at}`, input: () => concat(seed.subarray(0, at + 1), seed.subarray(at)) }
    yield { name: `its parts swapped at ${at}`, input: () => concat(seed.subarray(at), seed.subarray(0, at)) }
  }
}

function* filling(seed: Uint8Array): Generator<Case> {
  for (const fill of [0, 0xff]) {
    for (let length = 0; length < 100; length++) {
      yield { name: `${length} bytes of ${fill} and nothing else`, input: () => new Uint8Array(length).fill(fill) }
    }
    for (const length of [seed.length, 1_000, 16_384, 16_385, 70_000, 1_500_000]) {
      yield { name: `${length} bytes of ${fill} in its place`, input: () => new Uint8Array(length).fill(fill) }
    }
    for (let at = 0; at < seed.length; at += Math.max(1, Math.floor(seed.length / 200))) {
      yield { name: `${fill} from byte ${at} on`, input: () => seed.slice().fill(fill, at) }
      yield { name: `${fill} up to byte ${at}`, input: () => seed.slice().fill(fill, 0, at) }
      yield { name: `${fill} in the eight bytes from ${at} on`, input: () => seed.slice().fill(fill, at, at + 8) }
    }
  }
  for (let byte = 0; byte < 256; byte++) {
    yield { name: `the first byte ${byte}`, input: () => concat(Uint8Array.of(byte), seed.subarray(1)) }
    yield { name: `the byte ${byte} alone`, input: () => Uint8Array.of(byte) }
  }
}

const CHARACTERS = ['\0', '\n', '\r', '\t', ' ', '\u00a0', '\u200b', '\ufeff', 'é', 'ſ', 'İ', '𝕤', 'K', '١', '０']
  .concat(['0', '9', 'a', 'Z', 'b', 'i', 'o', '1', '=', '-', '_', '+', '/', ':', '"', '\\', '{', '}', '[', ',', '.'])
  .concat(['e', '1e400', '-0', '\ud83d\ude00', '%00', '..'])

/** Of what is text to its reader: every character replaced, left out, and others put before it. */
function* characters(seed: Uint8Array, target: Target): Generator<Case> {
  if (target.text !== true) return
  const text = Array.from(new TextDecoder().decode(seed))
  for (let at = 0; at <= text.length; at++) {
    const [before, here, after] = [text.slice(0, at).join(''), text[at] ?? '', text.slice(at + 1).join('')]
    yield { name: `without character ${at}`, input: () => utf8(before + after) }
    yield { name: `character ${at} in the other case`, input: () => utf8(before + otherCase(here) + after) }
    for (const character of CHARACTERS) {
      const shown = JSON.stringify(character)
      yield { name: `${shown} for character ${at}`, input: () => utf8(before + character + after) }
      yield { name: `${shown} before character ${at}`, input: () => utf8(before + character + here + after) }
    }
  }
  const whole = text.join('')
  yield { name: 'in upper case', input: () => utf8(whole.toUpperCase()) }
  yield { name: 'in lower case', input: () => utf8(whole.toLowerCase()) }
  for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const)
    yield { name: form, input: () => utf8(whole.normalize(form)) }
}

function otherCase(text: string): string {
  return text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase()
}
