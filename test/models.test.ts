import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, type TestContext, test, vi } from 'vitest'
import { read, root } from './support/source-tree.ts'

// Each takes seconds alone; the machine may be busy. Two at a time, because a compiler and a verifier are hungry.
vi.setConfig({ testTimeout: 120_000, maxConcurrency: 2 })

interface Model {
  /** Sizes at which no rule may break, in every state. */
  readonly holds: readonly string[]
  /** The size at which every run is followed to its end, and every statement must be reached. */
  readonly ends: string
  /** What is left out in each twin, the rule that must break then, and the size, if it is not that of `ends`. */
  readonly twins: readonly (readonly [lacks: string, breaks: string, size?: string])[]
}

/** Flags that say how large a model is. */
const SIZES = /^(?:STARTS|FORGERIES|LOSSES|REMEDIES|CRASHES|KEYS|BATCH)$/

const models: Readonly<Record<string, Model>> = {
  'session-choice': {
    holds: ['-DSTARTS=1 -DFORGERIES=2', '-DSTARTS=2 -DFORGERIES=1', '-DSTARTS=1 -DFORGERIES=1 -DLOSSES=2'],
    ends: '-DSTARTS=1 -DFORGERIES=2',
    twins: [
      ['THIEF_DISPLACES', 'confirmed_not_displaced'],
      ['EVICT_TOGETHER', 'confirmed_not_evicted'],
      ['EVICT_LOWEST', 'remedies_suffice'],
      ['CONTENT_UNCONFIRMED', 'nothing_sealed_for_the_thief'],
      ['WEAK_APPLIED', 'nothing_taken_from_the_thief'],
      ['NO_AUTH', 'nothing_taken_from_the_thief'],
      ['PROOF_UNCONFIRMED', 'link_not_bound_to_the_thief'],
      ['NO_GEN_RULE', 'remedies_suffice'],
      ['NO_GEN_TOO_LOW', 'remedies_suffice'],
      ['GEN_AT_OPEN', 'remedies_suffice'],
      ['EQUAL_GEN_ANY', 'both_agree', '-DSTARTS=2 -DFORGERIES=1'],
    ],
  },
  'save-before-send': {
    holds: ['-DCRASHES=2 -DKEYS=3', '-DCRASHES=1 -DKEYS=4'],
    ends: '-DCRASHES=2 -DKEYS=3',
    twins: [
      ['SEND_BEFORE_SAVE', 'key_seals_one_text'],
      ['SPLIT_RATCHET', 'key_seals_one_text'],
      ['SAME_KEY', 'key_seals_one_text'],
      ['SPLIT_COUNTER', 'number_names_one_text'],
      ['REPLY_BEFORE_SAVE', 'accepted_arrives'],
      ['FORGET_ON_SEND', 'accepted_arrives'],
      ['NEW_NUMBER', 'nothing_stands_twice'],
      ['NO_SEEN', 'nothing_stands_twice'],
      ['SHOW_BEFORE_SAVE', 'nothing_shown_twice'],
      ['RECEIPT_BEFORE_SAVE', 'acknowledged_is_kept'],
      ['SPLIT_READ', 'acknowledged_is_kept'],
      ['NO_SECOND_RECEIPT', 'author_knows'],
    ],
  },
}

const run = promisify(execFile)

async function isMissing(tool: string, word: string): Promise<boolean> {
  return run(tool, [word]).then(
    () => false,
    () => true,
  )
}

const missing = [
  ...((await isMissing('spin', '-V')) ? ['spin'] : []),
  ...((await isMissing('gcc', '--version')) ? ['gcc'] : []),
]

interface Search {
  /** Which model: its size, and what it lacks. */
  readonly flags: string
  /** What to look for: broken rules (`SAFETY`) or runs without an end (`NP`). */
  readonly compile: readonly string[]
  /** `-E`: all may rest at the end. `-l`: look for cycles. */
  readonly search: readonly string[]
}

/** What the verifier says of a model. */
async function verify(context: TestContext, model: string, { flags, compile, search }: Search): Promise<string> {
  if (missing.length > 0) return context.skip(`${missing.join(' and ')} not on this machine`)
  const cwd = await mkdtemp(join(tmpdir(), 'sotto-model-'))
  try {
    const source = join(root, 'docs/models', `${model}.pml`)
    const options = { cwd, signal: context.signal }
    await run('spin', ['-a', ...flags.split(' '), source], options)
    const bounds = ['-DCOLLAPSE', '-DVECTORSZ=2048', '-DMEMLIM=1500']
    await run('gcc', ['-w', ...compile, ...bounds, '-o', 'pan', 'pan.c'], options)
    return (await run('./pan', ['-m100000', ...search], options)).stdout
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

/** Every state was visited and nothing is wrong in any. */
function expectWhole(said: string): void {
  expect(said).toContain('errors: 0')
  expect(said).toContain('Full statespace search for:')
  expect(said).not.toMatch(/max search depth too small|Search not completed|MEMLIM|out of memory/)
}

describe.each(Object.entries(models))('the model %s', (model, { holds, ends, twins }) => {
  test('has all its twins here and in its text', () => {
    const named = [...read(`docs/models/${model}.pml`).matchAll(/^#ifn?def (\w+)/gm)].map((match) => match[1] ?? '')
    const known = twins.map(([lacks]) => lacks)
    expect([...new Set(named)].filter((name) => !SIZES.test(name)).toSorted()).toEqual(known.toSorted())
    for (const [lacks, breaks] of twins)
      expect(read('docs/models/README.md')).toMatch(new RegExp(`^\\| \`${lacks}\` \\|.*\\| \`${breaks}\` \\|$`, 'm'))
  })

  test.concurrent.for(holds)('breaks no rule in any state, %s', async (flags, context) => {
    expectWhole(await verify(context, model, { flags, compile: ['-O1', '-DSAFETY'], search: ['-E'] }))
  })

  // A run that never ends would never come to the rules that are asked about when all is at rest.
  test.concurrent('ends in every run and reaches every statement', async (context) => {
    const said = await verify(context, model, { flags: ends, compile: ['-O1', '-DNP'], search: ['-l'] })
    expectWhole(said)
    expect(said).toContain('non-progress cycles \t+')
    expect(said.match(/state \d+, "(?!-end-).*/g)).toBeNull()
  })

  test.concurrent.for(twins)('with %s breaks %s', async ([lacks, breaks, size = ends], context) => {
    const flags = `${size} -D${lacks}`
    const said = await verify(context, model, { flags, compile: ['-O0', '-DSAFETY'], search: ['-E'] })
    expect(said).toContain(`assertion violated ${breaks} `)
    expect(said).toContain('errors: 1')
  })
})
