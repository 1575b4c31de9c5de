import { concat, fromHex, fromUtf8, toHex, utf8 } from '../../../lib/bytes.ts'
import { splitSigned } from '../../../lib/identity/signed-value.ts'
import { decode, decodeTyped, encode, type WireValue } from '../../../lib/wire.ts'
import type { Target } from '../target.ts'

const DEEP: WireValue = [[[[[[[[1]]]]]]]]

/** The encoding that everything else is made of. */
export const wireTargets: readonly Target[] = [
  {
    name: 'cbor',
    covers: ['lib/wire.ts#decode'],
    seeds: [
      encode([1, 'type', new Uint8Array(32), [2, [3, 'text', null]], true, false, 2 ** 53 - 1, 24, 65_536]),
      encode(DEEP),
      encode(['é€😀', '', new Uint8Array(300), [[], [[]]], 255, 256, 2 ** 32]),
    ],
    run: (input) => encode(decode(input, 65_536)),
  },
  {
    name: 'typed-array',
    covers: ['lib/wire.ts#decodeTyped'],
    seeds: [encode([1, 'type', 7, [8, 9]])],
    run: (input) => encode([1, 'type', ...decodeTyped(input, { type: 'type', fields: 2, maxBytes: 256 })]),
  },
  {
    name: 'signed-parts',
    covers: ['lib/identity/signed-value.ts#splitSigned'],
    seeds: [concat(encode([1, 'type']), new Uint8Array(64))],
    run(input) {
      const { body, signature } = splitSigned(input, 'value', 512)
      return concat(body, signature)
    },
  },
  {
    name: 'utf-text',
    covers: ['lib/bytes.ts#fromUtf8'],
    seeds: [utf8('hello, wörld €😀'), utf8('\ufeffa')],
    text: true,
    refuses: (error) => error instanceof TypeError,
    run: (input) => utf8(fromUtf8(input)),
  },
  {
    name: 'hexadecimal',
    covers: ['lib/bytes.ts#fromHex'],
    seeds: [utf8('00ff7A')],
    text: true,
    loose: 'both cases of a digit are read',
    refuses: (error) => error instanceof TypeError,
    run(input) {
      const text = new TextDecoder().decode(input)
      return toHex(fromHex(text)) === text.toLowerCase() ? 'accepted' : utf8('another text')
    },
  },
]
