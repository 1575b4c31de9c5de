import { spawn } from 'node:child_process'
import { argon2Sync } from 'node:crypto'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { concat, u64be, utf8 } from '../../lib/bytes.ts'
import { RANGES, type Range } from '../../lib/rows.ts'
import { native, systemRandom } from '../../node/crypto.ts'
import { createHome, type Home, homeProtection, openHome } from '../../node/home.ts'
import { openLevelStore } from '../../node/store/level-store.ts'
import { writeSchema } from '../../node/store/schema.ts'
import { openVault, readVault, type StretchCost } from '../../node/store/vault.ts'
import { FROZEN_PASSPHRASE, frozenHome, frozenRows } from '../vectors/generate-home.ts'

/** So that no test waits for Argon2id but those of the frozen home. */
const CHEAP: StretchCost = { memoryKiB: 8, passes: 1, lanes: 1 }
const PASSPHRASE = 'correct horse'

let root = ''
let directory = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sotto-home-'))
  directory = join(root, 'way', 'home')
})

afterEach(async () => {
  await rm(root, { recursive: true })
})

function create(): Promise<Home> {
  return createHome(directory, { passphrase: PASSPHRASE, cost: CHEAP })
}

function open(passphrase: string = PASSPHRASE): Promise<Home> {
  return openHome(directory, { passphrase })
}

/** A closed home with `count` messages in it. */
async function filled(count = 200): Promise<void> {
  await using home = await create()
  for (let i = 0; i < count; i++) {
    await home.store.write([
      { range: 'message', key: concat(new Uint8Array(16), u64be(i)), value: utf8(`message ${i}`) },
    ])
  }
}

/** Every file below the home and its content; not `LOCK`, closing any handle of it would release LevelDB's lock. */
async function snapshot(): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === 'LOCK') continue
    const path = join(entry.parentPath, entry.name)
    files.set(path, (await readFile(path)).toString('latin1'))
  }
  return files
}

async function databaseFile(pattern: RegExp): Promise<string> {
  const name = (await readdir(join(directory, 'db'))).find((each) => pattern.test(each))
  if (name === undefined) throw new Error(`no file ${pattern.source} in the database`)
  return join(directory, 'db', name)
}

describe('a home', () => {
  test('keeps its rows behind its passphrase', async () => {
    await filled(3)
    expect(await homeProtection(directory)).toBe('passphrase')
    await using home = await open()
    expect((await home.store.list('message')).map(({ value }) => Buffer.from(value).toString())).toEqual([
      'message 0',
      'message 1',
      'message 2',
    ])
  })

  test('shows nothing of what was written into sealed and erasable rows in any of its files', async () => {
    const canary = 'canary 2f7c1e'
    {
      await using home = await create()
      const sealed = (Object.keys(RANGES) as Range[]).filter((range) => RANGES[range] !== 'wire')
      await home.store.write(sealed.map((range) => ({ range, key: utf8('key'), value: utf8(canary) })))
      await home.store.compact('message')
      await home.store.write(sealed.map((range) => ({ range, key: utf8('key 2'), value: utf8(canary) })))
      for (const [path, content] of await snapshot()) expect(content.includes(canary), path).toBe(false)
    }
    const files = await snapshot()
    expect(files.size).toBeGreaterThan(5)
    for (const [path, content] of files) {
      expect(content.includes(canary), path).toBe(false)
      expect(content.includes(PASSPHRASE), path).toBe(false)
    }
  })

  test.skipIf(process.platform === 'win32')(
    'is closed to other users, also when its directory was open before',
    async () => {
      await mkdir(directory, { recursive: true, mode: 0o755 })
      await chmod(directory, 0o755)
      await (await createHome(directory, { noPassphrase: true })).close()
      const modeOf = async (name: string): Promise<number> => (await stat(join(directory, name))).mode & 0o777
      expect(await modeOf('.')).toBe(0o700)
      expect(await modeOf('db')).toBe(0o700)
      for (const name of ['vault', 'key', 'closed']) expect(await modeOf(name), name).toBe(0o600)
      await chmod(directory, 0o750)
      await (await openHome(directory)).close()
      expect(await modeOf('.')).toBe(0o700)
    },
  )

  test.skipIf(process.platform === 'win32')('is not made in a directory that is for everybody', async () => {
    await mkdir(directory, { recursive: true })
    await chmod(directory, 0o1777)
    await expect(create()).rejects.toMatchObject({ code: 'invalid' })
    expect((await stat(directory)).mode & 0o7777).toBe(0o1777)
  })

  test('that does not exist, or exists already, is told as such', async () => {
    expect(await homeProtection(directory)).toBeNull()
    await expect(open()).rejects.toMatchObject({ code: 'no-account' })
    await filled(1)
    const before = await snapshot()
    await expect(create()).rejects.toMatchObject({ code: 'account-exists' })
    expect(await snapshot()).toEqual(before)
  })

  test('whose creation was cut short before the vault can be created again', async () => {
    const raw = await openLevelStore(join(root, 'db'))
    await writeSchema(raw, { primitives: native, random: systemRandom, masterKey: new Uint8Array(32) })
    await raw.close()
    await mkdir(directory, { recursive: true })
    await rename(join(root, 'db'), join(directory, 'db'))
    await writeFile(join(directory, 'key'), new Uint8Array(32))
    await (await create()).close()
    await (await open()).close()
    expect(await readdir(directory)).not.toContain('key')
  })

  test('that is created twice at once exists once', async () => {
    const results = await Promise.allSettled([create(), create()])
    const codes = results.map((result) => (result.status === 'fulfilled' ? 'created' : codeOf(result.reason)))
    expect(codes).toContain('created')
    expect(['locked', 'account-exists']).toContain(codes.find((code) => code !== 'created'))
    for (const result of results) if (result.status === 'fulfilled') await result.value.close()
    await (await open()).close()
  })

  test('that cannot be made because a file is in the way says so', async () => {
    await writeFile(join(root, 'way'), '')
    await expect(create()).rejects.toMatchObject({ code: 'storage' })
  })
})

