// Three people who know each other. A partition cuts alice from bob: what she writes to him waits, while carol still
// hears from her. The partition ends, and bob has the message exactly once.
// Run it with: node_modules/.bin/node --conditions=source examples/partition.ts
import assert from 'node:assert/strict'
import { createMesh } from 'sotto/mesh'

await using mesh = await createMesh({ nodes: 3, network: 'simulated', contacts: true, seed: 7 })
const heard = async (name: string) => (await mesh.person(name).messages('alice')).map((message) => message.text)
mesh.partition('alice', 'bob')
await mesh.person('alice').send('bob', 'are you there?')
await mesh.person('alice').send('carol', 'bob is silent')
await mesh.advance(10 * 60_000) // ten minutes
assert.deepEqual([await heard('bob'), await heard('carol')], [[], ['bob is silent']])
mesh.heal()
await mesh.settled()
assert.deepEqual(await heard('bob'), ['are you there?'])
console.log('cut off, bob heard nothing while carol did; after the partition he had the message exactly once')
