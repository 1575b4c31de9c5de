import { expect, test } from 'vitest'
import { openChat } from '../support/chat-terminal.ts'
import { noTmux } from '../support/tmux.ts'

const ESC = '\x1b'

/** Texts that command a terminal, hide or pass for something else. */
const HOSTILE = [
  `${ESC}[2J${ESC}[H${ESC}[31mred`,
  `${ESC}]0;PWNED\x07title`,
  `${ESC}]52;c;UFdORUQ=\x07clipboard`,
  `\u009b2J\u009d0;PWNED\u009cc1`,
  'back\b\b\b\bspace\rreturn',
  'bidi \u202eevil\u202c \u2066x\u2069 \u200fmark',
  'zero\u200bwidth\u00ad\u2060\ufeff \u{e0050}\u{e0057}tags',
  `${'e\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309\u030a\u030b'.repeat(3)} stacked`,
  'one\n23:59 [99] me: I agree\n> ',
  `${'x '.repeat(60)}23:59 [99] me: I agree`,
] as const

test('a resize draws the line anew, whole and once, wherever the cursor is', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ before: (node) => void node.receive('bob', 'stays on the screen') })
  const { terminal, node } = chat
  const typed = 'a line that is longer than forty columns and shorter than eighty'
  await terminal.type(typed)
  await terminal.shows(`> ${typed}`)
  for (const [columns, rows] of [
    [40, 20],
    [23, 12],
    [100, 30],
    [50, 10],
  ] as const) {
    await terminal.resize(columns, rows)
    node.receive('bob', `at ${columns}`)
    await terminal.shows(`at ${columns}`)
    const seen = await terminal.shows(/ghty\s*$/)
    expect(seen.match(/^> a line/gm)).toHaveLength(1)
    const line = seen.slice(seen.indexOf('> a line')).replace(/\n {2}/g, '')
    expect(line).toBe(`> ${typed}`)
  }
  expect((await terminal.everything()).match(/stays on the screen/g)).toHaveLength(1)
  await terminal.type('!')
  await terminal.press('Enter')
  await terminal.shows(/me: a line that/)
  expect(await chat.texts()).toEqual([`${typed}!`])
})

test('forty columns are enough: no row is broken by the terminal but within a long word', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ columns: 40, rows: 24 })
  const { terminal, node } = chat
  node.receive('bob', 'some words that do not fit into one row of forty columns, so that they wrap')
  await terminal.shows('they wrap')
  await terminal.type('and a line of my own that is longer than the row, too')
  const seen = await terminal.shows(/too$/)
  expect(seen).toMatch(
    /\[1\] bob: some words that do not\n {2}fit into one row of forty columns, so\n {2}that they wrap\n/,
  )
  for (const row of seen.split('\n')) expect(row.length).toBeLessThanOrEqual(40)
  expect(seen).toMatch(/> and a line of my own that is longer t\n {2}han the row, too$/)
})

test('wide characters, joined emoji and combining marks are one character to the cursor and to Backspace', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ columns: 40 })
  const { terminal } = chat
  await terminal.type('日本 👩‍👩‍👧 e\u0301x')
  await terminal.shows('日本')
  await terminal.shows(/x$/)
  await terminal.press('Left', 'BSpace', 'Left', 'BSpace', 'Left', 'BSpace')
  await terminal.shows(/^> 日 {2}x$/m)
  expect((await terminal.cursor()).column).toBe(4)
  await terminal.press('Enter')
  await expect.poll(chat.texts, { timeout: 10_000 }).toEqual(['日  x'])
})

test('with NO_COLOR nothing is coloured', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ env: { NO_COLOR: '1' }, before: (node) => void node.receive('bob', 'hello') })
  const { terminal } = chat
  await terminal.type('x')
  await terminal.press('Enter')
  await terminal.shows('[2] queued')
  const own = (await terminal.bytes()).split('With bob')[1] ?? ''
  expect(own).toContain('queued')
  expect(own).not.toMatch(/\x1b\[[\d;]*m/)
})

