import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { asArray, asBytes, asUint, decode, encode } from '../../lib/wire.ts'
import { root } from '../support/source-tree.ts'
import { seed } from '../support/seed.ts'
import { casesOf, FAMILIES } from './cases.ts'
import { nodesOf, replaced } from './cbor-tree.ts'
import { fuzz, shrink } from './fuzz.ts'
import { mutated, entryOf } from './mutate.ts'
import { createDice } from './random.ts'
import { judge, quickForm, type Target } from './target.ts'
import { TARGETS } from './targets/index.ts'

const RUNS = 2_000
const RUNS_OF_DEAR = 200

test.each(TARGETS)(`$name takes some thousand changed inputs (SEED=${seed})`, async (target) => {
  const runs = target.dear === true ? RUNS_OF_DEAR : RUNS
  const { failure } = await fuzz(target, { runs, seed })
  const input = failure && Buffer.from(failure.input).toString('hex')
  expect(failure && `${failure.why}\n  npm run fuzz -- --target ${target.name} --input ${input}`).toBeNull()
})

test.each(TARGETS.filter(({ quick }) => quick !== undefined))(
  `the quick form of $name judges as the real one does (SEED=${seed})`,
  async (target) => {
    const dice = createDice(seed)
    const corpus = target.seeds.map(entryOf)
    const kinds = new Set<string>()
    const inputs = Array.from({ length: 300 }, () => mutated(dice.pick(corpus), corpus, dice, target.text === true))
    for (const input of [...target.seeds, ...inputs]) {
      const real = await judge(target, input)
      expect(await judge(quickForm(target), input), Buffer.from(input).toString('hex')).toEqual(real)
      kinds.add(real.kind)
    }
    expect([...kinds].sort()).toEqual(['accepted', 'refused'])
  },
)

/** A decoder with something wrong: each is a mistake that somebody could make. */
const planted: Readonly<Record<string, Target>> = {
  'a missing bound': {
    name: 'planted',
    covers: [],
    seeds: [encode([3, new Uint8Array(8)])],
    run(input) {
      const [at, bytes] = asArray(decode(input, 64), 'pair', { length: 2 })
      const text = asBytes(bytes, 'bytes')
      new DataView(text.buffer, text.byteOffset, text.length).getUint8(asUint(at, 'place'))
      return 'accepted'
    },
  },
  'a field that is read laxly': {
    name: 'planted',
    covers: [],
    seeds: [encode([true, 'x'])],
    run(input) {
      const [flag, text] = asArray(decode(input, 64), 'pair', { length: 2 })
      return encode([flag === true, text ?? null])
    },
  },
  'a length that is believed': {
    name: 'planted',
    covers: [],
    seeds: [Uint8Array.of(0, 0, 0, 4, 1, 2, 3, 4)],
    refuses: () => false,
    run(input) {
      const { buffer, byteOffset, length } = input
      const size = length < 4 ? 0 : new DataView(buffer, byteOffset).getUint32(0)
      return new Uint8Array(buffer, byteOffset + 4, size).length === length - 4 ? 'accepted' : 'refused'
    },
  },
  'a loop that grows with a number': {
    name: 'planted',
    covers: [],
    seeds: [encode([3])],
    maxMs: 5,
    run(input) {
      const [count] = asArray(decode(input, 64), 'count', { length: 1 })
      let sum = 0
      for (let i = 0; i < Math.min(Number(count), 2e7); i++) sum += Math.sqrt(i)
      return sum < 0 ? 'refused' : 'accepted'
    },
  },
  'a reader that writes': {
    name: 'planted',
    covers: [],
    seeds: [encode([new Uint8Array(16).fill(1)])],
    run(input) {
      decode(input, 64)
      input.fill(0)
      return 'refused'
    },
  },
}

describe('a planted bug is found:', () => {
  test.each(Object.entries(planted))('%s', async (_, target) => {
    const { failure } = await fuzz(target, { runs: 50_000, seed: 1 })
    expect(failure).not.toBeNull()
    if (failure === null || failure.why === 'writes into its input') return
    const small = await shrink(target, failure.input, failure.why)
    expect(small.length).toBeLessThanOrEqual(failure.input.length)
    expect(await judge(target, small)).toMatchObject({ kind: 'failed' })
  })

  test('by the named cases too', async () => {
    for (const [name, target] of Object.entries(planted).slice(0, 3)) {
      const kinds = new Set<string>()
      for (const family of Object.keys(FAMILIES)) {
        for (const { input } of casesOf(target, family)) kinds.add((await judge(target, input())).kind)
      }
      expect(kinds, name).toContain('failed')
    }
  })
})

describe('the tree of an encoding', () => {
  const bytes = encode([1, encode([new Uint8Array(3), 'x']), [2]])

  test('looks into byte strings', () => {
    expect(nodesOf(bytes).map(({ major }) => major)).toEqual([4, 0, 2, 4, 2, 3, 4, 0])
  })

  test('replaces a value and mends the lengths around it', () => {
    const inner = nodesOf(bytes)[4]
    if (inner === undefined) throw new Error('expected a value')
    const value = encode(new Uint8Array(300))
    expect(replaced(bytes, inner, value)).toEqual(encode([1, encode([new Uint8Array(300), 'x']), [2]]))
    const twice = Uint8Array.from([...value, ...value])
    const three = encode([1, encode([new Uint8Array(300), new Uint8Array(300), 'x']), [2]])
    expect(replaced(bytes, inner, twice, 1)).toEqual(three)
  })
})

describe('npm run fuzz', () => {
  const run = (...args: string[]): Promise<{ code: number; stdout: string }> =>
    promisify(execFile)(process.execPath, ['test/fuzz/main.ts', ...args], { cwd: root }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
    )

  test('says its seed and what it did', async () => {
    const { code, stdout } = await run('--target', 'cbor,duration', '--runs', '500', '--seed', '7')
    expect(stdout).toMatch(/^seed 7\ncbor: 500 inputs, \d+\/s, .*\nduration: 500 inputs, /)
    expect(code).toBe(0)
  })

  test('repeats one input, or one named case', async () => {
    expect(await run('--target', 'cbor', '--input', '8118')).toEqual({
      code: 0,
      stdout: 'cbor: 2 bytes, refused: the value ends early\n',
    })
    const { stdout } = await run('--target', 'duration', '--case', 'truncation: seed 0, cut to 1 bytes')
    expect(stdout).toMatch(/^duration: 1 bytes, refused/)
  })

  test('refuses a target that it does not have', async () => {
    expect(await run('--target', 'nothing')).toMatchObject({ code: 2 })
  })
})
