import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, test } from 'vitest'
import { utf8 } from '../../../lib/bytes.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import { decodeAccount } from '../../../lib/identity/account.ts'
import { encodeInvite } from '../../../lib/identity/invite.ts'
import { createAccount, createNode } from '../../../node/index.ts'
import { peerText, withPeer } from '../../../node/network/addresses.ts'
import { startNetwork, stopAll, until } from '../../support/network.ts'

const started: AsyncDisposable[] = []
afterEach(() => stopAll(started.splice(0)))

const PEER = Uint8Array.from([0x00, 0x24, 0x08, 0x01, 0x12, 0x20, ...portable.sha256(utf8('peer'))])
const GOOD = withPeer(multiaddr('/ip4/192.0.2.1/tcp/4001').bytes, PEER)
const BAD: readonly Uint8Array[] = [
  new Uint8Array(0),
  Uint8Array.of(0xff),
  new Uint8Array(128).fill(0xff),
  new Uint8Array(128),
  GOOD.bytes.slice(0, -1),
  // no peer at its end
  multiaddr('/ip4/192.0.2.1/tcp/4001').bytes.slice(),
]

test('the network takes the addresses of an invite that it can use, and counts that there were others', async () => {
  const one = await startNetwork()
  started.push(one)
  for (const address of BAD) one.network.addBootstrap([address])
  expect(one.drops).toEqual(BAD.map(() => 'bootstrap-address'))
  one.network.addBootstrap([GOOD.bytes])
  expect(one.drops).toHaveLength(BAD.length)
})

test('a node remembers of an invite only the addresses with which it can start again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-addresses-'))
  started.push({ [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) })
  const home = join(directory, 'home')
  const inviter = await createAccount({ directory: join(directory, 'inviter'), noPassphrase: true })
  await createAccount({ directory: home, noPassphrase: true })
  const remembered: (readonly string[])[] = []
  const open = () =>
    createNode({ directory: home, network: 'none', rememberBootstrap: (texts) => void remembered.push(texts) })
  const account = decodeAccount(inviter.account)
  const link = (addresses: readonly Uint8Array[]) =>
    encodeInvite({ account, secret: new Uint8Array(32), expires: null, addresses })
  const node = await open()
  started.unshift(node)
  await node.contacts.add(link(BAD.slice(0, 3)), { petname: 'inviter' })
  await node.contacts.add(link([...BAD.slice(4), GOOD.bytes]), { petname: 'inviter' })
  await until(() => remembered.length > 0)
  expect(remembered).toEqual([[`/ip4/192.0.2.1/tcp/4001/p2p/${peerText(PEER)}`]])
})
