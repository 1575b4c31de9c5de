/** Writes `backups/version-1.json`: a backup as this version writes it, to be read by every later one. */
import { writeFileSync } from 'node:fs'
import { concat, toHex } from '../../lib/bytes.ts'
import { encodeAccount } from '../../lib/identity/account.ts'
import { encodeHead } from '../../node/backup/format.ts'
import { takeBackup } from '../../node/backup/taking.ts'
import { native } from '../../node/crypto.ts'
import { VAULT_PARTS } from '../../node/home.ts'
import { sealVault } from '../../node/store/vault.ts'
import { randomOf, storeOf } from '../support/backups.ts'
import { acquaint, createWorld, say } from '../support/machines.ts'

const random = randomOf('backup vector')
const passphrase = 'correct horse battery staple'
const world = createWorld('backup vector')
const [alice, bob] = [world.person('alice'), world.person('bob')]
world.advance(2_000)
acquaint(world, alice, bob)
const first = say(alice, bob, 'hello')
say(bob, alice, 'hello you')
world.advance(5_000)
const message = first.kind === 'message' ? first.id : new Uint8Array()
alice.command({ kind: 'edit', contact: alice.contact(bob), message, text: 'hello, Bob' })
bob.command({ kind: 'react', contact: bob.contact(alice), message, emoji: '👍' })
world.advance(5_000)
world.faults.deliver = () => false
say(alice, bob, 'waits')
world.advance(5_000)

const key = random.bytes(32)
const sealed = await sealVault(
  {
    masterKey: key,
    secret: { kind: 'passphrase', passphrase },
    cost: { memoryKiB: 8, passes: 1, lanes: 1 },
    use: 'backup',
  },
  { ...VAULT_PARTS, random },
)
const seal = { key, head: encodeHead(sealed) }
const portions: Uint8Array[] = []
const store = await storeOf(alice.rows.values())
for await (const portion of takeBackup(store, {
  primitives: native,
  seal,
  now: world.now,
  settings: '{"delivery":"outbox"}',
})) {
  portions.push(portion)
}
const vector = {
  passphrase,
  account: encodeAccount(alice.account),
  takenAt: world.now,
  settings: '{"delivery":"outbox"}',
  texts: ['hello, Bob', 'hello you', 'waits'],
  key: toHex(key),
  file: toHex(concat(...portions)),
}
writeFileSync(new URL('backups/version-1.json', import.meta.url), `${JSON.stringify(vector, null, 2)}\n`)
