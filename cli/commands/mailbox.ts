import type { Command } from 'commander'
import { callRunning } from '../caller.ts'
import { formatMailbox } from '../format.ts'
import type { Invocation } from '../invocation.ts'
import type { MailboxJson } from '../shapes.ts'
import type { Verb } from '../verb.ts'

function printAll({ print }: Invocation, mailboxes: readonly MailboxJson[]): void {
  for (const mailbox of mailboxes) print(mailbox, formatMailbox(mailbox))
}

function defineStatus(command: Command, invocation: () => Invocation): void {
  command
    .command('status')
    .description('The mailboxes that keep my mail while this node is away.')
    .action(async () => {
      const current = invocation()
      await using caller = await callRunning(current)
      const mailboxes = await caller.call('mailbox.list', {}, { signal: current.io.ended })
      if (mailboxes.length === 0) current.note('No mailbox keeps your mail. Choose one: sotto mailbox use WHO\n')
      printAll(current, mailboxes)
    })
}

function defineUse(command: Command, invocation: () => Invocation): void {
  command
    .command('use')
    .description('Have somebody keep my mail; contacts are told where to leave it.')
    .argument('<where>', 'a contact whose node keeps a mailbox, or an address with /p2p')
    .action(async (where: string) => {
      const current = invocation()
      await using caller = await callRunning(current)
      printAll(current, await caller.call('mailbox.use', { where }, { signal: current.io.ended }))
    })
}

function defineDrop(command: Command, invocation: () => Invocation): void {
  command
    .command('drop')
    .description('Give up a mailbox, or all; what lies there unfetched is lost.')
    .argument('[mailbox]', 'its PeerId, as "mailbox status" shows it')
    .action(async (mailbox: string | undefined) => {
      const current = invocation()
      await using caller = await callRunning(current)
      const params = mailbox === undefined ? {} : { mailbox }
      current.print(await caller.call('mailbox.drop', params, { signal: current.io.ended }), 'dropped')
    })
}

export const verb: Verb = {
  examples: ['sotto mailbox use carol', 'sotto mailbox status', 'sotto --json mailbox status'],
  define(command, invocation) {
    defineStatus(command, invocation)
    defineUse(command, invocation)
    defineDrop(command, invocation)
  },
}
