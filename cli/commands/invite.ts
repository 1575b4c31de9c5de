import { callHome } from '../caller.ts'
import { formatTime } from '../format.ts'
import { duration } from '../options.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto invite', 'sotto invite --expires 2d', 'sotto --json invite'],
  define(command, invocation) {
    command
      .option('--expires <duration>', 'how long the link works, for example 2d', duration)
      .action(async (options: { expires?: number }) => {
        const { io, print, note } = invocation()
        await using caller = await callHome(invocation())
        const expires = options.expires === undefined ? {} : { expires: Date.now() + options.expires }
        const invite = await caller.call('invite.create', expires, { signal: io.ended })
        print(invite, invite.link)
        if (invite.expires !== undefined) note(`It works until ${formatTime(invite.expires)}.`)
      })
  },
}
