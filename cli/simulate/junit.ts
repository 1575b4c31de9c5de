import type { Result } from './players.ts'

/** Results in the form that CI systems read: one test case for each seed. */
export function junit(scenario: string, results: readonly Result[]): string {
  const failures = results.filter(({ violations }) => violations.length > 0).length
  const seconds = results.reduce((sum, { tookMs }) => sum + tookMs, 0) / 1_000
  const cases = results.map(({ seed, tookMs, violations }) => {
    const head = `    <testcase classname="${escaped(scenario)}" name="seed ${seed}" time="${(tookMs / 1_000).toFixed(3)}"`
    if (violations.length === 0) return `${head}/>`
    const text = violations.map((violation) => `${violation.invariant}: ${violation.text}`).join('\n')
    return `${head}>\n      <failure message="${escaped(violations[0]?.text ?? '')}">${escaped(text)}</failure>\n    </testcase>`
  })
  const suite = `name="${escaped(scenario)}" tests="${results.length}" failures="${failures}" time="${seconds.toFixed(3)}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite ${suite}>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

/** XML 1.0 has no way to write most control characters. */
function escaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  )
}
