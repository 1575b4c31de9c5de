import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it, type TestContext } from 'vitest'
import { seededRandom } from '../support/random.ts'
import { seed } from '../support/seed.ts'

const vectors = fileURLToPath(new URL('.', import.meta.url))
const reader = join(vectors, 'second_reader')
const run = promisify(execFile)
let copies: string | undefined

afterEach(async () => {
  if (copies !== undefined) await rm(copies, { recursive: true, force: true })
  copies = undefined
})

/** Exit code and output of the reader. Skips the test when the machine has no Python. */
async function read(context: TestContext, ...directory: readonly string[]): Promise<{ code: number; lines: string[] }> {
  const python = await run('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).catch(() => null)
  if (python === null) context.skip('no python3 of 3.9 or later on this machine')
  return new Promise((resolve) => {
    execFile('python3', [reader, ...directory], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), lines: `${stdout}${stderr}`.trim().split('\n') })
    })
  })
}

/** Privates of which some bits change nothing that is in a file: clamped ones, z of ML-KEM; and what is chosen at will. */
const unseen =
  /^(?:about|kemSeed|prekeyKemSeed|initiatorKemSeed|dhPrivate|prekeyDh|identityKey|initiatorIdentityKey|ephemeral|random|invalid)$/

interface Place {
  readonly path: string
  readonly hex: string
  readonly set: (hex: string) => void
}

/** Every byte string in a vector file whose every bit must show in something that the reader computes. */
function byteStrings(value: unknown, path: readonly string[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, item]: [string, unknown]) => {
    const here = [...path, name]
    // A's AID is in no byte of a handshake: it stands for the account record, which is random there.
    if (unseen.test(name) || here.slice(-2).join() === 'initiator,aid') return []
    if (typeof item !== 'string') return byteStrings(item, here)
    if (!/^(?:[0-9a-f]{2}){4,}$/.test(item)) return []
    return [{ path: here.join('.'), hex: item, set: (hex: string) => Reflect.set(value, name, hex) }]
  })
}

/** Another hexadecimal digit in one place of the text of a vector file, and where that was. */
function flipped(text: string, draw: (below: number) => number): { text: string; where: string } {
  const value: unknown = JSON.parse(text)
  const places = byteStrings(value)
  const place = places[draw(places.length)]
  if (place === undefined) throw new Error('a vector file without bytes')
  const at = draw(place.hex.length)
  const digit = (Number.parseInt(place.hex.charAt(at), 16) ^ (1 + draw(15))).toString(16)
  place.set(place.hex.slice(0, at) + digit + place.hex.slice(at + 1))
  return { text: JSON.stringify(value), where: `${place.path}, digit ${at}` }
}

async function vectorFiles(): Promise<string[]> {
  const names = await readdir(vectors)
  return names.filter((name) => name.endsWith('.json'))
}

describe('the second reader, which was written from protocol.md alone', () => {
  it('computes every frozen vector file as it is', { timeout: 60_000 }, async (context) => {
    const { code, lines } = await read(context)
    expect({ code, lines }).toMatchObject({ code: 0 })
    for (const file of await vectorFiles()) {
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${file.replace('.', '\\.')}: [1-9]\\d* cases$`)))
    }
  })

  it('refuses each file in which one digit of the bytes is another', { timeout: 60_000 }, async (context) => {
    const random = seededRandom(seed)
    const draw = (below: number) => new DataView(random.bytes(4).slice().buffer).getUint32(0) % below
    copies = await mkdtemp(join(tmpdir(), 'sotto-vectors-'))
    const changes = new Map<string, string>()
    for (const file of await vectorFiles()) {
      const { text, where } = flipped(await readFile(join(vectors, file), 'utf8'), draw)
      await writeFile(join(copies, file), text)
      changes.set(file, where)
    }

    const { code, lines } = await read(context, copies)

    expect(code).toBe(1)
    for (const [file, where] of changes) {
      const said = lines.find((line) => line.startsWith(`${file}: `)) ?? 'nothing'
      expect(said, `SEED=${seed}: ${file} with another ${where}`).toMatch(/: FAILED: ./)
    }
  })
})
