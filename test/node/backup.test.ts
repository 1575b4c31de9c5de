import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../lib/bytes.ts'
import { encode } from '../../lib/wire.ts'
import { native } from '../../node/crypto.ts'
import { createHome, homeProtection } from '../../node/home.ts'
import {
  type BackupSummary,
  createBackup,
  createBackupSeal,
  createNode,
  type Message,
  type Node,
  restoreBackup,
} from '../../node/index.ts'
import { encodeHead, START_BYTES } from '../../node/backup/format.ts'
import type { StretchCost } from '../../node/store/vault.ts'
import { acquaint, createWorld, say, type Someone } from '../support/machines.ts'

const CHEAP: StretchCost = { memoryKiB: 8, passes: 1, lanes: 1 }
const PASSPHRASE = 'of the backup'
const CHILD = fileURLToPath(new URL('../support/backup-process.ts', import.meta.url))
const CANARY = 'canary:'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sotto-backup-'))
})
afterEach(() => rm(root, { recursive: true }))

/** The rows of somebody who has lived a little; times are those of the machine, or everything would be over. */
function livedA(texts = 20): Someone {
  const world = createWorld('backup of a home')
  world.advance(Date.now() - world.now)
  const [alice, bob, carol] = [world.person('alice'), world.person('bob'), world.person('carol')]
  world.advance(2_000)
  acquaint(world, alice, bob)
  acquaint(world, alice, carol)
  alice.command({ kind: 'confirm', contact: alice.contact(bob) })
  alice.command({ kind: 'block', contact: alice.contact(carol) })
  const ids = Array.from({ length: texts }, (_, i) => {
    const [from, to] = i % 2 === 0 ? [alice, bob] : [bob, alice]
    const sent = say(from, to, `${CANARY} ${i}`)
    world.advance(1_000)
    return sent.kind === 'message' ? sent.id : new Uint8Array()
  })
  const [first, second, third] = ids as [Uint8Array, Uint8Array, Uint8Array]
  const to = alice.contact(bob)
  alice.command({ kind: 'edit', contact: to, message: first, text: `${CANARY} edited` })
  alice.command({ kind: 'react', contact: to, message: second, emoji: '🙂' })
  alice.command({ kind: 'delete', contact: to, message: third })
  alice.command({ kind: 'send', contact: to, text: `${CANARY} for a day`, expires: 86_400_000 })
  bob.command({ kind: 'read', contact: bob.contact(alice) })
  world.advance(5_000)
  return alice
}

async function homeOf(someone: Someone, name = 'home'): Promise<string> {
  const directory = join(root, name)
  await using _home = await createHome(directory, {
    noPassphrase: true,
    fill: (store) => store.write([...someone.rows.values()]),
  })
  return directory
}

async function withNode<T>(directory: string, work: (node: Node) => Promise<T>): Promise<T> {
  await using node = await createNode({ directory, network: 'none' })
  return await work(node)
}

/** Everything that is shown of everybody. */
async function everything(directory: string): Promise<{ contacts: unknown; messages: readonly Message[] }> {
  return withNode(directory, async (node) => {
    const contacts = await node.contacts.list()
    const messages = await Promise.all(contacts.map(({ account }) => node.messages(account, { last: 1000 })))
    return { contacts, messages: messages.flat() }
  })
}

const backUp = (directory: string, file: string, options = {}): Promise<BackupSummary> =>
  withNode(directory, (node) => createBackup(node, file, { passphrase: PASSPHRASE, cost: CHEAP, ...options }))
const restore = (file: string, name = 'restored', backupPassphrase = PASSPHRASE) =>
  restoreBackup(file, { directory: join(root, name), backupPassphrase, noPassphrase: true })

