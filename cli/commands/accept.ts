import { callRunning } from '../caller.ts'
import { CliError } from '../errors.ts'
import { formatContact } from '../format.ts'
import { formatGroup } from '../group-format.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto accept bob', 'sotto accept sotto1qqqqqqqq', 'sotto accept sotto1qqqqqqqq --as bob'],
  define(command, invocation) {
    command
      .argument('<who>', 'who asked: a name, or the beginning of the account or of the id of a group')
      .option('--as <petname>', 'what I call them')
      .action(async (who: string, options: { as?: string }) => {
        const { io, print, paint } = invocation()
        await using caller = await callRunning(invocation())
        const asked = await caller.call('conversation.get', { who }, { signal: io.ended })
        if (asked.group !== undefined) {
          if (options.as !== undefined)
            throw new CliError('usage', 'A group has one name for everybody; leave out --as.')
          const group = await caller.call('group.accept', { group: asked.group.group }, { signal: io.ended })
          return print(group, formatGroup(group, paint))
        }
        const params = { who, ...(options.as === undefined ? {} : { petname: options.as }) }
        const contact = await caller.call('contact.accept', params, { signal: io.ended })
        return print(contact, formatContact(contact, paint))
      })
  },
}
