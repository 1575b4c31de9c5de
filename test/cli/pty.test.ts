import { expect, test } from 'vitest'
import { openChat } from '../support/chat-terminal.ts'
import { processesOf } from '../support/processes.ts'
import { noTmux } from '../support/tmux.ts'

test('what is being typed stays whole while texts arrive, with the cursor where it was', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ before: (node) => void node.receive('bob', 'from before') })
  const { terminal, node } = chat
  await terminal.type('half a thuoght')
  await terminal.shows('> half a thuoght')
  await terminal.press('Left', 'Left', 'Left')
  for (let n = 1; n <= 30; n++) node.receive('bob', `arrives ${n}`)
  const seen = await terminal.shows('arrives 30')
  expect(seen.match(/> half a thuoght/g)).toHaveLength(1)
  expect(seen.split('\n').at(-1)).toBe('> half a thuoght')
  await terminal.press('BSpace', 'Left')
  await terminal.type('o')
  await terminal.press('Enter')
  await terminal.shows('me: half a thought')
  expect(await chat.texts()).toEqual(['half a thought'])
  // each key and each turn in which something came draws once, and nothing else does
  const drawn = (await terminal.bytes()).split('> half a th').length
  expect(drawn).toBeLessThan(100)
})

test('history comes first, under its days, and what was shown is marked as read', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  let at = new Date(2026, 6, 31, 23, 59).getTime()
  const now = (): number => (at += 60_000)
  await using chat = await openChat({
    fake: { now },
    async before(node) {
      node.receive('bob', 'before midnight')
      const { id } = await node.send('bob', 'after it')
      node.reach(id, 'delivered')
    },
  })
  const { terminal, node } = chat
  expect(await terminal.screen()).toMatch(
    /--- 2026-08-01 ---\n00:00 \[1\] bob: before midnight\n00:01 \[2\] me: after it \(delivered\)\nWith bob \(offline, not verified\)/,
  )
  const unread = async (): Promise<number> => (await node.contacts.resolve('bob')).unread
  await expect.poll(unread, { timeout: 10_000 }).toBe(0)
  node.receive('bob', 'shown at once')
  await terminal.shows('shown at once')
  await expect.poll(unread, { timeout: 10_000 }).toBe(0)
})

test('own messages show how far they are: queued, delivered, read, failed, each when it is so', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ before: async (node) => void (await node.send('bob', 'an old one')) })
  const { terminal, node } = chat
  const [old] = await node.messages('bob')
  await terminal.shows('[1] me: an old one (queued)')
  node.reach(old?.id ?? '', 'read')
  await terminal.shows(/^ {2}\[1\] read$/m)
  await terminal.type('one')
  await terminal.press('Enter')
  await terminal.shows(/\[2\] queued\n>/)
  const one = (await node.messages('bob'))[1]?.id ?? ''
  node.reach(one, 'delivered')
  await terminal.shows(/\[2\] delivered\n>/)
  node.reach(one, 'read')
  await terminal.shows(/^\[1-2\] read\n>/m)
  await terminal.type('two')
  await terminal.press('Enter')
  await terminal.shows(/^\[1-2\] read {2}\[3\] queued\n>/m)
  node.reach((await node.messages('bob'))[2]?.id ?? '', 'expired')
  await terminal.shows(/^ {2}\[3\] expired$/m)
  node.emit({ kind: 'typing', contact: await node.contacts.resolve('bob'), active: true })
  await terminal.shows('bob is typing...')
  node.receive('bob', 'there')
  await terminal.hides('is typing')
})

test('a paste of 10,000 characters with line ends is one input, and leaves in parts only when told', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat()
  const { terminal } = chat
  const line = '/quit is only text here, and so is /delete.'
  const pasted = Array.from({ length: 227 }, () => line)
    .join('\n')
    .padEnd(10_000, '.')
  await terminal.paste(`${pasted}\n`)
  await terminal.shows('so is /delete............')
  expect(await chat.texts()).toEqual([])
  await terminal.press('Home', '/', 'Enter')
  await terminal.shows(/Enter again sends it as 2\s+messages/)
  expect(await chat.texts()).toEqual([])
  await terminal.press('Enter')
  await terminal.shows(/\[1-2\] queued\n>$/)
  await expect.poll(chat.texts, { timeout: 10_000 }).toHaveLength(2)
  const texts = await chat.texts()
  expect(texts.join('\n')).toBe(`${pasted}\n`)
  for (const text of texts) expect(Buffer.byteLength(text ?? '')).toBeLessThanOrEqual(8192)
})

test('Ctrl-C clears the line, Ctrl-Y brings it back, and Ctrl-C on an empty line ends with 130', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat()
  const { terminal } = chat
  await terminal.type('a slip')
  await terminal.shows('> a slip')
  await terminal.press('C-c')
  await terminal.hides('a slip')
  await terminal.press('C-y')
  await terminal.shows('> a slip')
  await terminal.press('C-c')
  await terminal.hides('a slip')
  await terminal.press('C-c')
  await terminal.shows('ended with 130')
  expect(await chat.texts()).toEqual([])
})

test('Ctrl-D on an empty line ends with 0 and leaves the terminal as it was', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat()
  const { terminal } = chat
  await terminal.press('C-d')
  await terminal.shows('ended with 0')
  await terminal.type('stty -a | tr " " "\\n" | grep -c "^icanon"')
  await terminal.press('Enter')
  await terminal.shows(/^1$/m)
  expect(await terminal.bytes()).toMatch(/\x1b\[\?2004h.*\x1b\[\?2004l/s)
})

test('Ctrl-Z gives the terminal back to the shell, and fg draws the line anew and reads keys again', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat()
  const { terminal, node } = chat
  await terminal.type('before the pause')
  await terminal.shows('> before the pause')
  await terminal.press('C-z')
  await terminal.shows('Stopped')
  await terminal.type('stty -a | tr " " "\\n" | grep "^-*icanon"')
  await terminal.press('Enter')
  await terminal.shows(/^icanon$/m)
  node.receive('bob', 'came in between')
  await terminal.type('fg')
  await terminal.press('Enter')
  await terminal.shows(/came in between\n> before the pause$/)
  await terminal.type(' and after')
  await terminal.press('Enter')
  await terminal.shows('me: before the pause and after')
  expect(await chat.texts()).toEqual(['before the pause and after'])
})

test('SIGTERM ends it with 130, shows what was not sent and gives the terminal back', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat()
  const { terminal, home } = chat
  await terminal.type('a draft')
  await terminal.shows('> a draft')
  for (const pid of processesOf(home)) process.kill(pid, 'SIGTERM')
  await terminal.shows('ended with 130')
  await terminal.shows(/Not sent:\na draft/)
  await terminal.type('stty -a | tr " " "\\n" | grep "^-*icanon"')
  await terminal.press('Enter')
  await terminal.shows(/^icanon$/m)
})

test('a node that goes away is named and looked for; the draft stays and leaves when it is back', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat()
  const { terminal } = chat
  await terminal.type('a draft')
  await terminal.shows('> a draft')
  await chat.away()
  await terminal.shows('The node went away')
  await terminal.press('Enter')
  await terminal.shows('The node is away. What is typed stays here until it is back.')
  await terminal.shows(/the node is away\n> a draft$/)
  await chat.back()
  chat.node.receive('bob', 'meanwhile')
  await terminal.shows('The node is back.')
  await terminal.press('Enter')
  await terminal.shows('me: a draft')
  expect(await chat.texts()).toEqual(['a draft'])
})
