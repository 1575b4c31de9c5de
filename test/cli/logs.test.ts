import { appendFile, mkdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLogger } from '../../cli/log.ts'
import { createRotatingFile } from '../../cli/rotating-file.ts'
import { jsonLines, runCli, temporaryHome } from '../support/cli.ts'
import { anyNumber, containing, matching } from '../support/matchers.ts'

function logIn(home: string): string {
  return join(home, 'log', 'sotto.log')
}

test('the log of a node in the background is a few files of bounded size that only this user reads', async () => {
  await using scope = await temporaryHome()
  const path = logIn(scope.home)
  const logger = createLogger(createRotatingFile(path, { files: 3, bytes: 200 }), 'normal')
  for (let n = 0; n < 20; n++) logger.info({ n }, 'line')
  logger.debug({}, 'not at this level')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  for (const each of [path, `${path}.1`, `${path}.2`]) expect((await stat(each)).size).toBeLessThanOrEqual(200)
  await expect(stat(`${path}.3`)).rejects.toThrow('ENOENT')
  expect(jsonLines(await readFile(path, 'utf8')).at(-1)).toEqual({
    level: 'info',
    time: anyNumber,
    n: 19,
    said: 'line',
  })
})

test.skipIf(process.platform !== 'linux')('a full disk costs lines and nothing else', () => {
  const logger = createLogger(createRotatingFile('/dev/full'), 'normal')
  expect(() => logger.warn({}, 'the disk refused a write')).not.toThrow()
})

test('a log whose directory cannot be made is silent, and speaks once it can', async () => {
  await using scope = await temporaryHome()
  await appendFile(join(scope.home, 'log'), 'a file in the way')
  const write = createRotatingFile(logIn(scope.home))
  write('lost')
  await rename(join(scope.home, 'log'), join(scope.home, 'away'))
  write('kept')
  expect(await readFile(logIn(scope.home), 'utf8')).toBe('kept\n')
})

test('a field that people or secrets could be in shows in no line, at the top or within another', () => {
  const lines: string[] = []
  const logger = createLogger((line) => lines.push(line), 'verbose')
  const hidden = ['text', 'hello', 'name', 'petname', 'account', 'from', 'peerId', 'address', 'addresses', 'link']
  for (const name of [...hidden, 'key', 'secret', 'seed', 'passphrase', 'recoveryWords', 'token']) {
    for (const fields of [{ [name]: 'canary' }, { a: { [name]: 'canary' } }, { a: { b: { [name]: ['canary'] } } }]) {
      logger.debug(fields, 'said')
    }
  }
  expect(lines.length).toBe((hidden.length + 6) * 3)
  expect(lines.filter((line) => line.includes('canary'))).toEqual([])
  expect(lines.filter((line) => !line.includes('[hidden]'))).toEqual([])
})

test.each([
  ['quiet', ['warn']],
  ['normal', ['info', 'warn']],
  ['verbose', ['debug', 'info', 'warn']],
] as const)('%s says %j', (verbosity, said) => {
  const lines: string[] = []
  const logger = createLogger((line) => lines.push(line), verbosity)
  for (const level of ['debug', 'info', 'warn'] as const) logger[level]({}, level)
  expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(said)
})

test('logs shows the last lines of all files without a running node, for people and as they are', async () => {
  await using scope = await temporaryHome()
  const path = logIn(scope.home)
  const write = createRotatingFile(path, { bytes: 200 })
  const logger = createLogger(write, 'normal')
  for (let n = 0; n < 9; n++) logger.info({ n }, 'line')
  write('(node:7) last words\u001b[31m')
  const people = await runCli(['logs', '--last', '3'], scope)
  expect(people.stdout.split('\n')).toEqual([
    matching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info line \{"n":7\}$/),
    matching(/ info line \{"n":8\}$/),
    'output (node:7) last words[31m',
    '',
  ])
  const json = jsonLines((await runCli(['--json', 'logs'], scope)).stdout)
  expect(json.slice(-2)).toEqual([
    { schemaVersion: 1, time: anyNumber, level: 'info', said: 'line', n: 8 },
    { schemaVersion: 1, level: 'output', said: '(node:7) last words\u001b[31m' },
  ])
  expect(json.length).toBe(10)
})

test('logs without a log ends with 3 and says how to get one', async () => {
  await using scope = await temporaryHome()
  expect(await runCli(['logs'], scope)).toMatchObject({ code: 3, stdout: '', stderr: containing('sotto up --detach') })
})

test('logs --follow misses and repeats no line, however often the file is rotated meanwhile', async () => {
  await using scope = await temporaryHome()
  await mkdir(join(scope.home, 'log'))
  const logger = createLogger(createRotatingFile(logIn(scope.home), { bytes: 300 }), 'normal')
  let n = 0
  for (; n < 3; n++) logger.info({ n }, 'line')
  const ended = new AbortController()
  const ran = runCli(['--json', 'logs', '--follow', '--last', '2'], {
    ...scope,
    ended: ended.signal,
    onOutput(text) {
      // three lines for each that is shown: a rotation for each
      for (let i = 0; i < 3 && n < 30; i++) logger.info({ n: n++ }, 'line')
      if (text.includes('"n":29')) ended.abort()
    },
  })
  const { code, stdout } = await ran
  expect(code).toBe(130)
  expect(jsonLines(stdout).map((line) => (line as { n: number }).n)).toEqual(
    Array.from({ length: 29 }, (_, i) => i + 1),
  )
})
