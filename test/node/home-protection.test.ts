import type * as Crypto from 'node:crypto'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createHome, openHome } from '../../node/home.ts'
import { readSmall } from '../../node/home-files.ts'

const stretching = vi.hoisted(() => ({ now: 0, most: 0 }))

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof Crypto>()
  const argon2: typeof real.argon2 = (algorithm, parameters, done) => {
    stretching.most = Math.max(stretching.most, ++stretching.now)
    real.argon2(algorithm, parameters, (error, key) => {
      stretching.now--
      done(error, key)
    })
  }
  return { ...real, argon2 }
})

const CHEAP = { memoryKiB: 1024, passes: 1, lanes: 1 }

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sotto-home-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

test('the database of another home does not open under this vault, also after a crash', async () => {
  const [own, other] = [join(root, 'own'), join(root, 'other')]
  for (const directory of [own, other]) await (await createHome(directory, { noPassphrase: true })).close()
  await rm(join(own, 'closed'))
  await rm(join(own, 'db'), { recursive: true })
  await cp(join(other, 'db'), join(own, 'db'), { recursive: true })
  await expect(openHome(own)).rejects.toMatchObject({ code: 'damaged' })
})

test('a file of a home that is larger than it can be is not read', async () => {
  const path = join(root, 'file')
  await writeFile(path, new Uint8Array(11))
  expect(await readSmall(path, 11)).toHaveLength(11)
  await expect(readSmall(path, 10)).rejects.toMatchObject({ code: 'damaged' })
})

test('passphrases are stretched one at a time, however many ask at once', async () => {
  const names = ['a', 'b', 'c', 'd']
  const open = (name: string) => createHome(join(root, name), { passphrase: name, cost: CHEAP })
  const homes = await Promise.all(names.map(open))
  await Promise.all(homes.map((home) => home.close()))
  expect(stretching).toEqual({ now: 0, most: 1 })
})
