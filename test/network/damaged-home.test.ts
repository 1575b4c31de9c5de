import { chmod, cp, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RANGES, type Range } from '../../lib/rows.ts'
import { native, systemRandom } from '../../node/crypto.ts'
import { openHome } from '../../node/home.ts'
import { openLevelStore } from '../../node/store/level-store.ts'
import { writeSchema } from '../../node/store/schema.ts'
import { openVault, readVault } from '../../node/store/vault.ts'
import { matching } from '../support/matchers.ts'
import { everythingIn } from '../support/disk.ts'
import { deliver, LOOPBACK, type Person, type Scene, textsOf, twoFriends } from '../support/processes.ts'

let scene: Scene
let account = ''
let lastCopy = 0

beforeAll(async () => {
  const people = await twoFriends()
  scene = people.scene
  account = people.ada.account
  await deliver(people.ada, 'bob', 'hello')
  await people.ada.ask('down')
  await people.bob.ask('down')
  await people.rendezvous.signal('SIGTERM')
})
afterAll(() => scene[Symbol.asyncDispose]())

/** A home with an account, a contact and a message, closed properly. */
async function copyOfHome(): Promise<Person> {
  lastCopy += 1
  const copy = scene.person(`copy-${lastCopy}`)
  await cp(scene.person('ada').home, copy.home, { recursive: true })
  return copy
}

async function contentOf(home: string): Promise<Record<string, string>> {
  const files = await everythingIn(home)
  return Object.fromEntries([...files].map(([path, { bytes, mode }]) => [path, `${mode} ${bytes.toString('base64')}`]))
}

interface Refusal {
  readonly exit: number
  readonly code: string
  /** What stands before the program. */
  readonly before?: readonly string[]
}

const UP = ['-q', 'up', '--listen', LOOPBACK]

/** The command is refused in one sentence, with a hint at most. */
async function expectSentence(home: string, words: readonly string[], { exit, before = [] }: Refusal): Promise<void> {
  expect(await scene.run(['--home', home, ...words], { before })).toEqual({
    code: exit,
    stdout: '',
    stderr: matching(/^sotto: [A-Z/][^\n]*[.!?]\n([A-Z][^\n]*\n)?$/),
  })
}

/** The command is refused with one line of JSON on its standard error. */
async function expectJson(home: string, words: readonly string[], { exit, code, before = [] }: Refusal): Promise<void> {
  const refused = await scene.run(['--home', home, '--json', ...words], { before })
  expect(refused).toEqual({ code: exit, stdout: '', stderr: matching(/^\{[^\n]*\}\n$/) })
  expect(JSON.parse(refused.stderr)).toMatchObject({ schemaVersion: 1, error: { code } })
}

/** Neither a command without a node nor the node opens the home. */
async function expectRefusal(home: string, refusal: Refusal): Promise<void> {
  await expectSentence(home, ['send', 'bob', 'lost'], refusal)
  await expectJson(home, UP, refusal)
}

async function expectRefusalWithoutChange(home: string, refusal: Refusal): Promise<void> {
  const before = await contentOf(home)
  await expectRefusal(home, refusal)
  expect(await contentOf(home)).toEqual(before)
}

async function expectWhole(person: Person): Promise<void> {
  expect(await textsOf(person, 'bob')).toEqual(['hello'])
  expect(await person.ask('id')).toMatchObject([{ account }])
}

describe('a home that opens with a passphrase', () => {
  test('refuses another one and none, and opens with the right one after that', async () => {
    const { home } = scene.person('protected')
    const files = join(scene.directory, 'passphrases')
    await mkdir(files)
    await writeFile(join(files, 'right'), 'correct horse\n')
    await writeFile(join(files, 'wrong'), 'correct horses\n')
    const giving = (name: string): string[] => ['--passphrase-file', join(files, name)]
    const made = await scene.run(['--home', home, '--json', ...giving('right'), 'init'])
    expect(made.code).toBe(0)

    const before = await contentOf(home)
    for (const expectRefused of [expectSentence, expectJson]) {
      for (const words of [['id'], UP]) {
        await expectRefused(home, [...giving('wrong'), ...words], { exit: 1, code: 'wrong-passphrase' })
        await expectRefused(home, words, { exit: 2, code: 'passphrase-needed' })
      }
    }
    expect(await contentOf(home)).toEqual(before)
    const opened = await scene.run(['--home', home, '--json', ...giving('right'), 'id'])
    expect(JSON.parse(opened.stdout)).toMatchObject({
      account: (JSON.parse(made.stdout) as { account: string }).account,
    })
  })
})

