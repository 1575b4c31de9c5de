/**
 * A group: Alice makes one with Bob and Carol, who do not know each other; all three talk; Carol is removed, and reads nothing
 * of what is written then. No server keeps the group: its members tell each other who is in it, signed.
 *
 *     node --conditions=source examples/group.ts      in the repository
 *     node group.ts                                   where the package is installed
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccount, createNode, type Group, type Node } from 'sotto'

const directory = await mkdtemp(join(tmpdir(), 'sotto-group-'))
const signal = AbortSignal.timeout(90_000)
const say = (line: string) => process.stdout.write(`${line}\n`)

/** Makes an account in a directory of its own and starts a node with it. */
async function person(name: string, bootstrap: readonly string[]): Promise<Node> {
  const home = { directory: join(directory, name), passphrase: `the passphrase of ${name}` }
  await createAccount({ ...home, name })
  return createNode({ ...home, listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: [...bootstrap] })
}

/** Asks now, and again after every event, until there is an answer. */
async function until<T>(node: Node, question: () => Promise<T | undefined>): Promise<T> {
  const enough = new AbortController()
  // Listening begins before the question: what happens in between is heard.
  const events = node.events({ signal: AbortSignal.any([signal, enough.signal]) })[Symbol.asyncIterator]()
  for (;;) {
    const next = events.next()
    const answer = await question()
    if (answer !== undefined) {
      enough.abort()
      return answer
    }
    if ((await next).done === true) throw new Error('the node stopped, or it took too long')
  }
}

/** Two people become contacts: one invites, the other asks, the first accepts. */
async function introduce(host: Node, guest: Node, petname: string): Promise<void> {
  const { link } = await host.invite()
  await guest.contacts.add(link, { petname: 'alice' })
  const [request] = await until(host, async () => {
    const requests = await host.contacts.requests()
    return requests.length > 0 ? requests : undefined
  })
  if (request !== undefined) await host.contacts.accept(request.id, { petname })
  await until(guest, async () => ((await guest.contacts.resolve('alice')).state === 'accepted' ? true : undefined))
}

/** The group, once it is so at this node too. */
function seen(node: Node, isSo: (group: Group) => boolean): Promise<Group> {
  return until(node, async () => (await node.groups.list()).find(isSo))
}

try {
  await using alice = await person('alice', [])
  await using bob = await person('bob', alice.addresses())
  await using carol = await person('carol', alice.addresses())
  await introduce(alice, bob, 'bob')
  await introduce(alice, carol, 'carol')
  const everybody = { alice, bob, carol }

  // Contacts of hers join by themselves. Before their nodes have said so they are given no keys.
  const { id } = await alice.groups.create('trip', ['bob', 'carol'])
  const isWhole = ({ members }: Group) => members.length === 3 && members.every(({ state }) => state === 'member')
  for (const node of Object.values(everybody)) await seen(node, isWhole)

  for (const [name, node] of Object.entries(everybody)) {
    const message = await node.send(id, `this is ${name}`)
    // In a group a message is delivered when everybody has it; until then `states.members` says who does.
    await message.reached('delivered', { signal })
  }

  await alice.groups.remove(id, ['carol'])
  await seen(bob, ({ members }) => members.length === 2)
  await (await bob.send(id, 'and then there were two')).reached('delivered', { signal })
  await seen(carol, ({ state }) => state === 'removed')

  for (const [name, node] of Object.entries(everybody)) {
    const texts = (await node.messages(id)).flatMap(({ text }) => text ?? [])
    say(`${name} has: ${texts.join(', ')}`)
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}