describe('a backup', () => {
  test('brings everything back into another home, as another device', async () => {
    const directory = await homeOf(livedA())
    const file = join(root, 'backup')
    const settings = JSON.stringify({ delivery: 'mailbox' })
    const summary = await backUp(directory, file, { settings })
    expect(summary).toMatchObject({ contacts: 2, bytes: (await stat(file)).size })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(root)).toEqual(['backup', 'home'])
    const restored = await restore(file)
    const ids = await Promise.all(
      [directory, join(root, 'restored')].map((each) => withNode(each, async (node) => node.identity)),
    )
    expect(restored).toMatchObject({ account: ids[0]?.account, contacts: 2, messages: summary.messages, settings })
    expect(ids[1]?.account).toBe(ids[0]?.account)
    expect(ids[1]?.did).not.toBe(ids[0]?.did)
    expect(ids[1]?.peerId).not.toBe(ids[0]?.peerId)
    const [before, after] = [await everything(directory), await everything(join(root, 'restored'))]
    expect(after).toEqual(before)
    expect(before.messages.map(({ text }) => text)).toContain(`${CANARY} edited`)
    expect(before.messages.map(({ state }) => state)).toEqual(expect.arrayContaining(['read', 'delivered']))
  })

  test('holds no text, no name and no key in clear', async () => {
    const alice = livedA()
    const file = join(root, 'backup')
    await backUp(await homeOf(alice), file)
    const bytes = await readFile(file)
    for (const word of [CANARY, 'alice', 'bob', 'contact']) expect(bytes.includes(word), word).toBe(false)
    const self = [...alice.rows.values()].filter(({ range }) => range === 'self' || range === 'contact')
    const keys = self.flatMap(({ value }) => (value !== null && value.length > 48 ? value.subarray(16, 48) : []))
    expect(keys.length).toBeGreaterThan(3)
    for (const key of keys) expect(bytes.includes(Buffer.from(key))).toBe(false)
  })

  test('replaces no file unless told to, and leaves nothing beside it', async () => {
    const directory = await homeOf(livedA(4))
    const file = join(root, 'backup')
    await writeFile(file, 'mine')
    await expect(backUp(directory, file)).rejects.toMatchObject({ code: 'file-exists' })
    expect(await readFile(file, 'utf8')).toBe('mine')
    await expect(backUp(directory, root, { force: true })).rejects.toMatchObject({ code: 'file-exists' })
    await backUp(directory, file, { force: true })
    await restore(file)
    await expect(backUp(directory, join(root, 'nowhere', 'backup'))).rejects.toMatchObject({ code: 'storage' })
    expect((await readdir(root)).sort()).toEqual(['backup', 'home', 'restored'])
  })

  test('is refused with a sentence when it is another file, another version, cut off, altered or put together wrongly', async () => {
    const directory = await homeOf(livedA())
    const file = join(root, 'backup')
    // several pieces of 64 KiB
    await withNode(directory, async (node) => {
      for (let i = 0; i < 40; i++) await node.send('bob', `${CANARY} ${'x'.repeat(8_000)}`)
    })
    await backUp(directory, file)
    const bytes = new Uint8Array(await readFile(file))
    const head = START_BYTES + ((bytes[12] as number) << 8) + (bytes[13] as number)
    const piece = 65_552
    const at = (n: number) => bytes.subarray(head + n * piece, head + (n + 1) * piece)
    expect(bytes.length).toBeGreaterThan(head + 4 * piece)
    const flipped = (where: number) => bytes.with(where, (bytes[where] as number) ^ 1)
    const newer = encode([2, 'backup', [8, 1, 1], new Uint8Array(16), new Uint8Array(24), new Uint8Array(48)])
    const keyFile = encode([1, 'backup', [0, 0, 0], new Uint8Array(16), new Uint8Array(24), new Uint8Array(48)])
    const sealed = (body: Uint8Array) => encodeHead(concat(body, native.sha256(body)))
    const cases: readonly (readonly [what: string, file: Uint8Array, code: string])[] = [
      ['empty', new Uint8Array(), 'invalid'],
      ['another file', utf8('PK\u0003\u0004 something else entirely'), 'invalid'],
      ['the head alone', bytes.subarray(0, head), 'damaged'],
      ['half a head', bytes.subarray(0, head - 10), 'damaged'],
      ['the start alone', bytes.subarray(0, START_BYTES), 'damaged'],
      ['cut off', bytes.subarray(0, -1), 'damaged'],
      ['cut off between pieces', bytes.subarray(0, head + 2 * piece), 'damaged'],
      ['without its first piece', concat(bytes.subarray(0, head), bytes.subarray(head + piece)), 'damaged'],
      [
        'pieces changed places',
        concat(bytes.subarray(0, head), at(1), at(0), bytes.subarray(head + 2 * piece)),
        'damaged',
      ],
      ['something behind it', concat(bytes, Uint8Array.of(1)), 'damaged'],
      ['a bit of the head', flipped(START_BYTES + 5), 'damaged'],
      ['a bit of a piece', flipped(head + piece + 1_000), 'damaged'],
      ['the last bit', flipped(bytes.length - 1), 'damaged'],
      ['a newer version', concat(sealed(newer), bytes.subarray(head)), 'newer-schema'],
      ['a key that needs no passphrase', concat(sealed(keyFile), bytes.subarray(head)), 'damaged'],
    ]
    for (const [what, altered, code] of cases) {
      await writeFile(file, altered)
      const failed = await restore(file).catch((error: unknown) => error)
      expect([what, failed], what).toMatchObject([what, { code }])
      expect(await homeProtection(join(root, 'restored')), what).toBeNull()
    }
    await writeFile(file, bytes)
    await expect(restore(file, 'restored', 'another')).rejects.toMatchObject({
      code: 'wrong-passphrase',
      message: expect.stringContaining('backup') as string,
    })
    await expect(restore(join(root, 'no'))).rejects.toMatchObject({ code: 'not-found' })
    await expect(restore(file, 'home')).rejects.toMatchObject({ code: 'account-exists' })
    // where all of these failed it can still be restored
    const restored = await restore(file)
    expect((await everything(join(root, 'restored'))).messages).toHaveLength(restored.messages)
  })

  test('is taken of a node that is written to meanwhile, and whole as of some moment', async () => {
    const directory = await homeOf(livedA())
    const file = join(root, 'backup')
    await withNode(directory, async (node) => {
      const writing = (async () => {
        for (let i = 0; i < 100; i++) await node.send('bob', `during ${i}`)
      })()
      await createBackup(node, file, { passphrase: PASSPHRASE, cost: CHEAP })
      await writing
    })
    await restore(file)
    const { messages } = await everything(join(root, 'restored'))
    const during = messages.flatMap(({ text }) => (text?.startsWith('during') === true ? [text] : []))
    expect(during).toEqual(Array.from({ length: during.length }, (_, i) => `during ${i}`))
  })

  test('of the frozen vector is read by every later version', async () => {
    const vector = JSON.parse(
      await readFile(new URL('../vectors/backups/version-1.json', import.meta.url), 'utf8'),
    ) as Readonly<Record<'passphrase' | 'account' | 'settings' | 'file', string>> & {
      readonly takenAt: number
      readonly texts: readonly string[]
    }
    const file = join(root, 'backup')
    await writeFile(file, fromHex(vector.file))
    const { account, takenAt, settings } = await restore(file, 'restored', vector.passphrase)
    expect({ account, takenAt, settings }).toEqual({
      account: vector.account,
      takenAt: vector.takenAt,
      settings: vector.settings,
    })
    const { messages } = await everything(join(root, 'restored'))
    expect(new Set(messages.map(({ text }) => text))).toEqual(new Set(vector.texts))
    expect(messages.map(({ state }) => state).sort()).toEqual(['delivered', 'delivered', 'queued'])
  })

  test('has a key of its own each time, and the seal of a backup opens no home', async () => {
    const [one, other] = [await createBackupSeal(PASSPHRASE, CHEAP), await createBackupSeal(PASSPHRASE, CHEAP)]
    expect(toHex(one.key)).not.toBe(toHex(other.key))
    expect(toHex(one.head)).not.toBe(toHex(other.head))
    expect(Buffer.from(one.head).includes(Buffer.from(one.key))).toBe(false)
    await expect(createBackupSeal('', CHEAP)).rejects.toMatchObject({ code: 'invalid' })
    const directory = join(root, 'home')
    await (await createHome(directory, { noPassphrase: true })).close()
    await writeFile(join(directory, 'vault'), one.head.subarray(START_BYTES))
    await expect(createNode({ directory, network: 'none', passphrase: PASSPHRASE })).rejects.toMatchObject({
      code: 'damaged',
    })
  })

  test('does not bring back what was over, and keeps the time of what is not', async () => {
    const alice = livedA()
    const file = join(root, 'backup')
    const directory = await homeOf(alice)
    await backUp(directory, file)
    const until = (await everything(directory)).messages.flatMap(({ expiresAt }) => expiresAt ?? [])
    expect(until).toHaveLength(1)
    await restore(file)
    const { messages } = await everything(join(root, 'restored'))
    expect(messages.flatMap(({ expiresAt }) => expiresAt ?? [])).toEqual(until)
    expect(fromHex(messages[0]?.id ?? '')).toHaveLength(16)
  })
})

