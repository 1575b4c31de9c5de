import { utf8 } from '../../../lib/bytes.ts'
import { signalPerson } from '../peers/libsignal.ts'
import { serve } from '../worker.ts'
import { threadMs } from './thread-time.ts'

export interface LibrarySetUpTasks {
  /** Makes that many sessions; ms of processor time that each side took for all of them. */
  readonly setUp: (count: number) => Promise<{ initiator: number; responder: number }>
}

const alice = await signalPerson('alice', 'bob')
const bob = await signalPerson('bob', 'alice')
const text = utf8('hello')

serve<LibrarySetUpTasks>({
  async setUp(count) {
    let initiator = 0
    let responder = 0
    for (let i = 0; i < count; i++) {
      alice.forget()
      bob.forget()
      const start = threadMs()
      await alice.begin(bob.published)
      const sealed = await alice.seal(text)
      const sent = threadMs()
      await bob.open(sealed)
      initiator += sent - start
      responder += threadMs() - sent
    }
    return { initiator, responder }
  },
})
