import { callHome } from '../caller.ts'
import { formatVerification } from '../format.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = {
  examples: ['sotto verify bob', 'sotto verify bob --confirm', 'sotto --json verify bob'],
  define(command, invocation) {
    command
      .argument('<who>', 'a name or the beginning of the account')
      .option('--confirm', 'we compared the digits and they are the same')
      .action(async (who: string, options: { confirm?: boolean }) => {
        const { io, print, note } = invocation()
        await using caller = await callHome(invocation())
        const params = { who, ...(options.confirm === true ? { confirm: true } : {}) }
        const verification = await caller.call('contact.verify', params, { signal: io.ended })
        if (verification.verified === false) note('Compare these digits in person or by voice:\n')
        print(verification, formatVerification(verification))
      })
  },
}