describe('a home whose vault', () => {
  const damages: Readonly<Record<string, (vault: Buffer) => Buffer>> = {
    'was changed at its beginning': (vault) => Buffer.concat([Buffer.of(vault.readUInt8(0) ^ 1), vault.subarray(1)]),
    'was changed in the middle': (vault) => {
      const at = vault.length >> 1
      return Buffer.concat([vault.subarray(0, at), Buffer.of(vault.readUInt8(at) ^ 0x80), vault.subarray(at + 1)])
    },
    'is cut short': (vault) => vault.subarray(0, -1),
    'is empty': () => Buffer.alloc(0),
  }
  for (const [kind, damage] of Object.entries(damages)) {
    test(`${kind} is refused, and opens when the file is back`, async () => {
      const copy = await copyOfHome()
      const path = join(copy.home, 'vault')
      const vault = await readFile(path)
      await writeFile(path, damage(vault))
      await expectRefusalWithoutChange(copy.home, { exit: 1, code: 'damaged' })
      await writeFile(path, vault)
      await expectWhole(copy)
    })
  }
})

describe('a home whose database', () => {
  for (const [part, pattern] of Object.entries({
    'pointer to its manifest': /^CURRENT$/,
    manifest: /^MANIFEST/,
    log: /\.log$/,
    table: /\.ldb$/,
  })) {
    test(`lost the end of its ${part} is refused, and opens when the file is back`, async () => {
      const copy = await copyOfHome()
      const names = (await readdir(join(copy.home, 'db'))).filter((name) => pattern.test(name))
      expect(names).not.toEqual([])
      for (const name of names) {
        const path = join(copy.home, 'db', name)
        const bytes = await readFile(path)
        await truncate(path, bytes.length >> 1)
        await expectRefusalWithoutChange(copy.home, { exit: 1, code: 'damaged' })
        await writeFile(path, bytes)
      }
      await expectWhole(copy)
    })
  }

  test('holds a row that cannot be read is refused, and opens without it', async () => {
    const copy = await copyOfHome()
    const write = async (value: Uint8Array | null): Promise<void> => {
      await using home = await openHome(copy.home)
      await home.store.write([{ range: 'contact', key: new Uint8Array(16), value }])
    }
    await write(Uint8Array.of(0x80))
    await expectRefusal(copy.home, { exit: 1, code: 'damaged' })
    await write(null)
    await expectWhole(copy)
  })

  test('was written by a newer version is refused and keeps its rows', async () => {
    const copy = await copyOfHome()
    const database = join(copy.home, 'db')
    const [vault, key] = await Promise.all([readFile(join(copy.home, 'vault')), readFile(join(copy.home, 'key'))])
    const masterKey = await openVault(
      readVault(vault, native),
      { kind: 'key-file', key },
      { primitives: native, argon2id: () => Promise.reject(new Error('a key needs no stretching')) },
    )
    const rows = async (schema?: number): Promise<unknown> => {
      await using raw = await openLevelStore(database)
      if (schema !== undefined) await writeSchema(raw, { primitives: native, random: systemRandom, masterKey, schema })
      return await Promise.all((Object.keys(RANGES) as Range[]).map((range) => raw.list(range)))
    }
    const before = await rows(2)
    await expectRefusal(copy.home, { exit: 1, code: 'newer-schema' })
    expect(await rows()).toEqual(before)
    await rows(1)
    await expectWhole(copy)
  })
})

describe('a home in which a node runs', () => {
  test('refuses a second one, which does not disturb the first', async () => {
    const copy = await copyOfHome()
    const node = await copy.up(['--listen', LOOPBACK])
    const files = async (): Promise<string[]> => [...(await everythingIn(copy.home)).keys()]
    const before = await files()
    await expectSentence(copy.home, UP, { exit: 1, code: 'locked' })
    await expectJson(copy.home, ['up', '--detach', '--listen', LOOPBACK], { exit: 1, code: 'locked' })
    expect((await files()).filter((path) => !path.startsWith('log'))).toEqual(before)
    expect(await copy.ask('status')).toMatchObject([{ account, up: true }])
    expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
    await expectWhole(copy)
  })
})

describe('a home that cannot be written', () => {
  test('is refused where it would have to be made', async () => {
    const file = join(scene.directory, 'file')
    await writeFile(file, 'not a directory')
    await expectSentence(join(file, 'home'), ['init', '--no-passphrase'], { exit: 1, code: 'storage' })
    await expectJson(join(file, 'home'), ['init', '--no-passphrase'], { exit: 1, code: 'storage' })
    expect(await readFile(file, 'utf8')).toBe('not a directory')
  })

  test('(no room: every write fails) is refused, and whole when there is room again', async () => {
    const copy = await copyOfHome()
    const full = ['sh', '-c', `trap '' XFSZ; ulimit -f 0; exec "$@"`, 'sh']
    await expectRefusal(copy.home, { exit: 1, code: 'storage', before: full })
    await expectWhole(copy)
  })

  test('(no permission) is refused, and whole when there is permission again', async () => {
    const copy = await copyOfHome()
    const database = join(copy.home, 'db')
    await chmod(database, 0o500)
    // root would not notice, unless it gives that up
    const before = process.getuid?.() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all'] : []
    await expectRefusal(copy.home, { exit: 1, code: 'storage', before })
    await chmod(database, 0o700)
    await expectWhole(copy)
  })
})
