import { describe, expect, test } from 'vitest'
import { read, sourceFiles } from '../support/source-tree.ts'
import { TARGETS } from './targets/index.ts'

/** What functions are called that make something of what somebody else wrote. */
const NAMES = /^(?:decode|parse|open|verify|read|check|split|accept|unpad|seedFrom|from(?:Hex|Utf8))/

/** A parameter that holds bytes or text, or a value that was made of them. */
const PARAMETERS = /\b(?:Uint8Array|string|unknown|WireValue)\b/

/** Functions that are called like decoders and meet nothing from outside, or are run by a target under another name. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ['lib/crypto/ed25519.ts#verifyEd25519', 'a predicate of fixed sizes that never throws; has the published vectors'],
  ['lib/session/symmetric-state.ts#split', 'takes the state of a handshake and no bytes'],
  ['cli/passphrase.ts#readPassphrase', 'asks a person at the terminal'],
  ['cli/passphrase.ts#readNewPassphrase', 'asks a person at the terminal'],
  ['node/home.ts#openHome', 'takes the name of a directory; what lies in it has targets of its own'],
  ['node/home-files.ts#readSmall', 'takes the name of a file and gives its bytes'],
  ['node/store/level-database.ts#openLevelDatabase', 'takes the name of a directory, for `openLevelStore`'],
  [
    'node/store/level-store.ts#openLevelStore',
    'takes the name of a directory; test/network/damaged-home.test.ts damages it',
  ],
])

interface Decoder {
  readonly id: string
  readonly parameters: string
}

/** The exported functions of a file whose names say that they read, with the text of their parameters. */
function decodersIn(file: string, text: string): Decoder[] {
  return [...text.matchAll(/^export (?:async )?function\*? (\w+)(?:<[^>]*>)?\(/gm)].flatMap((match) => {
    const name = match[1] as string
    if (!NAMES.test(name)) return []
    const start = match.index + match[0].length
    let depth = 1
    let end = start
    while (depth > 0 && end < text.length) {
      if (text[end] === '(') depth++
      if (text[end] === ')') depth--
      end++
    }
    return [{ id: `${file}#${name}`, parameters: text.slice(start, end - 1) }]
  })
}

const decoders = ['lib', 'node', 'cli']
  .flatMap(sourceFiles)
  .filter((file) => !file.startsWith('node/mesh/'))
  .flatMap((file) => decodersIn(file, read(file)))
  .filter(({ parameters }) => PARAMETERS.test(parameters))
const covered = new Set(TARGETS.flatMap(({ covers }) => covers))

describe('the inventory of decoders', () => {
  test('has every exported function that reads bytes or text, or says why not', () => {
    const missing = decoders.filter(({ id }) => !covered.has(id) && !EXCEPTIONS.has(id))
    expect(missing.map(({ id }) => id)).toEqual([])
  })

  test('names nothing that does not exist', () => {
    const exists = (id: string): boolean => {
      const [file = '', name = ''] = id.split('#')
      return new RegExp(`^export (?:async )?function ${name}\\b`, 'm').test(read(file))
    }
    expect([...covered, ...EXCEPTIONS.keys()].filter((id) => !exists(id))).toEqual([])
    expect([...EXCEPTIONS.keys()].filter((id) => covered.has(id))).toEqual([])
  })

  test('calls each target by a name of its own, and says why where two inputs may be one value', () => {
    const names = TARGETS.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => !/^[a-z][a-z-]*$/.test(name))).toEqual([])
  })

  test('finds a function wherever its parameters end', () => {
    const text = 'export function decodeIt<T>(\n  read: (value: T) => Uint8Array,\n  bytes: Uint8Array,\n): T {\n}\n'
    expect(decodersIn('x.ts', `${text}export function isIt(text: string) {}`)).toEqual([
      { id: 'x.ts#decodeIt', parameters: '\n  read: (value: T) => Uint8Array,\n  bytes: Uint8Array,\n' },
    ])
  })
})
