import { describe, expect, test } from 'vitest'
import {
  deliver,
  delivered,
  linkOf,
  LOOPBACK,
  type Person,
  requestOf,
  textsOf,
  twoFriends,
  twoStrangers,
} from '../support/processes.ts'

/** Sends to somebody who does not answer: it stays queued for as long as anybody waits. */
async function sendInVain(from: Person, to: string, text: string): Promise<void> {
  const { code, stdout, stderr } = await from.sotto('send', to, text, '--wait', 'delivered', '--timeout', '1s')
  expect(code).toBe(4)
  expect(JSON.parse(stdout)).toMatchObject({ text, state: 'queued' })
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'timeout' } })
}

describe('two people who know nothing but a rendezvous node', () => {
  test('chat by link: what one sends is delivered, and in the log of both sides once', async () => {
    await using people = await twoFriends()
    const { ada, bob } = people
    await deliver(bob, 'ada', 'from bob')
    await deliver(ada, 'bob', 'from ada')
    expect(await textsOf(ada, 'bob')).toEqual(['from bob', 'from ada'])
    expect(await textsOf(bob, 'ada')).toEqual(['from bob', 'from ada'])
  })

  test('read the same sixty digits', async () => {
    await using people = await twoFriends()
    const { ada, bob } = people
    const [[one], [two]] = await Promise.all([ada.ask('verify', 'bob'), bob.ask('verify', 'ada')])
    expect(one).toMatchObject({ petname: 'bob', verified: false })
    expect(one?.['safetyNumber']).toMatch(/^\d{5}( \d{5}){11}$/)
    expect(two?.['safetyNumber']).toBe(one?.['safetyNumber'])
    expect(await ada.ask('verify', 'bob', '--confirm')).toMatchObject([{ verified: 'number' }])
    expect(await ada.ask('contacts')).toMatchObject([{ petname: 'bob', verified: 'number' }])
  })

  test('chat by the bare account of one who is reachable', async () => {
    await using people = await twoStrangers({ ada: ['--public', 'reachable'] })
    const { ada, bob } = people
    await bob.ask('add', ada.account, '--as', 'ada', '--hello', 'good day')
    expect(await requestOf(ada)).toMatchObject({ account: bob.account, claimedName: 'bob', hello: 'good day' })
    await ada.ask('accept', bob.account, '--as', 'bob')
    await deliver(bob, 'ada', 'from bob')
    await deliver(ada, 'bob', 'from ada')
    expect(await textsOf(bob, 'ada')).toEqual(['good day', 'from bob', 'from ada'])
    expect(await textsOf(ada, 'bob')).toEqual(['good day', 'from bob', 'from ada'])
  })

  test('(the one having only the link of the other) remember the network that the link led to', async () => {
    await using people = await twoStrangers()
    const { ada, scene } = people
    const eve = await scene.settle('eve')
    const node = await eve.up(['--listen', LOOPBACK])
    await eve.ask('add', await linkOf(ada), '--as', 'ada')
    await requestOf(ada)
    await Promise.all([node.signal('SIGTERM'), ada.node.signal('SIGTERM')])
    await eve.up(['--listen', LOOPBACK])
    const found = await eve.until(async (caller) => {
      const { dht } = await caller.call('node.status', {})
      return dht.record.published === undefined ? undefined : dht
    })
    expect(found.peers).toBeGreaterThan(0)
  })

  test('cannot be called by the bare account by default', async () => {
    await using people = await twoStrangers()
    const { ada, bob } = people
    await bob.ask('add', ada.account, '--as', 'ada', '--hello', 'good day')
    await sendInVain(bob, 'ada', 'is anybody there?')
    expect(await ada.ask('requests')).toEqual([])
  })
})

describe('somebody who was not accepted', () => {
  test('is shown with a greeting and nothing else, and what waited is delivered once after that', async () => {
    await using people = await twoStrangers()
    const { ada, bob } = people
    await bob.ask('add', await linkOf(ada), '--as', 'ada', '--hello', 'good day')
    expect(await requestOf(ada)).toMatchObject({ account: bob.account, state: 'requested', hello: 'good day' })
    await sendInVain(bob, 'ada', 'before')
    expect(await textsOf(ada, bob.account)).not.toContain('before')
    expect(await bob.ask('contacts')).toMatchObject([{ petname: 'ada', state: 'pending', online: false }])

    await ada.ask('accept', bob.account, '--as', 'bob')
    await delivered(bob, 'ada', 'before')
    expect(await textsOf(ada, 'bob')).toEqual(['good day', 'before'])
    expect(await ada.ask('requests')).toEqual([])
  })

  test('hears nothing when declined', async () => {
    await using people = await twoStrangers()
    const { ada, bob } = people
    await bob.ask('add', await linkOf(ada), '--as', 'ada', '--hello', 'good day')
    await requestOf(ada)
    await ada.ask('decline', bob.account)
    await sendInVain(bob, 'ada', 'please')
    expect(await bob.ask('contacts')).toMatchObject([{ state: 'pending', online: false }])
    expect(await ada.ask('requests')).toEqual([])
    expect(await ada.ask('contacts')).toEqual([])
  })

  test('hears nothing while blocked, and what waited is delivered after that', async () => {
    await using people = await twoFriends()
    const { ada, bob } = people
    await deliver(bob, 'ada', 'before')
    expect(await ada.ask('block', 'bob')).toMatchObject([{ state: 'blocked' }])
    await sendInVain(bob, 'ada', 'meanwhile')
    expect(await textsOf(ada, 'bob')).toEqual(['before'])
    expect(await bob.ask('contacts')).toMatchObject([{ state: 'accepted', online: false }])

    await ada.ask('unblock', 'bob')
    await delivered(bob, 'ada', 'meanwhile')
    expect(await textsOf(ada, 'bob')).toEqual(['before', 'meanwhile'])
  })
})

describe('people who have met', () => {
  test('need the rendezvous node no more, not even after a restart of either or both', async () => {
    await using people = await twoFriends()
    const { ada, bob, rendezvous } = people
    await rendezvous.signal('SIGKILL')
    await deliver(ada, 'bob', 'at first')
    const texts = ['at first']
    for (const restarted of [[ada], [bob], [ada, bob]]) {
      await Promise.all(restarted.map(({ node }) => node.signal('SIGTERM')))
      await Promise.all(restarted.map((person) => person.again()))
      const turn = restarted.map(({ home }) => home.at(-1)).join('')
      await deliver(ada, 'bob', `${turn} from ada`)
      await deliver(bob, 'ada', `${turn} from bob`)
      texts.push(`${turn} from ada`, `${turn} from bob`)
    }
    expect(await textsOf(ada, 'bob')).toEqual(texts)
    expect(await textsOf(bob, 'ada')).toEqual(texts)
  })
})
