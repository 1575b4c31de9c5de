import { expect, test } from 'vitest'
import { everythingIn } from '../support/disk.ts'
import { deliver, type Person, textsOf, twoFriends } from '../support/processes.ts'

function whenOnline(person: Person, who: string, online: boolean): Promise<true> {
  return person.until(async (caller) => (await caller.call('contact.get', { who })).online === online || undefined)
}

test('in live mode what cannot go now is refused at once and leaves nothing on the disk', async () => {
  await using people = await twoFriends({ ada: ['--delivery', 'live'] })
  const { ada, bob } = people
  await deliver(ada, 'bob', 'to somebody present')

  await bob.node.signal('SIGTERM')
  await whenOnline(ada, 'bob', false)
  // the node may write for a reason of its own meanwhile, but not every time
  let unchanged = false
  for (let attempt = 0; attempt < 3 && !unchanged; attempt++) {
    const before = await everythingIn(ada.home)
    const { code, stdout, stderr } = await ada.sotto('send', 'bob', 'to somebody away', '--wait', 'delivered')
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'peer_away' } })
    const after = await everythingIn(ada.home)
    unchanged =
      [...after].every(([path, { bytes }]) => before.get(path)?.bytes.equals(bytes)) && after.size === before.size
  }
  expect(unchanged).toBe(true)
  expect(await textsOf(ada, 'bob')).toEqual(['to somebody present'])
  expect(await ada.ask('status')).toMatchObject([{ queued: 0 }])

  await bob.again()
  await whenOnline(ada, 'bob', true)
  await deliver(ada, 'bob', 'to somebody back')
  expect(await textsOf(bob, 'ada')).toEqual(['to somebody present', 'to somebody back'])
})
