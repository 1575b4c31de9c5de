import { decodeItem, encodeItem } from '../../../lib/backup/items.ts'
import { createRestoring } from '../../../lib/backup/restoring.ts'
import { concat, fromHex } from '../../../lib/bytes.ts'
import { openingStream, sealingStream } from '../../../lib/crypto/stream.ts'
import { encodeHead, frameItem, readItems, readStart, START_BYTES } from '../../../node/backup/format.ts'
import { restoreBackup } from '../../../node/backup/restoring.ts'
import { takeBackup } from '../../../node/backup/taking.ts'
import { native } from '../../../node/crypto.ts'
import { NodeError } from '../../../node/errors.ts'
import { createMemoryStore } from '../../../node/store/memory-store.ts'
import { backUp, SEAL } from '../../support/backups.ts'
import { acquaint, createWorld, say, type Someone } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'
import type { Outcome, Target } from '../target.ts'

/** Somebody with a bit of everything. */
const world = createWorld('fuzz backup')
const [alice, bob] = [world.person('alice'), world.person('bob')] as const
world.advance(2_000)
acquaint(world, alice, bob)
say(bob, alice, 'hello')
const first = say(alice, bob, 'hello you')
if (first.kind !== 'message') throw new Error('expected a message')
world.advance(5_000)
alice.command({ kind: 'edit', contact: alice.contact(bob), message: first.id, text: 'hello to you' })
bob.command({ kind: 'react', contact: bob.contact(alice), message: first.id, emoji: '👍' })
world.advance(5_000)
alice.command({ kind: 'send', contact: alice.contact(bob), text: 'for a day', expires: 86_400_000 })
alice.command({ kind: 'use-mailbox', target: { peer: new Uint8Array(34).fill(1), addresses: [new Uint8Array(8)] } })
stopHearing(bob)
say(alice, bob, 'waits')
world.advance(5_000)

function stopHearing(who: Someone): void {
  world.faults.deliver = (_from, to) => to !== who
}

const decoded = await backUp(world, alice)
const items = decoded.map(encodeItem)
const early = encodeItem({
  kind: 'change',
  message: fromHex('00'.repeat(16)),
  changes: decoded.flatMap((item) => (item.kind === 'message' ? item.changes : [])).slice(0, 1),
})

async function fileOf(): Promise<Uint8Array> {
  const store = createMemoryStore()
  await store.write([...alice.rows.values()])
  const portions: Uint8Array[] = []
  for await (const portion of takeBackup(store, { primitives: native, seal: SEAL, now: world.now })) {
    portions.push(portion)
  }
  return concat(...portions)
}

const file = await fileOf()
const isRefusal = (error: unknown): boolean =>
  error instanceof NodeError && ['damaged', 'invalid', 'newer-schema'].includes(error.code)

const streamOf = (plaintext: Uint8Array): Uint8Array => {
  const stream = sealingStream(native, SEAL.key, SEAL.head)
  return concat(stream.push(plaintext), stream.end())
}

async function* portionsOf(input: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < input.length; at += 1_000) yield input.subarray(at, at + 1_000)
}

async function restore(input: Uint8Array): Promise<Outcome> {
  await restoreBackup(portionsOf(input), createMemoryStore(), {
    primitives: native,
    random: seededRandom('restored'),
    now: world.now,
    unlock: async () => SEAL.key.slice(),
  })
  return 'accepted'
}

/** What somebody's backup is made of, before and behind its seal. */
export const backupTargets: readonly Target[] = [
  {
    name: 'backup-item',
    covers: ['lib/backup/items.ts#decodeItem'],
    seeds: [...new Map(items.map((item, i) => [`${decoded[i]?.kind}`, item])).values(), ...items.slice(-4), early],
    dear: true,
    run: (input) => encodeItem(decodeItem(input)),
  },
  {
    name: 'backup-stream',
    covers: ['lib/crypto/stream.ts#openingStream'],
    seeds: [streamOf(new Uint8Array(0)), streamOf(concat(...items).subarray(0, 3_000))],
    authenticated: true,
    dear: true,
    run(input) {
      const stream = openingStream(native, SEAL.key, SEAL.head)
      stream.push(input)
      stream.end()
      return 'accepted'
    },
  },
  {
    name: 'backup-start',
    covers: ['node/backup/format.ts#readStart'],
    seeds: [file.subarray(0, START_BYTES)],
    refuses: isRefusal,
    run: (input) =>
      concat(encodeHead(new Uint8Array(readStart(input))).subarray(0, START_BYTES), input.subarray(START_BYTES)),
  },
  {
    name: 'backup-items',
    covers: ['lib/backup/restoring.ts#createRestoring'],
    seeds: [concat(...items.map(frameItem))],
    loose: 'a device is made anew each time',
    dear: true,
    maxMs: 500,
    refuses: (error) => isRefusal(error) || (error instanceof Error && error.name === 'ProtocolError'),
    run(input) {
      const reader = readItems()
      const restoring = createRestoring(native, seededRandom('items'), world.now)
      for (const item of reader.push(input.slice())) restoring.take(decodeItem(item))
      reader.end()
      restoring.end()
      return 'accepted'
    },
  },
  {
    name: 'backup-file',
    covers: ['node/backup/restoring.ts#restoreBackup'],
    seeds: [file],
    authenticated: true,
    dear: true,
    maxMs: 500,
    refuses: isRefusal,
    run: restore,
  },
]
