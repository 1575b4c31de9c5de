import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RANGES_OF_CONTACT } from '../../lib/chat/removing.ts'
import { openLevelStore } from '../../node/store/level-store.ts'
import { everythingIn } from '../support/disk.ts'
import { deliver, linkOf, LOOPBACK, requestOf, textsOf, twoFriends } from '../support/processes.ts'

/** More processes, one after the other, than most tests have. */
const PATIENCE_MS = 150_000

/** Texts are erased by their keys; their ciphertexts may stay until their files are rewritten. */
const ERASED = [...RANGES_OF_CONTACT.filter((range) => range !== 'message'), 'message-key'] as const

/** The handle of the one contact of a home, and the stored bytes of the rows that hang on it. */
async function rowsOfContact(home: string): Promise<{ handle: Uint8Array; values: Uint8Array[] }> {
  await using store = await openLevelStore(join(home, 'db'), { create: false })
  const [contact] = await store.list('contact')
  const handle = contact?.key ?? new Uint8Array()
  const lists = await Promise.all(ERASED.map((range) => store.list(range, { prefix: handle })))
  // shorter ones, places, occur by chance
  return { handle, values: lists.flat().flatMap(({ value }) => (value.length >= 32 ? [value] : [])) }
}

/** The files of a closed database in which any of these bytes still stand. */
async function filesWith(home: string, values: readonly Uint8Array[]): Promise<string[]> {
  const files = [...(await everythingIn(join(home, 'db')))].filter(([, { kind }]) => kind === 'file')
  return files.flatMap(([name, { bytes }]) =>
    values.some((value) => bytes.includes(Buffer.from(value))) ? [name] : [],
  )
}

test(
  'somebody who is removed leaves nothing on the disk, and asks like a stranger when they write again',
  async () => {
    await using people = await twoFriends()
    const { ada, bob } = people
    await deliver(ada, 'bob', 'a text that goes')
    await deliver(bob, 'ada', 'and one of his')
    await ada.ask('down')
    const before = await rowsOfContact(ada.home)
    expect(before.values.length).toBeGreaterThan(5)
    expect(await filesWith(ada.home, before.values)).not.toEqual([])
    // nobody writes new rows meanwhile
    await bob.ask('down')
    await ada.again()
    const [removed] = await ada.ask<{ account: string; removed: boolean }>('remove', 'bob')
    expect(removed).toMatchObject({ removed: true, account: bob.account })
    await ada.ask('down')
    expect(await filesWith(ada.home, before.values)).toEqual([])
    {
      await using store = await openLevelStore(join(ada.home, 'db'), { create: false })
      for (const range of [...ERASED, 'message'] as const) {
        expect(await store.keys(range, { prefix: before.handle }), range).toEqual([])
      }
    }
    await Promise.all([ada.again(), bob.again()])
    expect(await ada.ask('contacts')).toEqual([])
    await bob.ask('send', 'ada', 'are you still there?')
    expect(await requestOf(ada)).toMatchObject({ account: bob.account, state: 'requested' })
    await ada.ask('accept', bob.account, '--as', 'robert')
    await deliver(ada, 'robert', 'yes')
    expect(await textsOf(bob, 'ada')).toContain('yes')
  },
  PATIENCE_MS,
)

test(
  'an account is made again from its words, is written to, and writes',
  async () => {
    await using people = await twoFriends()
    const { scene, bob, rendezvous } = people
    const words = join(scene.directory, 'words')
    // somebody whose words are known
    const first = scene.person('carol')
    const [made] = await first.ask<{ account: string; recoveryWords: string }>('init', '--no-passphrase')
    await writeFile(words, made?.recoveryWords ?? '')
    const bootstrap = ['--listen', LOOPBACK, '--bootstrap', rendezvous.ready.addresses[0]]
    await first.up(bootstrap)
    await first.ask('add', await linkOf(bob), '--as', 'bob')
    await requestOf(bob)
    await bob.ask('accept', made?.account ?? '', '--as', 'carol')
    await deliver(bob, 'carol', 'before')
    await bob.ask('verify', 'carol', '--confirm')
    await first.ask('down')
    await rm(first.home, { recursive: true })

    const [again] = await first.ask('init', '--no-passphrase', '--recover', words)
    expect(again).toMatchObject({ account: made?.account, recovered: true })
    await first.up(bootstrap)
    expect(await first.ask('contacts')).toEqual([])
    await first.ask('add', await linkOf(bob), '--as', 'bob')
    await first.until(
      async (caller) => (await caller.call('contact.get', { who: 'bob' })).state === 'accepted' || undefined,
    )
    await deliver(first, 'bob', 'I lost everything')
    await bob.ask('send', 'carol', 'is it you?')
    const waiting = await bob.ask('log', 'carol', '--last', '1')
    expect(waiting).toMatchObject([{ text: 'is it you?', state: 'queued' }])
    await bob.ask('verify', 'carol', '--confirm')
    await deliver(bob, 'carol', 'it is')
    expect(await textsOf(first, 'bob')).toEqual(expect.arrayContaining(['I lost everything', 'is it you?', 'it is']))
  },
  PATIENCE_MS,
)
