import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Names of tests hold the seed, and tests are found again by their names.
process.env['SEED'] ??= '1'
process.env['QUICK'] ??= '1'

const config: Readonly<Record<string, unknown>> = {
  mutate: ['lib/crypto/**/*.ts', 'lib/session/**/*.ts', 'lib/identity/**/*.ts'],
  plugins: [join(import.meta.dirname, 'runner.ts')],
  testRunner: 'in-process',
  ignorers: ['messages'],
  coverageAnalysis: 'perTest',
  // Loops without end are seen by their number of hits; a slow machine must not look like one.
  timeoutMS: 60_000,
  concurrency: 1,
  maxTestRunnerReuse: 300,
  // Stryker would load TypeScript as a library to rewrite the file, and TypeScript 7 is none.
  tsconfigFile: 'none.json',
  tempDirName: join(tmpdir(), 'sotto-mutation'),
  incremental: true,
  incrementalFile: 'node_modules/.cache/sotto-mutation/incremental.json',
  reporters: ['progress-append-only', 'json'],
  jsonReporter: { fileName: 'node_modules/.cache/sotto-mutation/mutation.json' },
}

export default config
