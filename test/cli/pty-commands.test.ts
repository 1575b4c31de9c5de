import { expect, test } from 'vitest'
import type { Message } from '../../node/api.ts'
import { openChat } from '../support/chat-terminal.ts'
import { noTmux } from '../support/tmux.ts'

test('commands answer, change, react, set a time and verify, and mean the last fitting message', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ rows: 60, before: (node) => void node.receive('bob', 'a question') })
  const { terminal, node } = chat
  const enter = async (line: string): Promise<void> => {
    await terminal.type(line)
    await terminal.press('Enter')
  }
  const message = async (at: number): Promise<Message | undefined> => (await node.messages('bob'))[at]
  await enter('/reply an answer')
  await terminal.shows('[2] me (to [1]): an answer')
  expect(await message(1)).toMatchObject({ replyTo: (await message(0))?.id })
  await enter('/edit a better answer')
  await terminal.shows('[2] edited by me: a better answer')
  await enter('/react 1 👍')
  await terminal.shows('[1] me: 👍')
  await enter('/react off')
  await terminal.shows('[1] me took the reaction back')
  await enter('/delete 2')
  await terminal.shows('[2] deleted by me')
  expect(await message(1)).toMatchObject({ kind: 'deleted' })
  await enter('/expire 1d')
  await terminal.shows('New messages are erased after 1d.')
  expect(await node.contacts.resolve('bob')).toMatchObject({ expires: 86_400_000 })
  await enter('/expire off')
  await terminal.shows('New messages are kept.')
  await enter('/verify')
  await terminal.shows('00000 00001 00002')
  await enter('/verify confirm')
  await terminal.shows('bob is verified.')
  await enter('/edit 9 x')
  await terminal.shows('There is no [9] here.')
  await enter('/file picture.png')
  await terminal.shows('Sending files comes in a later version of Sotto.')
  await terminal.shows(/^> \/file picture.png$|^>$/m)
  await terminal.press('C-u')
  await enter('/recat 👍')
  await terminal.shows('There is no command /recat. Did you mean /react?')
  await terminal.shows('> /recat')
  await terminal.press('C-u')
  await enter('//shrug')
  await terminal.shows('me: /shrug')
  await enter('/quit')
  await terminal.shows('ended with 0')
  expect(await terminal.screen()).not.toContain('Not sent')
})

test('what was entered just before the end is sent, and nothing else is said of it', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat()
  const { terminal } = chat
  await terminal.press('l', 'a', 's', 't', 'Enter', 'C-d')
  await terminal.shows('ended with 0')
  expect(await chat.texts()).toEqual(['last'])
  expect(await terminal.screen()).not.toContain('Not sent')
})

test('what the node refuses comes back into the line, with the reason', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ fake: { delivery: 'live' } })
  const { terminal } = chat
  await terminal.type('are you there')
  await terminal.press('Enter')
  await terminal.shows('There is no live path to them.')
  await terminal.shows(/^> are you there$/m)
  expect(await chat.texts()).toEqual([])
})
