import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto chat bob', 'sotto chat bob --plain', 'tail -f /var/log/backup.log | sotto --json chat bob'],
  define(command, invocation) {
    command
      .argument('<who>', 'a contact or a group: a name, or the beginning of the account or id')
      .option('--plain', 'draw nothing again: for screen readers')
      .addHelpText('after', '\nNot on a terminal: sends each line of the standard input, prints what arrives.')
      .action(async (who: string, options: { plain?: boolean }) => {
        const { io, json } = invocation()
        const isTerminal = io.stdin.isTTY === true && io.stdout.isTTY === true && io.stdin.setRawMode !== undefined
        if (!isTerminal || json) return (await import('../chat/piped.ts')).converse(invocation(), who)
        return (await import('../chat/session.ts')).talk(invocation(), who, { plain: options.plain === true })
      })
  },
}
