import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { root, sourceFiles } from './support/source-tree.ts'

const run = promisify(execFile)

/** Those of whoever installed the package run against the packed package, in `test/package.test.ts`. */
const PACKED: ReadonlySet<string> = new Set(
  ['bot', 'group', 'protocol-only', 'test-with-a-mesh', 'two-people'].map((name) => `examples/${name}.ts`),
)

/** Whatever an example must have said before it ended. */
const said: Readonly<Record<string, readonly string[]>> = {
  'examples/demo.ts': [
    'alice: alice, message 3 while you were gone',
    'dave has: Hello all, says alice | Hello all, says bob | Hello all, says dave\n',
    ': everything arrived once and in order.',
  ],
  'examples/partition.ts': ['cut off, bob heard nothing while carol did'],
}

describe('the examples', () => {
  test.concurrent.each(sourceFiles('examples').filter((file) => !PACKED.has(file)))(
    '%s runs to its end',
    async (file) => {
      const { stdout } = await run(process.execPath, ['--conditions=source', file], { cwd: root, timeout: 140_000 })
      for (const line of said[file] ?? []) expect(stdout).toContain(line)
    },
    150_000,
  )
})