test('TERM=dumb gets no escape sequence at all, and the line is continued below what arrives', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ env: { TERM: 'dumb' } })
  const { terminal, node } = chat
  await terminal.type('half a line')
  await terminal.shows('> half a line')
  node.receive('bob', 'arrives')
  await terminal.shows(/\[1\] bob: arrives\n> half a line$/)
  await terminal.press('BSpace', 'BSpace', 'BSpace', 'BSpace')
  await terminal.shows(/> half a ?$/)
  await terminal.type('thought')
  await terminal.press('Enter')
  await terminal.shows('[2] me: half a thought (queued)')
  node.reach((await node.messages('bob'))[1]?.id ?? '', 'delivered')
  await terminal.shows('[2] delivered')
  await terminal.press('C-d')
  await terminal.shows('ended with 0')
  const bytes = await terminal.bytes()
  const own = bytes.slice(bytes.indexOf('With bob'), bytes.indexOf('ended with 0'))
  expect(own).toContain('half a thought')
  expect(own).not.toMatch(/[^\r\n\b -~]/)
})

test('a paste into TERM=dumb, which marks none, is one input all the same', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ env: { TERM: 'dumb' } })
  const { terminal } = chat
  await terminal.paste('one\n/quit\nthree')
  await terminal.shows(/> one \/quit three$/)
  await terminal.press('Enter')
  await expect.poll(chat.texts, { timeout: 10_000 }).toEqual(['one\n/quit\nthree'])
})

test('with --plain nothing is drawn again: states and typing are lines', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ flags: '--plain' })
  const { terminal, node } = chat
  await terminal.type('hi')
  await terminal.press('Enter')
  await terminal.shows('[1] me: hi (queued)')
  node.reach((await node.messages('bob'))[0]?.id ?? '', 'read')
  await terminal.shows('[1] read')
  node.emit({ kind: 'typing', contact: await node.contacts.resolve('bob'), active: true })
  await terminal.shows('bob is typing...')
  expect(await terminal.bytes()).not.toMatch(/\x1b\[\d*[AJ](?![^]*With bob)/)
})

test('with LANG=C the output is ASCII: other characters are shown by their number, typed ones too', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ env: { LANG: 'C' }, before: (node) => void node.receive('bob', 'schön 👍') })
  const { terminal } = chat
  await terminal.shows('bob: sch\\u{f6}n \\u{1f44d}')
  await terminal.type('ü')
  await terminal.shows('> \\u{fc}')
  await terminal.press('Enter')
  await terminal.shows('me: \\u{fc}')
  const bytes = await terminal.bytes()
  expect(bytes.slice(bytes.indexOf('With bob'))).not.toMatch(/[^\0-\x7f]/)
  expect(await chat.texts()).toEqual(['ü'])
})

test('texts of a peer do nothing but stand there: no command to the terminal, no line that fakes another', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  const contacts = [{ petname: 'bob', claimedName: `${ESC}]0;PWNED\x07Bob` }]
  await using chat = await openChat({
    fake: { contacts },
    rows: 50,
    before(node) {
      for (const text of HOSTILE.slice(0, 5)) node.receive('bob', text)
    },
  })
  const { terminal, node } = chat
  for (const text of HOSTILE.slice(5)) node.receive('bob', text)
  const message = node.receive('bob', 'the last')
  await terminal.shows('the last')
  node.emit({ kind: 'change', message: { ...message, reactions: { [message.from]: `${ESC}[2J\u202e👍` } } })
  node.emit({ kind: 'change', message: { ...message, text: `${ESC}[2Jedited\n> `, edited: 1 } })
  const seen = await terminal.shows('edited by bob')
  expect(seen).toContain('[1] bob: [2J[H[31mred')
  expect(seen).toContain('bob: zerowidth tags')
  expect(seen).not.toMatch(/^23:59/m)
  expect(seen.match(/^>/gm)).toHaveLength(1)
  const bytes = await terminal.bytes()
  const own = bytes.slice(bytes.indexOf('With bob'))
  expect(own).not.toMatch(/\x1b\]|\x07|[\x80-\x9f]|\x1b\[2J|\x1b\[31m|[\u202a-\u202e\u2066-\u2069\u200b\u200f]/)
  await terminal.type('still here')
  await terminal.press('Enter')
  await terminal.shows('me: still here')
})
