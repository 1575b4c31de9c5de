import type { Reporter, TestModule } from 'vitest/node'

/** Tells after a run which tests were skipped and why; `context.skip(reason)` gives the reason. */
export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>()
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const result = test.result()
        const reason = (result.state === 'skipped' && result.note) || test.fullName
        const line = `${module.relativeModuleId}: ${reason}`
        counts.set(line, (counts.get(line) ?? 0) + 1)
      }
    }
    if (counts.size === 0) return
    process.stdout.write('\nSkipped:\n')
    for (const [line, count] of counts) process.stdout.write(`  ${count} × ${line}\n`)
  }
}
