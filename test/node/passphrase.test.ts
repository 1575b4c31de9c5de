import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { utf8 } from '../../lib/bytes.ts'
import { createHome, homeProtection, openHome, type Protection } from '../../node/home.ts'
import type { StretchCost } from '../../node/store/vault.ts'

const CHEAP: StretchCost = { memoryKiB: 8, passes: 1, lanes: 1 }
const CHILD = fileURLToPath(new URL('../support/change-passphrase.ts', import.meta.url))

let root = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sotto-passphrase-'))
})
afterEach(() => rm(root, { recursive: true }))

async function make(protection: Protection): Promise<string> {
  const directory = join(root, 'home')
  await using home = await createHome(directory, { ...protection, cost: CHEAP })
  await home.store.write([{ range: 'self', key: utf8('kept'), value: utf8('kept') }])
  return directory
}

/** Changes it in a process that is killed at its nth step; gives the steps of one that was not. */
async function change(directory: string, from: string, to: string, nth: number): Promise<number | 'killed'> {
  const { promise, resolve, reject } = Promise.withResolvers<number | 'killed'>()
  execFile(process.execPath, ['--no-warnings', CHILD, directory, from, to, String(nth)], (error, stdout, stderr) => {
    if (error === null) resolve(Number(stdout))
    else if (error.signal === 'SIGKILL') resolve('killed')
    else reject(new Error(stderr))
  })
  return promise
}

/** Whether the home opens by that, and what was written in it is there. */
async function opens(directory: string, passphrase: string | undefined): Promise<boolean> {
  try {
    await using home = await openHome(directory, passphrase === undefined ? {} : { passphrase })
    expect(await home.store.read('self', utf8('kept'))).toEqual(utf8('kept'))
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'wrong-passphrase' })
    return false
  }
}

describe('a process that changes the passphrase and is killed at any step', () => {
  test.each([
    ['from one passphrase to another', { passphrase: 'old' }, 'old', 'new'],
    ['from a passphrase to a key file', { passphrase: 'old' }, 'old', ''],
    ['from a key file to a passphrase', { noPassphrase: true }, '', 'new'],
  ] as const)(
    '%s leaves the old one or the new one working, never neither',
    async (_, protection, from, to) => {
      const original = await make(protection)
      const trial = join(root, 'trial')
      const ends = new Set<string>()
      const steps = await change(await copy(original, trial), from, to, 0)
      expect(steps).toBeGreaterThan(4)
      for (let nth = 1; nth <= Number(steps); nth++) {
        await rm(trial, { recursive: true })
        await copy(original, trial)
        expect(await change(trial, from, to, nth)).toBe('killed')
        const kind = await homeProtection(trial)
        const isOld = from === '' ? kind === 'key-file' : kind === 'passphrase' && (await opens(trial, from))
        const isNew = to === '' ? kind === 'key-file' : kind === 'passphrase' && (await opens(trial, to))
        expect([isOld, isNew], `killed at step ${nth}`).toContain(true)
        expect(isOld && isNew).toBe(false)
        if (kind === 'key-file') expect(await opens(trial, undefined)).toBe(true)
        ends.add(isOld ? 'old' : 'new')
        // What was begun is tidied up by the next one who opens it.
        expect((await readdir(trial)).filter((name) => name.endsWith('.new'))).toEqual([])
        if (kind === 'passphrase') expect(await readdir(trial)).not.toContain('key')
      }
      expect([...ends].sort()).toEqual(['new', 'old'])
    },
    120_000,
  )
})

async function copy(from: string, to: string): Promise<string> {
  await cp(from, to, { recursive: true })
  return to
}

describe('the old wrapped key', () => {
  test('is overwritten where it lay, and so is a key file that is no longer needed', async () => {
    const directory = await make({ passphrase: 'old' })
    const vault = join(directory, 'vault')
    const before = await readFile(vault)
    // Another name for the same file: what stands in it is what stands on the disk.
    const { link } = await import('node:fs/promises')
    await link(vault, join(root, 'old vault'))
    {
      await using home = await openHome(directory, { passphrase: 'old', cost: CHEAP })
      await home.changePassphrase('old', { noPassphrase: true })
      await link(join(directory, 'key'), join(root, 'old key'))
      await home.changePassphrase(undefined, { passphrase: 'new' })
    }
    expect(before.some((byte) => byte !== 0)).toBe(true)
    expect((await readFile(join(root, 'old vault'))).every((byte) => byte === 0)).toBe(true)
    expect((await readFile(join(root, 'old key'))).every((byte) => byte === 0)).toBe(true)
    expect(await opens(directory, 'new')).toBe(true)
    expect(await opens(directory, 'old')).toBe(false)
  })

  test('stays when the passphrase so far is wrong', async () => {
    const directory = await make({ passphrase: 'old' })
    const before = await readFile(join(directory, 'vault'))
    await using home = await openHome(directory, { passphrase: 'old', cost: CHEAP })
    await expect(home.changePassphrase('other', { passphrase: 'new' })).rejects.toMatchObject({
      code: 'wrong-passphrase',
    })
    await expect(home.changePassphrase('old', { passphrase: '' })).rejects.toMatchObject({ code: 'invalid' })
    expect(await readFile(join(directory, 'vault'))).toEqual(before)
  })

  test('and other files that look alike are left alone', async () => {
    const directory = await make({ passphrase: 'old' })
    await writeFile(join(directory, 'vault.copy'), 'mine')
    await writeFile(join(directory, 'notes.1.new'), 'mine')
    expect(await opens(directory, 'old')).toBe(true)
    expect(await readdir(directory)).toEqual(expect.arrayContaining(['vault.copy', 'notes.1.new']))
  })
})
