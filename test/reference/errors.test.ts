import { expect, test } from 'vitest'
import { EXPLANATIONS } from '../../cli/explanations.ts'
import { read, sourceFiles } from '../support/source-tree.ts'
import { errorsText } from './errors.ts'

/** The codes that a text throws. */
function codesIn(text: string): string[] {
  return [...text.matchAll(/new (?:CliError|NodeError|ProtocolError)\(\s*'([^']*)'/g)].map(([, code = '']) => code)
}

test('docs/errors.md is what npm run docs writes', () => {
  expect(read('docs/errors.md')).toBe(errorsText())
})

test('every code that is thrown is in the table, with its meaning, a hint and an exit code', () => {
  const thrown = new Set(['lib', 'node', 'cli'].flatMap(sourceFiles).flatMap((file) => codesIn(read(file))))
  expect(thrown.size).toBeGreaterThan(20)
  expect([...thrown].filter((code) => !Object.hasOwn(EXPLANATIONS, code))).toEqual([])
  for (const [code, { meaning, hint, exit }] of Object.entries(EXPLANATIONS)) {
    expect(meaning, code).toMatch(/^[A-Z`].*\.$/)
    expect(hint, code).toMatch(/^[A-Z].*/)
    expect([1, 2, 3, 4, 130], code).toContain(exit)
  }
})

test('the search sees an error over several lines and would notice a code that is none', () => {
  const text = "throw new CliError(\n  'no-such', `x`)\nreturn new NodeError('locked', 'y')"
  expect(codesIn(text).filter((code) => !Object.hasOwn(EXPLANATIONS, code))).toEqual(['no-such'])
})
