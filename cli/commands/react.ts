import { CliError } from '../errors.ts'
import { changeMessage } from '../message-call.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: [
    'sotto react 000102030405060708090a0b0c0d0e0f 👍',
    'sotto react 000102030405060708090a0b0c0d0e0f --remove',
    'sotto -v log bob',
  ],
  define(command, invocation) {
    command
      .argument('<id>', 'a message of either side')
      .argument('[emoji]', 'one emoji, in place of an earlier one')
      .option('--remove', 'take my reaction away')
      .action(async (id: string, given: string | undefined, options: { remove?: boolean }) => {
        const { io } = invocation()
        if ((given === undefined) !== (options.remove === true)) {
          throw new CliError('usage', 'It takes an emoji, or --remove.', { hint: 'See: sotto react --help' })
        }
        const emoji = given ?? null
        await changeMessage(invocation(), (caller) => caller.call('message.react', { id, emoji }, { signal: io.ended }))
      })
  },
}
