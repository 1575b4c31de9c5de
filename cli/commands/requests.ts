import { callHome } from '../caller.ts'
import { formatContact } from '../format.ts'
import { formatGroupRequest, groupRequestJson } from '../group-format.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto requests', 'sotto --json requests', 'sotto accept bob'],
  define(command, invocation) {
    command.action(async () => {
      const { io, print, paint, note } = invocation()
      await using caller = await callHome(invocation())
      const [contacts, groups] = await Promise.all([
        caller.call('contact.requests', {}, { signal: io.ended }),
        caller.call('group.requests', {}, { signal: io.ended }),
      ])
      for (const contact of contacts) print(contact, formatContact(contact, paint))
      for (const group of groups) print(groupRequestJson(group), formatGroupRequest(group, paint))
      if (contacts.length + groups.length === 0) note('No requests.')
    })
  },
}