describe('a passphrase', () => {
  test('that is wrong or missing opens nothing and changes nothing', async () => {
    await filled(3)
    const before = await snapshot()
    await expect(open('correct horsf')).rejects.toMatchObject({ code: 'wrong-passphrase' })
    await expect(openHome(directory)).rejects.toMatchObject({ code: 'wrong-passphrase' })
    expect(await snapshot()).toEqual(before)
  })

  test('can be changed, dropped and set again, and the rows stay', async () => {
    await filled(3)
    const steps = [
      [PASSPHRASE, { passphrase: 'second' }, 'passphrase'],
      ['second', { noPassphrase: true }, 'key-file'],
      [undefined, { noPassphrase: true }, 'key-file'],
      [undefined, { passphrase: 'third' }, 'passphrase'],
    ] as const
    for (const [current, next, protection] of steps) {
      await using home = await openHome(directory, {
        cost: CHEAP,
        ...(current !== undefined && { passphrase: current }),
      })
      await home.changePassphrase(current, next)
      expect(await homeProtection(directory)).toBe(protection)
      expect((await readdir(directory)).includes('key')).toBe(protection === 'key-file')
    }
    await expect(open(PASSPHRASE)).rejects.toMatchObject({ code: 'wrong-passphrase' })
    await using home = await open('third')
    expect(await home.store.list('message')).toHaveLength(3)
  })

  test('is not changed by somebody who does not know it, or to nothing', async () => {
    await filled(1)
    const before = await readFile(join(directory, 'vault'))
    await using home = await open()
    await expect(home.changePassphrase('guess', { passphrase: 'mine' })).rejects.toMatchObject({
      code: 'wrong-passphrase',
    })
    await expect(home.changePassphrase(undefined, { noPassphrase: true })).rejects.toMatchObject({
      code: 'wrong-passphrase',
    })
    await expect(home.changePassphrase(PASSPHRASE, { passphrase: '' })).rejects.toMatchObject({ code: 'invalid' })
    expect(await readFile(join(directory, 'vault'))).toEqual(before)
  })

  test('is asked for at its full cost unless another is given', async () => {
    await (await createHome(directory, { passphrase: PASSPHRASE })).close()
    expect(readVault(await readFile(join(directory, 'vault')), native).cost).toEqual({
      memoryKiB: 65_536,
      passes: 3,
      lanes: 1,
    })
  })
})

