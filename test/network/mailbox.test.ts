import { describe, expect, test } from 'vitest'
import type { MailboxStatus, Message } from '../../node/api.ts'
import { deliver, LOOPBACK, textsOf, twoFriends } from '../support/processes.ts'

const BY_MAIL = { SOTTO_DELIVERY: 'mailbox' }

describe('a rendezvous node with a mailbox', () => {
  test('gives somebody what was left for them, though it was killed since and the writer is gone', {
    timeout: 90_000,
  }, async () => {
    await using people = await twoFriends({ ada: ['--delivery', 'mailbox'], bob: ['--delivery', 'mailbox'] })
    const { scene, ada, bob } = people
    const first = await scene.bootstrap(['--listen', LOOPBACK, '--mailbox'])
    const address = first.ready.addresses[0]
    await bob.ask('mailbox', 'use', address)
    await bob.until(async (caller) => {
      const [mailbox] = await caller.call('mailbox.list', {})
      return (mailbox?.state === 'ready' && mailbox.contacts === 1) || undefined
    })
    // told by the link on which this arrives
    await deliver(bob, 'ada', 'leave it there')
    await bob.node.signal('SIGTERM')
    const [sent] = await ada.ask<Message>('send', 'bob', 'good night', '--wait', 'stored', '--timeout', '20s')
    expect(sent).toMatchObject({ state: 'stored', states: { stored: [{ mailbox: first.ready.peerId }] } })
    await ada.node.signal('SIGKILL')
    await first.signal('SIGKILL')
    const listen = address.slice(0, address.indexOf('/p2p/'))
    const again = await scene.bootstrap(['--listen', listen, '--mailbox'])
    expect(again.ready.peerId).toBe(first.ready.peerId)
    await bob.again({ env: BY_MAIL })
    await bob.until(async (caller) => {
      const messages = await caller.call('message.list', { who: 'ada' })
      return messages.some(({ text }) => text === 'good night') || undefined
    })
    await ada.again({ env: BY_MAIL })
    await deliver(ada, 'bob', 'and good morning')
    expect(await textsOf(bob, 'ada')).toEqual(['leave it there', 'good night', 'and good morning'])
    const [known] = await bob.ask<MailboxStatus>('mailbox', 'status')
    expect(known).toMatchObject({ mailbox: first.ready.peerId, state: 'ready' })
  })
})
