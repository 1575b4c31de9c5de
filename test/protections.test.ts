import { describe, expect, test } from 'vitest'
import { parts } from './protections/table.ts'
import { withTable } from './protections/text.ts'
import { withoutIt } from './protections/workspace.ts'
import { read } from './support/source-tree.ts'

const all = parts.flatMap(({ protections }) => protections)

describe('the table of protections', () => {
  test('stands in the threat model as it is (npm run protections -- --write)', () => {
    const text = read('docs/threat-model.md')
    expect(text).toBe(withTable(text))
  })

  test('names each protection once', () => {
    const names = all.map(({ protection }) => protection)
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  })

  test('can take each of them out of where it is built', () => {
    const stuck = all.flatMap((each) => {
      try {
        const changed = [...withoutIt(each, read).values()]
        return changed.some(({ before, after }) => before !== after) ? [] : [`${each.protection}: nothing changes`]
      } catch (error) {
        return [`${each.protection}: ${String(error)}`]
      }
    })
    expect(stuck).toEqual([])
  })

  test('names tests that stand in their files', () => {
    const missing = all.filter(({ test: { file, name } }) => name === '' || !read(file).includes(name))
    expect(missing.map(({ test: { file, name } }) => `${file}: ${name}`)).toEqual([])
  })
})
