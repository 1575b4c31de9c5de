import { randomFillSync } from 'node:crypto'
import { signalPerson } from '../peers/libsignal.ts'
import { serve } from '../worker.ts'
import { type LibraryTasks, RUN_MESSAGES, TEXT_BYTES } from './ratchet-tasks.ts'
import { threadMs } from './thread-time.ts'

const alice = await signalPerson('alice', 'bob')
const bob = await signalPerson('bob', 'alice')
const text = randomFillSync(new Uint8Array(TEXT_BYTES))

async function pass(sender: typeof alice, reader: typeof alice): Promise<Uint8Array> {
  const sealed = await sender.seal(text)
  await reader.open(sealed)
  return sealed.bytes
}

await alice.begin(bob.published)
await pass(alice, bob)
// From the first answer on messages are without the handshake.
await pass(bob, alice)
const sample = await pass(alice, bob)
if (alice.quantumBytes(sample) === 0) throw new Error('this libsignal has no post-quantum ratchet')

let sent = 0

async function timed(count: number, run: number): Promise<number> {
  const start = threadMs()
  for (let i = 0; i < count; i++) {
    if (Math.floor(sent++ / run) % 2 === 0) await pass(alice, bob)
    else await pass(bob, alice)
  }
  return threadMs() - start
}

serve<LibraryTasks>({
  burst: (count) => timed(count, RUN_MESSAGES),
  pingPong: (count) => timed(count, 1),
  messageBytes: async () => (await pass(alice, bob)).length,
})
