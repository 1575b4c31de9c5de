import { expect, test } from 'vitest'
import type { GroupMember } from '../../node/api.ts'
import { openChat } from '../support/chat-terminal.ts'
import { fakeAccount, fakeContact, ME } from '../support/fake-node.ts'
import { noTmux } from '../support/tmux.ts'

const [BOB, CAROL] = [fakeAccount('b'), fakeAccount('c')]
const members: readonly GroupMember[] = [
  { account: ME, role: 'member', state: 'member', self: true },
  { account: BOB, petname: 'bob', role: 'owner', state: 'member', online: true },
  { account: CAROL, claimedName: 'Carol\u001b[2J', role: 'admin', state: 'member', online: false },
]
const trip = { name: 'trip', role: 'member', owner: BOB, members } as const

test('a chat with a group says who says what, what happens to the group, and with how many a message is', async (context) => {
  if (noTmux !== undefined) return context.skip(noTmux)
  await using chat = await openChat({ who: 'trip', columns: 100, rows: 40, fake: { groups: [trip] } })
  const { terminal, node } = chat
  await terminal.shows('With trip (a group, 1 of 2 others online). /help lists commands.')
  node.receive(BOB, 'hello both', 'trip')
  node.receive(CAROL, 'hello', 'trip')
  await terminal.shows(/\[1\] bob: hello both\n.*\[2\] "Carol\[2J": hello/)
  node.happen('trip', BOB, { what: 'added', accounts: [fakeAccount('d')], role: 'member' })
  node.happen('trip', CAROL, { what: 'role', accounts: [ME], role: 'admin' })
  node.happen('trip', CAROL, { what: 'left' })
  await terminal.shows(/\* bob added sotto1d{10}\n.*\* "Carol\[2J" made you an admin\n.*\* "Carol\[2J" left/)
  await terminal.type('here I am')
  await terminal.press('Enter')
  await terminal.shows(/\[3\] me: here I am/)
  expect(await chat.texts()).toContain('here I am')
  const sent = (await node.messages('trip')).at(-1)
  node.reachMember(sent?.id ?? '', 'bob', 'delivered')
  await terminal.shows('[3] delivered to 1 of 2')

  node.emit({
    kind: 'alert',
    contact: fakeContact({ petname: 'bob', account: BOB }),
    alert: 'secure session restarted',
  })
  await terminal.shows('Attention: bob: secure session restarted.')
  node.emit({
    kind: 'group-alert',
    group: (await node.groups.info('trip')).group,
    account: CAROL,
    alert: 'cloned device',
  })
  await terminal.shows('Attention: "Carol[2J": cloned device.')
  await terminal.type('/members')
  await terminal.press('Enter')
  await terminal.shows(/"Carol\[2J" {2}sotto1c{10} {2}admin, offline/)
  await terminal.type('/verify')
  await terminal.press('Enter')
  await terminal.shows('A group has no safety number')

  node.happen('trip', BOB, { what: 'owner', accounts: [ME] }, { state: 'frozen', successors: [CAROL, ME] })
  await terminal.shows('This group is frozen: bob named two successors ("Carol[2J" and you). Make a new group.')
})
