import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { deliver, LOOPBACK, textsOf, twoFriends } from '../support/processes.ts'

interface DeviceJson {
  readonly did: string
  readonly current: boolean
  readonly state: 'active' | 'revoked'
}

test('a machine whose account was restored elsewhere says so while it runs, sends nothing, and still does after a start', async () => {
  await using people = await twoFriends()
  const { scene, ada, bob, rendezvous } = people
  await deliver(ada, 'bob', 'from the old machine')
  const phrase = join(scene.directory, 'phrase')
  await writeFile(phrase, 'a passphrase of its own', { mode: 0o600 })
  const file = join(scene.directory, 'ada.backup')
  await ada.ask('backup', file, '--backup-passphrase-file', phrase)
  const other = scene.person('ada-2')
  await other.ask('restore', file, '--no-passphrase', '--backup-passphrase-file', phrase)
  await other.up(['--listen', LOOPBACK, '--bootstrap', rendezvous.ready.addresses[0]])
  await deliver(other, 'bob', 'from the new one')
  // the old one still runs; it hears nothing of this but that Bob lets go of it
  const since = await ada.until(async (caller) => (await caller.call('node.status', {})).revoked)
  expect(since).toBeGreaterThan(Date.now() - 600_000)
  const refused = await ada.sotto('send', 'bob', 'from the past')
  expect([refused.code, (JSON.parse(refused.stderr) as { error: { code: string } }).error.code]).toEqual([1, 'revoked'])
  expect(ada.node.complaint()).toMatch(/revoked/)
  const seen = (devices: DeviceJson[]) => devices.map(({ current, state }) => [current, state])
  expect(seen(await ada.ask<DeviceJson>('devices'))).toEqual([
    [false, 'active'],
    [true, 'revoked'],
  ])
  expect(seen(await other.ask<DeviceJson>('devices'))).toEqual([
    [true, 'active'],
    [false, 'revoked'],
  ])
  await ada.node.signal('SIGTERM')
  await ada.again()
  const [status] = await ada.ask<{ revoked?: number }>('status')
  expect(status?.revoked).toBe(since)
  await deliver(bob, 'ada', 'to the new one')
  expect(await textsOf(other, 'bob')).toEqual(['from the old machine', 'from the new one', 'to the new one'])
  expect(await textsOf(bob, 'ada')).toEqual(['from the old machine', 'from the new one', 'to the new one'])
  expect(await textsOf(ada, 'bob')).toEqual(['from the old machine'])
}, 150_000)
