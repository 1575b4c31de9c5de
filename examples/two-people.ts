/**
 * Two people on one machine: one invites, the other asks, the first accepts, and a message is delivered.
 *
 *     node --conditions=source examples/two-people.ts      in the repository
 *     node two-people.ts                                   where the package is installed
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccount, createNode, type Node, type NodeEvent } from 'sotto'

const directory = await mkdtemp(join(tmpdir(), 'sotto-two-people-'))
const signal = AbortSignal.timeout(60_000)
const say = (line: string) => process.stdout.write(`${line}\n`)

/** Makes an account in a directory of its own and starts a node with it. */
async function person(name: string, bootstrap: readonly string[]): Promise<Node> {
  const home = { directory: join(directory, name), passphrase: `the passphrase of ${name}` }
  const { account } = await createAccount({ ...home, name })
  say(`${name} is ${account}`)
  return createNode({ ...home, listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: [...bootstrap] })
}

/** The first event of a kind from now on. */
async function next<K extends NodeEvent['kind']>(node: Node, kind: K): Promise<Extract<NodeEvent, { kind: K }>> {
  for await (const event of node.events({ signal })) {
    if (event.kind === kind) return event as Extract<NodeEvent, { kind: K }>
  }
  throw new Error(`the node stopped before an event of kind ${kind}`)
}

try {
  await using alice = await person('alice', [])
  await using bob = await person('bob', alice.addresses())

  // A link is given to somebody by other means: a letter, another chat, a QR code.
  const asked = next(alice, 'request')
  const { link } = await alice.invite()
  await bob.contacts.add(link, { petname: 'alice', hello: 'Bob here, we met on Friday.' })

  const { contact } = await asked
  say(`alice is asked by ${contact.account}: ${contact.hello}`)
  await alice.contacts.accept(contact.id, { petname: 'bob' })

  // The promise of send: the message is safe in the outbox. That it arrived is another promise.
  const message = await bob.send('alice', 'hello')
  await message.reached('delivered', { signal })
  for (const { text } of await alice.messages('bob')) say(`alice reads: ${text}`)

  // Both see the same 60 digits; they compare them over a channel where they know each other.
  const { safetyNumber } = await alice.contacts.verify('bob')
  say(`safety number: ${safetyNumber}`)
} finally {
  await rm(directory, { recursive: true, force: true })
}
