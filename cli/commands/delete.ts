import { callRunning } from '../caller.ts'
import { byId } from '../message-call.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: [
    'sotto delete 000102030405060708090a0b0c0d0e0f',
    'sotto --json delete 000102030405060708090a0b0c0d0e0f',
    'sotto -v log bob',
  ],
  define(command, invocation) {
    command.argument('<id>', 'mine: gone for both; theirs: only here').action(async (id: string) => {
      const { io, print } = invocation()
      await using caller = await callRunning(invocation())
      print(await byId(caller.call('message.delete', { id }, { signal: io.ended })), 'deleted')
    })
  },
}
