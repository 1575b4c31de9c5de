import { expect, test } from 'vitest'
import { fileURLToPath } from 'node:url'
import { deliver, twoFriends } from '../support/processes.ts'
import { noTmux, openTerminal } from '../support/tmux.ts'
import type { Message } from '../../node/api.ts'

const PROGRAM = fileURLToPath(new URL('../../cli/sotto', import.meta.url))

test('two people talk: one in a chat on a terminal, one by commands, over real nodes', {
  timeout: 120_000,
}, async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using people = await twoFriends()
  const { ada, bob } = people
  await using terminal = await openTerminal()
  await terminal.type(`clear; '${PROGRAM}' --home '${ada.home}' chat bob; echo "ended with $?"`)
  await terminal.press('Enter')
  await terminal.shows(/\/help lists[^]*\n>/)
  await terminal.type('half a thought')
  await terminal.shows('> half a thought')
  const hello = await deliver(bob, 'ada', 'hello from bob')
  await terminal.shows(/\[1\] bob: hello from bob\n[^]*> half a thought$/)
  await terminal.press('Enter')
  await terminal.shows(/\[2\] delivered/)
  // what the chat showed was marked as read, and the other side hears of it
  await bob.until(async (caller) => (await caller.call('message.get', { id: hello.id })).state === 'read' || undefined)
  await bob.ask('edit', hello.id, 'hello again')
  await terminal.shows('[1] edited by bob: hello again')
  const [, mine] = await bob.ask<Message>('log', 'ada')
  await bob.ask('react', mine?.id ?? '', '👍')
  await terminal.shows('[2] bob: 👍')
  await bob.ask('read', 'ada')
  await terminal.shows(/\[2\] read/)
  await terminal.type('/delete')
  await terminal.press('Enter')
  await terminal.shows('[2] deleted by me')
  await bob.until(async (caller) => {
    const [, message] = await caller.call('message.list', { who: 'ada' })
    return message?.kind === 'deleted' || undefined
  })
  // the node goes away and comes back under the chat
  await ada.node.signal('SIGTERM')
  await terminal.shows('The node went away')
  await terminal.type('over the gap')
  await ada.again()
  await terminal.shows('The node is back.')
  await terminal.press('Enter')
  await terminal.shows(/me: over the gap[^]*\[3\] /)
  await terminal.type('/quit')
  await terminal.press('Enter')
  await terminal.shows('ended with 0')
  expect((await ada.ask<Message>('log', 'bob')).filter(({ text }) => text === 'over the gap')).toHaveLength(1)
})