describe('the lock', () => {
  test('refuses a second opening with the process that holds it, until it is closed', async () => {
    await using home = await create()
    await expect(open()).rejects.toMatchObject({ code: 'locked', message: `the process ${process.pid} uses this home` })
    await home.close()
    await (await open()).close()
    expect(await readdir(directory)).not.toContain('lock')
  })

  test('is waited for when that is wanted, in steps, and not longer', async () => {
    const home = await create()
    const waits: number[] = []
    const waiting = openHome(directory, {
      passphrase: PASSPHRASE,
      waitMs: 2000,
      delay: async (ms) => {
        waits.push(ms)
        if (waits.length === 3) await home.close()
      },
    })
    await (await waiting).close()
    expect(waits).toHaveLength(3)

    await using again = await open()
    const inVain: number[] = []
    const refused = openHome(again.directory, {
      passphrase: PASSPHRASE,
      waitMs: 2000,
      delay: async (ms) => void inVain.push(ms),
    })
    await expect(refused).rejects.toMatchObject({ code: 'locked' })
    expect(inVain.reduce((sum, ms) => sum + ms, 0)).toBe(2000)
    expect(inVain.length).toBeLessThan(100)
  })

  test('of another process names that process, and dies with it however it dies', async () => {
    await (await createHome(directory, { noPassphrase: true })).close()
    const script = fileURLToPath(new URL('../support/hold-home.ts', import.meta.url))
    const holder = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await once(holder.stdout, 'data')
      await expect(openHome(directory)).rejects.toMatchObject({
        code: 'locked',
        message: `the process ${holder.pid} uses this home`,
      })
    } finally {
      holder.kill('SIGKILL')
      await once(holder, 'exit')
    }
    expect(await readdir(directory)).toContain('lock')
    await using home = await openHome(directory)
    expect(Buffer.from((await home.store.read('self', utf8('held'))) ?? []).toString()).toBe('by another process')
    expect(await readFile(home.paths.lock, 'utf8')).toBe(`${process.pid}\n`)
  })

  test('with an unreadable process in it still says that the home is in use', async () => {
    await using home = await create()
    await writeFile(home.paths.lock, Uint8Array.of(255, 254, 10))
    await expect(open()).rejects.toMatchObject({ code: 'locked', message: 'another process uses this home' })
  })
})

describe('a home that was closed and is damaged', () => {
  const half = async (path: string): Promise<void> => truncate(path, Math.floor((await stat(path)).size / 2))
  const lastByte = async (path: string): Promise<void> => truncate(path, (await stat(path)).size - 1)
  const flip = async (path: string): Promise<void> => {
    const bytes = await readFile(path)
    const at = bytes.length >> 1
    bytes[at] = (bytes[at] ?? 0) ^ 1
    await writeFile(path, bytes)
  }
  const parts: readonly (readonly [string, RegExp])[] = [
    ['log', /\.log$/],
    ['manifest', /^MANIFEST/],
    ['CURRENT', /^CURRENT$/],
    ['table', /\.ldb$/],
  ]
  const damages = { 'cut in half': half, 'short of one byte': lastByte, missing: rm, changed: flip }

  for (const [part, pattern] of parts) {
    for (const [kind, damage] of Object.entries(damages)) {
      if (part === 'table' && kind === 'changed') continue
      test(`(its ${part} ${kind}) is refused in one sentence, and nothing is changed`, async () => {
        await filled(50)
        // Opening and closing moves the rows of the log into a table, so that there is one of each.
        await using home = await open()
        await home.store.write([{ range: 'self', key: utf8('in the log'), value: new Uint8Array(500) }])
        await home.close()
        await damage(await databaseFile(pattern))
        const before = await snapshot()
        const error: unknown = await open().catch((reason: unknown) => reason)
        expect(error).toMatchObject({ name: 'NodeError', code: 'damaged' })
        expect(String(Reflect.get(Object(error), 'message'))).toMatch(
          /^the database is damaged: the file "[^"]+" [a-z0-9 ,]+$/,
        )
        expect(await snapshot()).toEqual(before)
      })
    }
  }

  test('(a row of a table changed) opens, and the row is refused as damaged', async () => {
    {
      await using home = await create()
      await home.store.write([{ range: 'self', key: utf8('k'), value: new Uint8Array(5000) }])
      await home.store.compact('self')
    }
    await flip(await databaseFile(/\.ldb$/))
    await using home = await open()
    await expect(home.store.read('self', utf8('k'))).rejects.toMatchObject({ code: 'damaged' })
  })

  test.each(['vault', 'closed'])('(its file %s cut short) is refused, and nothing is changed', async (name) => {
    await filled(3)
    await lastByte(join(directory, name))
    const before = await snapshot()
    await expect(open()).rejects.toMatchObject({ code: 'damaged', message: `the file "${name}" is damaged` })
    expect(await snapshot()).toEqual(before)
  })

  test('(its key file missing, short or that of another home) is refused', async () => {
    await (await createHome(directory, { noPassphrase: true })).close()
    const key = join(directory, 'key')
    await writeFile(key, new Uint8Array(32))
    await expect(openHome(directory)).rejects.toMatchObject({ code: 'damaged' })
    await truncate(key, 31)
    await expect(openHome(directory)).rejects.toMatchObject({ code: 'damaged' })
    await rm(key)
    await expect(openHome(directory)).rejects.toMatchObject({ code: 'damaged' })
  })

  test('(its vault gone, the database of another home, or an empty one in its place) is refused', async () => {
    await filled(3)
    await rename(join(directory, 'vault'), join(root, 'vault'))
    await expect(open()).rejects.toMatchObject({ code: 'no-account' })
    await expect(create()).rejects.toMatchObject({ code: 'damaged' })
    await rename(join(root, 'vault'), join(directory, 'vault'))
    await (await open()).close()

    await rm(join(directory, 'closed'))
    await rm(join(directory, 'db'), { recursive: true })
    await expect(open()).rejects.toMatchObject({ code: 'damaged' })
    await (await openLevelStore(join(directory, 'db'))).close()
    await expect(open()).rejects.toMatchObject({ code: 'damaged', message: 'the database of this home is empty' })
    await rm(join(directory, 'db'), { recursive: true })
    const other = await createHome(join(root, 'other'), { noPassphrase: true })
    await other.close()
    await cp(other.paths.database, join(directory, 'db'), { recursive: true })
    await expect(open()).rejects.toMatchObject({ code: 'damaged' })
  })
})

