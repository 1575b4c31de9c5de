/**
 * A test of something that is built on Sotto: a bot that answers whoever writes to it. The mesh brings real nodes of
 * several people in this process; nothing touches a disk, and nothing waits longer than it has to.
 *
 *     node --conditions=source examples/test-with-a-mesh.ts    in the repository
 *     node --test test-with-a-mesh.ts                          where the package is installed
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from 'sotto'
import { createMesh } from 'sotto/mesh'

/** What is tested: every text comes back in capitals, until the node stops. */
async function runBot(node: Node): Promise<void> {
  for await (const event of node.events()) {
    // Own messages are events too, so that every window of a person shows the same.
    if (event.kind !== 'message' || event.message.from === node.identity.account) continue
    await node.send(event.message.conversation, String(event.message.text).toUpperCase())
  }
}

await test('the bot answers everybody, also those who wrote while it was down', async () => {
  await using mesh = await createMesh({ nodes: ['ada', 'ben', 'bot'], network: 'memory', contacts: true })
  let bot = runBot(mesh.person('bot'))
  await mesh.person('ada').send('bot', 'hello')
  await mesh.settled()

  await mesh.stop('bot')
  await bot
  await mesh.person('ben').send('bot', 'anybody here?')
  bot = runBot(await mesh.start('bot'))
  await mesh.settled()

  for (const [name, answer] of [
    ['ada', 'HELLO'],
    ['ben', 'ANYBODY HERE?'],
  ] as const) {
    const last = (await mesh.person(name).messages('bot')).at(-1)
    assert.equal(last?.text, answer)
  }
})
