import { load } from '../peers/installed.ts'
import { serve } from '../worker.ts'
import { type LibraryTasks, RUN_MESSAGES, TEXT_BYTES } from './ratchet-tasks.ts'
import { threadMs } from './thread-time.ts'

interface Account {
  create(): void
  identity_keys(): string
  one_time_keys(): string
  generate_one_time_keys(count: number): void
}

interface Session {
  create_outbound(account: Account, identityKey: string, oneTimeKey: string): void
  create_inbound(account: Account, message: string): void
  encrypt(text: string): { readonly type: 0 | 1; readonly body: string }
  decrypt(type: number, body: string): string
}

/** The part of olm that two people need; its module is CommonJS. */
interface Olm {
  init(): Promise<void>
  readonly Account: new () => Account
  readonly Session: new () => Session
}

const { default: olm } = await load<{ readonly default: Olm }>('@matrix-org/olm')
await olm.init()
const text = 'x'.repeat(TEXT_BYTES)
const [host, guest] = [new olm.Account(), new olm.Account()]
host.create()
guest.create()
host.generate_one_time_keys(1)
const { curve25519 } = JSON.parse(host.identity_keys()) as { readonly curve25519: string }
const oneTime = JSON.parse(host.one_time_keys()) as { readonly curve25519: Readonly<Record<string, string>> }
const [alice, bob] = [new olm.Session(), new olm.Session()]
alice.create_outbound(guest, curve25519, Object.values(oneTime.curve25519)[0] ?? '')
const first = alice.encrypt(text)
bob.create_inbound(host, first.body)
bob.decrypt(first.type, first.body)
pass(bob, alice)

function pass(sender: Session, reader: Session): string {
  const { type, body } = sender.encrypt(text)
  reader.decrypt(type, body)
  return body
}

let sent = 0

function timed(count: number, run: number): number {
  const start = threadMs()
  for (let i = 0; i < count; i++) {
    if (Math.floor(sent++ / run) % 2 === 0) pass(alice, bob)
    else pass(bob, alice)
  }
  return threadMs() - start
}

serve<LibraryTasks>({
  burst: (count) => timed(count, RUN_MESSAGES),
  pingPong: (count) => timed(count, 1),
  // It gives base64; what it is of is what has to travel.
  messageBytes: () => Math.floor((pass(alice, bob).length * 3) / 4),
})