/** Does it in a process that is killed at its nth step; gives the steps of one that was not. */
async function run(
  what: 'backup' | 'restore',
  directory: string,
  file: string,
  nth: number,
): Promise<number | 'killed'> {
  const { promise, resolve, reject } = Promise.withResolvers<number | 'killed'>()
  execFile(process.execPath, ['--no-warnings', CHILD, what, directory, file, String(nth)], (error, stdout, stderr) => {
    if (error === null) resolve(Number(stdout))
    else if (error.signal === 'SIGKILL') resolve('killed')
    else reject(new Error(stderr))
  })
  return promise
}

/** The last steps, and some of those before: each takes the start of a process. */
function stepsOf(all: number | 'killed'): number[] {
  const every = Math.ceil(Number(all) / 6)
  return Array.from({ length: Number(all) }, (_, i) => i + 1).filter((n) => n % every === 1 || n > Number(all) - 6)
}

describe('a process that is killed at any step', () => {
  test('while it writes a backup leaves the whole file or none, and what it leaves beside goes with the next', async () => {
    const directory = await homeOf(livedA(4))
    const file = join(root, 'backup')
    const steps = await run('backup', directory, file, 0)
    expect(steps).toBeGreaterThan(5)
    await rm(file)
    const ends = new Set<string>()
    for (const nth of stepsOf(steps)) {
      expect(await run('backup', directory, file, nth)).toBe('killed')
      const found = (await readdir(root)).includes('backup')
      ends.add(found ? 'whole' : 'none')
      if (found) {
        await restore(file, `restored ${nth}`)
        await rm(join(root, `restored ${nth}`), { recursive: true })
        await rm(file)
      }
    }
    expect([...ends].sort()).toEqual(['none', 'whole'])
    await backUp(directory, file)
    expect((await readdir(root)).sort()).toEqual(['backup', 'home'])
  }, 300_000)

  test('while it restores leaves a whole home or none, and then it can be restored again', async () => {
    const source = await homeOf(livedA(4))
    const file = join(root, 'backup')
    await backUp(source, file)
    const expected = await everything(source)
    const trial = join(root, 'trial')
    const steps = await run('restore', trial, file, 0)
    expect(steps).toBeGreaterThan(8)
    const ends = new Set<string>()
    for (const nth of stepsOf(steps)) {
      await rm(trial, { recursive: true, force: true })
      expect(await run('restore', trial, file, nth)).toBe('killed')
      const isThere = (await homeProtection(trial).catch(() => null)) !== null
      ends.add(isThere ? 'whole' : 'none')
      if (!isThere) await restore(file, 'trial')
      expect(await everything(trial), `killed at step ${nth}`).toEqual(expected)
      expect((await readdir(trial)).filter((name) => name === 'restoring' || name.endsWith('.new'))).toEqual([])
    }
    expect([...ends].sort()).toEqual(['none', 'whole'])
  }, 300_000)
})
