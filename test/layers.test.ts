import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeOf, importsOf, read, sourceFiles } from './support/source-tree.ts'

interface Layer {
  /** Folders whose modules it may import by path. */
  readonly folders: readonly string[]
  /** Packages it may import; undefined means any that is not native. */
  readonly packages?: RegExp
  /** Files that may import `node:*` and native packages; the others run in a browser too. */
  readonly platform: 'all' | readonly string[]
  readonly because: string
}

const layers: Readonly<Record<string, Layer>> = {
  lib: {
    folders: ['lib'],
    packages: /^(?:@noble\/|@scure\/|cborg(?:\/|$))/,
    platform: [],
    because: 'lib is the protocol alone: pure, and unchanged in a browser',
  },
  node: {
    folders: ['lib', 'node'],
    platform: [
      'node/index.ts',
      'node/home.ts',
      'node/home-files.ts',
      'node/machine-run.ts',
      'node/backup/files.ts',
      'node/backup/place.ts',
      'node/crypto.ts',
      'node/crypto/aead.ts',
      'node/crypto/hashing.ts',
      'node/crypto/key-objects.ts',
      'node/crypto/keys.ts',
      'node/mesh/simulated/checksum.ts',
      'node/store/level-database.ts',
      'node/store/inventory.ts',
      'node/network/libp2p.ts',
      'node/network/stun.ts',
    ],
    because: 'node gives lib a network, a disk and a clock; what needs Node itself stays in the named files',
  },
  cli: {
    folders: ['lib', 'node', 'cli'],
    platform: 'all',
    because: "cli is the person's side and is imported by nobody",
  },
  examples: {
    folders: [],
    platform: 'all',
    packages: /^sotto(?:\/|$)/,
    because: 'an example imports what a user would',
  },
}

/** Packages that need Node: its sockets, its files, or a compiled addon. */
const native = /^(?:level|classic-level|datastore-level|@libp2p\/(?:tcp|mdns|upnp-nat|webrtc|websockets))(?:\/|$)/

/** Why the file must not import this, or null when it may. */
function refusal(file: string, specifier: string): string | null {
  const name = file.split('/')[0] ?? ''
  const layer = layers[name]
  if (layer === undefined) return null
  const why = (what: string) => `${file} imports ${specifier}: ${what} (${layer.because})`
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file), specifier)
    const folder = target.split('/')[0] ?? ''
    return layer.folders.includes(folder) ? null : why(`${name} must not reach into ${folder}`)
  }
  const mayUsePlatform = layer.platform === 'all' || layer.platform.includes(file)
  if (specifier.startsWith('node:')) return mayUsePlatform ? null : why('this file must run without Node')
  if (native.test(specifier)) return mayUsePlatform ? null : why('this file must run without native packages')
  if (layer.packages !== undefined && !layer.packages.test(specifier)) return why(`${name} does not use that package`)
  return null
}

const files = Object.keys(layers).flatMap(sourceFiles)

describe('the layers', () => {
  test('import only what is below them', () => {
    const refused = files.flatMap((file) => importsOf(read(file)).map((specifier) => refusal(file, specifier)))
    expect(refused.filter((reason) => reason !== null)).toEqual([])
  })

  test.each([
    ['lib/session/ratchet.ts', 'node:crypto'],
    ['lib/session/ratchet.ts', '../../node/driver.ts'],
    ['lib/session/ratchet.ts', 'libp2p'],
    ['lib/session/ratchet.ts', '@noblesse/hashes'],
    ['node/driver.ts', 'node:fs'],
    ['node/driver.ts', 'level'],
    ['node/driver.ts', '../cli/main.ts'],
    ['node/mesh/index.ts', '@libp2p/tcp'],
    ['examples/two-people.ts', '../node/index.ts'],
    ['examples/two-people.ts', 'libp2p'],
  ])('would refuse %s importing %s', (file, specifier) => {
    expect(refusal(file, specifier)).toContain(specifier)
  })

  test.each([
    ['lib/session/ratchet.ts', '../crypto/primitives.ts'],
    ['lib/session/ratchet.ts', '@noble/hashes/sha2.js'],
    ['lib/wire.ts', 'cborg'],
    ['node/driver.ts', '../lib/index.ts'],
    ['node/crypto.ts', 'node:crypto'],
    ['node/store/level-database.ts', 'level'],
    ['cli/main.ts', '../node/index.ts'],
    ['examples/two-people.ts', 'sotto/mesh'],
  ])('allow %s importing %s', (file, specifier) => {
    expect(refusal(file, specifier)).toBeNull()
  })

  test('the scan sees every form of import and no import in a comment', () => {
    const text = [
      "import { a, b as c } from './one.ts'",
      "import type { D } from './two.ts'",
      "import * as e from './three.ts'",
      'import {\n  f,\n  g,\n} from "./never.ts"',
      "import {\n  h,\n  i,\n} from './four.ts'",
      "export { j } from './five.ts'",
      "export type { K } from './six.ts'",
      "import './seven.ts'",
      "const l = await import('./eight.ts')",
      "// import { m } from './commented.ts'",
      "/* import { n } from './commented-too.ts' */",
      "const url = 'http://x'; import o from './nine.ts'".replace('; ', '\n'),
    ].join('\n')
    const seen = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
    expect(importsOf(text).sort()).toEqual(seen.map((name) => `./${name}.ts`).sort())
  })
})

describe('lib', () => {
  const impure: readonly [RegExp, string][] = [
    [/\bDate\b|\bperformance\b/, 'reads a clock; time is an argument'],
    [/\bMath\.random\b|\bgetRandomValues\b|\brandomBytes\b|\brandomUUID\b/, 'makes randomness; it is an argument'],
    [/\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/, 'waits; timers are effects'],
    [/\basync\b|\bawait\b|\bPromise\b/, 'is not synchronous'],
    [/\bconsole\b|\bprocess\b|\bglobalThis\b|\bfetch\b/, 'reaches outside'],
  ]
  const faults = (file: string, text: string) =>
    impure.filter(([form]) => form.test(codeOf(text))).map(([form, reason]) => `${file} ${reason} (${form.source})`)

  test('is synchronous and knows no clock, randomness or I/O', () => {
    expect(sourceFiles('lib').flatMap((file) => faults(file, read(file)))).toEqual([])
  })

  test.each([
    'const now = Date.now()',
    'const x = Math.random()',
    'setTimeout(f, 1)',
    'export async function f() {}',
    "console.log('x')",
  ])('would be refused for: %s', (text) => {
    expect(faults('lib/x.ts', text)).toHaveLength(1)
  })

  test('may speak of clocks and randomness in words', () => {
    expect(faults('lib/x.ts', "/** Not Date.now(). */\nconst a = 'Math.random' // setTimeout")).toEqual([])
  })
})
