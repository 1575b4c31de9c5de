import { utf8 } from '../../../lib/bytes.ts'
import { signalPerson } from '../peers/libsignal.ts'
import { serve } from '../worker.ts'

export interface LibrarySetUpTasks {
  /** Makes that many sessions; ms that each side took for all of them. */
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
      const start = performance.now()
      await alice.begin(bob.published)
      const sealed = await alice.seal(text)
      const sent = performance.now()
      await bob.open(sealed)
      initiator += sent - start
      responder += performance.now() - sent
    }
    return { initiator, responder }
  },
})
