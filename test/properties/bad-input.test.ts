import { afterAll, describe, expect, test } from 'vitest'
import { casesOf, FAMILIES } from '../fuzz/cases.ts'
import { judge, type Target } from '../fuzz/target.ts'
import { keptInputs, TARGETS } from '../fuzz/targets/index.ts'

let counted = 0

/** Memory that one input may take at the moment, bytes; the largest formats hold 16 MiB. */
const MAX_GROWTH = 64 << 20

const memory = (): number => {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** What is wrong with how a target took the cases of a family: one line for each, with what repeats it. */
async function faultsOf(target: Target, family: string): Promise<string[]> {
  const faults: string[] = []
  const before = memory()
  for (const { name, input } of casesOf(target, family)) {
    const bytes = input()
    const copy = bytes.slice()
    const verdict = await judge(target, bytes)
    counted++
    const fault =
      verdict.kind === 'failed' ? verdict.why : Buffer.compare(bytes, copy) === 0 ? null : 'writes into its input'
    if (fault !== null) {
      const repeat = `npm run fuzz -- --target ${target.name} --case ${JSON.stringify(name)}`
      faults.push(`${target.name}: ${name}: ${fault}\n  ${repeat}`)
    }
    if (faults.length > 4) break
  }
  if (memory() - before > 4 * MAX_GROWTH) faults.push(`${target.name}: ${family}: holds more memory than it should`)
  return faults
}

describe.each(TARGETS)('$name', (target) => {
  test('takes every valid input', async () => {
    expect(target.seeds.length).toBeGreaterThan(0)
    const expected = target.refusesSeeds === undefined ? /accepted/ : /accepted|refused/
    for (const seed of target.seeds) expect((await judge(target, seed)).kind).toMatch(expected)
  })

  test.each(Object.keys(FAMILIES))('refuses, or reads as what it is: %s', async (family) => {
    expect(await faultsOf(target, family)).toEqual([])
  })

  test('handles what once went wrong', async () => {
    for (const [name, input] of keptInputs(target)) {
      counted++
      expect(await judge(target, input), `${target.name}/${name}`).not.toMatchObject({ kind: 'failed' })
    }
  })
})

afterAll(() => {
  process.stdout.write(`bad input: ${counted} cases over ${TARGETS.length} decoders\n`)
})
