import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { absences, INSTALL, isInstalled } from './installed.ts'

const NAMES = ['@signalapp/libsignal-client', '@matrix-org/olm', 'hyperswarm', 'hyperdht'] as const

const dependenciesOf = (file: string): readonly string[] => {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(
    readFileSync(new URL(file, import.meta.url), 'utf8'),
  ) as Readonly<Record<string, Readonly<Record<string, string>> | undefined>>
  return Object.keys({ ...dependencies, ...devDependencies })
}

test('the programs that ours is measured beside are in a workspace of their own and nowhere else', () => {
  expect(dependenciesOf('./package.json').toSorted()).toEqual(NAMES.toSorted())
  const own = dependenciesOf('../../../package.json')
  for (const name of NAMES) expect(own).not.toContain(name)
})

test('a row says what it leaves out and how to have it', () => {
  const missing = NAMES.filter((name) => !isInstalled(name))
  const notes = absences(NAMES)
  expect(notes).toHaveLength(missing.length)
  for (const note of notes) expect(note).toContain(INSTALL)
})
