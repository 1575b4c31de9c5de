import type { Command } from 'commander'
import { callRunning } from '../caller.ts'
import type { Caller } from '../client.ts'
import { formatGroup, formatGroupLine } from '../group-format.ts'
import type { Invocation } from '../invocation.ts'
import { groupName } from '../names.ts'
import { choice } from '../options.ts'
import type { GroupJson } from '../shapes.ts'
import { TYPES } from '../schema/types.ts'
import type { Verb } from '../verb.ts'

const GROUP = 'a group: its name, or the beginning of its id'
const MEMBER = 'a member: a name or the beginning of the account'
const role = choice(TYPES.addedRole.words)

/** Does something with a group of the running node, and prints the group as it is then. */
async function change(
  invocation: Invocation,
  work: (caller: Caller, options: { signal: AbortSignal }) => Promise<GroupJson>,
): Promise<void> {
  const { io, print, paint } = invocation
  await using caller = await callRunning(invocation)
  const group = await work(caller, { signal: io.ended })
  print(group, formatGroup(group, paint))
}

async function list(invocation: Invocation): Promise<void> {
  const { io, print, paint, note } = invocation
  await using caller = await callRunning(invocation)
  const groups = await caller.call('group.list', {}, { signal: io.ended })
  for (const group of groups) print(group, formatGroupLine(group, paint))
  if (groups.length === 0) note('No groups yet: sotto group create NAME WHO')
}

async function leave(invocation: Invocation, group: string): Promise<void> {
  const { io, print } = invocation
  await using caller = await callRunning(invocation)
  const left = await caller.call('group.leave', { group }, { signal: io.ended })
  print(left, `left ${groupName(left)}; what was written stays: sotto log ${left.group.slice(0, 16)}`)
}

async function decline(invocation: Invocation, group: string): Promise<void> {
  const { io, print } = invocation
  await using caller = await callRunning(invocation)
  print(await caller.call('group.decline', { group }, { signal: io.ended }), 'declined')
}

function defineMembers(command: Command, invocation: () => Invocation): void {
  command
    .command('add')
    .description('Add contacts.')
    .argument('<group>', GROUP)
    .argument('<who...>', 'contacts: names or the beginnings of accounts')
    .option('--admin', 'as admins, who may add and remove others')
    .action((group: string, who: string[], options: { admin?: boolean }) =>
      change(invocation(), (caller, call) =>
        caller.call('group.add', { group, who, ...(options.admin === true && { role: 'admin' }) }, call),
      ),
    )
  command
    .command('remove')
    .description('Remove members: they read nothing of what follows.')
    .argument('<group>', GROUP)
    .argument('<who...>', 'members: names or the beginnings of accounts')
    .action((group: string, who: string[]) =>
      change(invocation(), (caller, call) => caller.call('group.remove', { group, who }, call)),
    )
  command
    .command('role')
    .description('Make a member an admin, or an admin a member.')
    .argument('<group>', GROUP)
    .argument('<who>', MEMBER)
    .argument('<role>', 'admin or member', role)
    .action((group: string, who: string, as: 'admin' | 'member') =>
      change(invocation(), (caller, call) => caller.call('group.role', { group, who, role: as }, call)),
    )
  command
    .command('transfer')
    .description('Give the group to a member, who owns it from then on.')
    .argument('<group>', GROUP)
    .argument('<who>', MEMBER)
    .action((group: string, who: string) =>
      change(invocation(), (caller, call) => caller.call('group.transfer', { group, who }, call)),
    )
}

export const verb: Verb = {
  examples: ['sotto group create trip bob carol', 'sotto group add trip dave --admin', 'sotto group info trip'],
  define(command, invocation) {
    command
      .command('create')
      .description('Make a group, with contacts in it.')
      .argument('<name>', 'how it is called, for everybody')
      .argument('[who...]', 'contacts: names or the beginnings of accounts')
      .action((name: string, who: string[]) =>
        change(invocation(), (caller, call) =>
          caller.call('group.create', { name, ...(who.length > 0 && { who }) }, call),
        ),
      )
    defineMembers(command, invocation)
    command
      .command('rename')
      .description('Call the group by another name, for everybody.')
      .argument('<group>', GROUP)
      .argument('<name>', 'how it is called from now on')
      .action((group: string, name: string) =>
        change(invocation(), (caller, call) => caller.call('group.rename', { group, name }, call)),
      )
    command
      .command('leave')
      .description('Leave a group; what was written stays here.')
      .argument('<group>', GROUP)
      .action((group: string) => leave(invocation(), group))
    command
      .command('decline')
      .description('Drop the request of a group, or a group that I am in no more, with what was written.')
      .argument('<group>', GROUP)
      .action((group: string) => decline(invocation(), group))
    command
      .command('list')
      .description('The groups that I am in, or was.')
      .action(() => list(invocation()))
    command
      .command('info')
      .description('A group and who is in it.')
      .argument('<group>', GROUP)
      .action((group: string) => change(invocation(), (caller, call) => caller.call('group.info', { group }, call)))
  },
}
