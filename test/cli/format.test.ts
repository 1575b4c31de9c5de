import { expect, test } from 'vitest'
import { formatMailbox, formatStatus, formatTime, messageState } from '../../cli/format.ts'

const until = Date.UTC(2026, 11, 5, 18)

test('a message that mailboxes hold says how many and until when the first of them does', () => {
  const stored = [
    { mailbox: '12D3KooWb', until: until + 86_400_000 },
    { mailbox: '12D3KooWa', until },
  ]
  expect(messageState({ state: 'stored', states: { stored } })).toBe(`stored: held by 2 until ${formatTime(until)}`)
  expect(messageState({ state: 'delivered', states: { delivered: until } })).toBe('delivered')
})

test('a mailbox that refuses says why, and nothing of it reaches the terminal as more than text', () => {
  const mailbox = { mailbox: '12D3KooWa', state: 'refused', contacts: 1, reason: 'quota\u001b[2J' } as const
  expect(formatMailbox(mailbox)).toBe('12D3KooWa  refused (quota[2J)  1 contact can leave something there')
})

test('the status names the own mailboxes and what is kept for others', () => {
  const shown = formatStatus(
    {
      account: 'sotto1qqqqqqqqqqqqqqqq',
      up: true,
      connections: 1,
      contacts: { online: 0, total: 2 },
      groups: { joined: 1, requested: 1 },
      dht: { mode: 'client', peers: 3, record: { seq: 7, expires: until } },
      mailboxes: [{ mailbox: '12D3KooWa', state: 'ready', contacts: 2 }],
      keeps: { owners: 3, blobs: 4, bytes: 5000 },
      queued: 0,
      unread: 0,
      dropped: {},
      version: '0.1.0',
    },
    until,
  )
  expect(shown).toMatch(/^mailbox +ready, 2 contacts, 12D3KooWa$/m)
  expect(shown).toMatch(/^keeps +4 blobs of 3 people$/m)
})