describe('a home that was not closed', () => {
  test.each([
    ['manifest', /^MANIFEST/],
    ['CURRENT', /^CURRENT$/],
    ['table', /\.ldb$/],
  ])('and lost half of its %s is refused', async (_, pattern) => {
    await filled(50)
    await (await open()).close()
    await rm(join(directory, 'closed'))
    const path = await databaseFile(pattern)
    await truncate(path, (await stat(path)).size >> 1)
    await expect(open()).rejects.toMatchObject({ code: 'damaged' })
  })

  test('opens with every row that was written, also beside the list of an earlier closing', async () => {
    await filled(20)
    const closed = await readFile(join(directory, 'closed'))
    await using home = await open()
    await home.store.write([{ range: 'self', key: utf8('late'), value: utf8('row') }])
    // What a crash leaves behind is the state of the disk at this moment.
    const crashed = join(root, 'crashed')
    await cp(directory, crashed, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
    expect(await readFile(join(crashed, 'closed'))).toEqual(closed)
    await using after = await openHome(crashed, { passphrase: PASSPHRASE })
    expect(await after.store.list('message')).toHaveLength(20)
    expect(await after.store.read('self', utf8('late'))).toEqual(utf8('row'))
  })
})

describe('schemas', () => {
  test('rows of a newer schema are refused and kept', async () => {
    await filled(3)
    const vault = readVault(await readFile(join(directory, 'vault')), native)
    const masterKey = await masterKeyOf(vault)
    const raw = await openLevelStore(join(directory, 'db'))
    await writeSchema(raw, { primitives: native, random: systemRandom, masterKey, schema: 2 })
    const rows = await raw.list('message')
    await raw.close()
    await expect(open()).rejects.toMatchObject({ code: 'newer-schema' })
    await using again = await openLevelStore(join(directory, 'db'))
    expect(await again.list('message')).toEqual(rows)
  })

  test('the frozen home of schema 1 opens and holds its rows', async () => {
    await cp(frozenHome(1), directory, { recursive: true })
    await using home = await openHome(directory, { passphrase: FROZEN_PASSPHRASE })
    for (const range of Object.keys(RANGES) as Range[]) {
      const expected = frozenRows().filter((row) => row.range === range)
      expect(await home.store.list(range)).toEqual(expected.map(({ key, value }) => ({ key, value })))
    }
    await home.store.write([{ range: 'self', key: utf8('new'), value: utf8('row') }])
    expect(await home.store.read('self', utf8('new'))).toEqual(utf8('row'))
  })
})

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

async function masterKeyOf(vault: ReturnType<typeof readVault>): Promise<Uint8Array> {
  return openVault(
    vault,
    { kind: 'passphrase', passphrase: PASSPHRASE },
    {
      primitives: native,
      argon2id: async (message, nonce, { memoryKiB, passes, lanes }) =>
        new Uint8Array(
          argon2Sync('argon2id', { message, nonce, memory: memoryKiB, passes, parallelism: lanes, tagLength: 32 }),
        ),
    },
  )
}
