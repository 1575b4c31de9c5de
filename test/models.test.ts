import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, type TestContext } from 'vitest'

/** Minutes, because the machine may be busy; alone each takes seconds. */
const PATIENCE_MS = 300_000

/** For each model the sizes at which it must hold, and its twins: each lacks one rule and must fail. */
const models = {
  'session-choice': {
    holds: ['-DSTARTS=1 -DFORGERIES=2', '-DSTARTS=2 -DFORGERIES=1', '-DSTARTS=1 -DFORGERIES=1 -DLOSSES=2'],
    twins: [
      'THIEF_DISPLACES',
      'EVICT_TOGETHER',
      'EVICT_LOWEST',
      'CONTENT_UNCONFIRMED',
      'WEAK_APPLIED',
      'NO_AUTH',
      'PROOF_UNCONFIRMED',
      'NO_GEN_RULE',
      'NO_GEN_TOO_LOW',
      'GEN_AT_OPEN',
      'EQUAL_GEN_ANY -DSTARTS=2 -DFORGERIES=1',
    ],
    twinSize: '-DSTARTS=1 -DFORGERIES=2',
  },
} as const

function isMissing(tool: string): boolean {
  try {
    execFileSync(tool, [tool === 'spin' ? '-V' : '--version'], { stdio: 'ignore' })
    return false
  } catch {
    return true
  }
}

const missing = ['spin', 'gcc'].filter(isMissing)

/** What the verifier says of a model with these flags. */
function verify(context: TestContext, model: string, flags: string): string {
  if (missing.length > 0) context.skip(`${missing.join(' and ')} not on this machine`)
  const directory = mkdtempSync(join(tmpdir(), 'sotto-model-'))
  try {
    const source = fileURLToPath(new URL(`../docs/models/${model}.pml`, import.meta.url))
    const run = (tool: string, ...words: string[]) =>
      execFileSync(tool, words, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    run('spin', '-a', ...flags.split(' '), source)
    run('gcc', '-O2', '-w', '-DSAFETY', '-DCOLLAPSE', '-DVECTORSZ=2048', '-DMEMLIM=1500', '-o', 'pan', 'pan.c')
    return run('./pan', '-E', '-m100000')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

describe.each(Object.entries(models))('the model %s', (model, { holds, twins, twinSize }) => {
  test.for(holds)('holds in every state, %s', { timeout: PATIENCE_MS }, (flags, context) => {
    const said = verify(context, model, flags)
    expect(said).toContain('errors: 0')
    expect(said).not.toMatch(/max search depth too small|Search not completed|MEMLIM|out of memory/)
  })

  test.for(twins)('fails with %s', { timeout: PATIENCE_MS }, (twin, context) => {
    const said = verify(context, model, twin.includes(' ') ? `-D${twin}` : `${twinSize} -D${twin}`)
    expect(said).toContain('assertion violated')
    expect(said).toContain('errors: 1')
  })
})
