import { expect, test } from 'vitest'
import { CliError, exitCodeOf, failureOf, isErrorCode } from '../../cli/errors.ts'
import { ProtocolError } from '../../lib/errors.ts'
import { NodeError } from '../../node/errors.ts'
import { containing } from '../support/matchers.ts'

test.each([
  ['usage', 2],
  ['ambiguous', 2],
  ['invalid', 2],
  ['no-node', 3],
  ['stopped', 3],
  ['timeout', 4],
  ['peer_away', 4],
  ['interrupted', 130],
  ['account-exists', 1],
  ['wrong-passphrase', 1],
  ['damaged', 1],
  ['locked', 1],
  ['newer-schema', 1],
  ['failed', 1],
  ['internal', 1],
] as const)('%s ends with %i', (code, exit) => {
  expect(exitCodeOf(failureOf(new CliError(code, 'because')))).toBe(exit)
})

test('a code of another version is no code', () => {
  expect(isErrorCode('timeout')).toBe(true)
  expect(isErrorCode('toString')).toBe(false)
  expect(isErrorCode(7)).toBe(false)
})

test('people read sentences, with the hint of the error before the usual one', () => {
  expect(failureOf(new NodeError('locked', 'the process 7 uses this home'))).toEqual({
    code: 'locked',
    message: 'The process 7 uses this home.',
    hint: 'Stop the other one (sotto down), or wait until it is done.',
  })
  expect(failureOf(new NodeError('locked', 'x', { hint: 'run away' })).hint).toBe('Run away')
  expect(failureOf(new ProtocolError('unauthentic', 'tag of frame 7')).message).not.toContain('frame 7')
})

test('what the system refuses is said in words, also when a transport wrapped it', () => {
  const inUse = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' })
  expect(failureOf(inUse).code).toBe('address-in-use')
  expect(failureOf(new AggregateError([new Error('x', { cause: inUse })], 'y')).code).toBe('address-in-use')
  expect(failureOf(Object.assign(new Error('x'), { code: 'ENOSPC' })).code).toBe('storage')
  expect(failureOf(Object.assign(new Error('x'), { code: 'EMFILE' })).code).toBe('system')
})

test('anything else is a defect and keeps its stack to itself', () => {
  const failure = failureOf(new TypeError('x is not a function'))
  expect(failure).toMatchObject({
    code: 'internal',
    message: containing('TypeError: x is not a function'),
  })
  expect(JSON.stringify(failure)).not.toContain('.ts:')
  expect(failureOf('text').code).toBe('internal')
})
