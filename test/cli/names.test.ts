import { expect, test } from 'vitest'
import { createNames } from '../../cli/names.ts'
import { fakeGroup } from '../support/fake-groups.ts'
import { fakeAccount, fakeContact, ME } from '../support/fake-node.ts'

const CLAIMED = ['bob" the real, "', 'Carol', 'Carol', '\u202e\u001b[2J'].map((claimedName, at) => ({
  account: fakeAccount('cdef'[at] ?? ''),
  claimedName,
  role: 'member' as const,
  state: 'member' as const,
}))
const group = fakeGroup(1, ME, { name: 'trip\u001b', members: CLAIMED })
const short = (letter: string): string => `sotto1${letter.repeat(10)}`

test('a claimed name cannot end its quotes', () => {
  const { nameOf } = createNames(ME, { group })
  expect(nameOf(fakeAccount('c'))).toBe(`"bob' the real, '"`)
})

test('two of one name, those without one, and those who are no members are told apart by their accounts', () => {
  const { nameOf, title } = createNames(ME, { group })
  expect(title).toBe('trip')
  expect(['d', 'e', 'f', 'x'].map((letter) => nameOf(fakeAccount(letter)))).toEqual([
    `"Carol" ${short('d')}`,
    `"Carol" ${short('e')}`,
    '"[2J"',
    short('x'),
  ])
  expect(nameOf(ME)).toBe('me')
})

test('contacts go by their petnames, also when they left, and by the new one when it changes', () => {
  const dave = fakeContact({ petname: 'dave' })
  const names = createNames(ME, { group }, [dave])
  expect(names.nameOf(dave.account)).toBe('dave')
  names.learn({ kind: 'contact', contact: { ...dave, petname: 'david' } })
  expect(names.nameOf(dave.account)).toBe('david')
  names.learn({ kind: 'group', group: { ...group, name: 'Rome' } })
  expect(names.title).toBe('Rome')
})
