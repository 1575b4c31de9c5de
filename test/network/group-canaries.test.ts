import type { noise } from '@libp2p/noise'
import { base64urlnopad } from '@scure/base'
import { expect, test, vi } from 'vitest'
import { fromHex, toHex, utf8 } from '../../lib/bytes.ts'
import { decodeAccount } from '../../lib/identity/account.ts'
import { openCircle } from '../support/members.ts'

/** Everything that a node of this process got out of its encrypted connections, a piece for each. */
const decrypted: Buffer[][] = []

/** What comes out of Noise is kept before anybody else has it; the nodes of the members are other processes. */
vi.mock('@libp2p/noise', async (original) => {
  const real = await original<{ noise: typeof noise }>()
  return {
    ...real,
    noise: (...options: Parameters<typeof real.noise>) => {
      const create = real.noise(...options)
      return (...components: Parameters<typeof create>) => {
        const encrypter = create(...components)
        for (const side of ['secureInbound', 'secureOutbound'] as const) {
          const secure = encrypter[side].bind(encrypter)
          encrypter[side] = async (...input) => {
            const secured = await secure(...input)
            record(secured.connection)
            return secured
          }
        }
        return encrypter
      }
    },
  }
})

/** Listens together with the first who listens: alone it would take what is meant for them. */
function record(connection: EventTarget): void {
  const pieces: Buffer[] = []
  decrypted.push(pieces)
  const { addEventListener } = connection
  connection.addEventListener = (...input) => {
    if (input[0] === 'message') {
      connection.addEventListener = addEventListener
      addEventListener.call(connection, 'message', (event) => {
        pieces.push(Buffer.from((event as Event & { data: { subarray(): Uint8Array } }).data.subarray()))
      })
    }
    addEventListener.call(connection, ...input)
  }
}

/** Everything that may show, as text and as bytes. */
function formsOf(name: string, bytes: Uint8Array): (readonly [name: string, bytes: Uint8Array])[] {
  return [
    [name, bytes],
    [`${name} in hex`, utf8(toHex(bytes))],
    [`${name} in base64`, utf8(base64urlnopad.encode(bytes))],
  ]
}

test('a rendezvous node that keeps the mail of a group learns of it no name, id, topic, text or member', {
  timeout: 240_000,
}, async () => {
  const name = 'canary of a name 5d20'
  await using circle = await openCircle({ members: 3, mailbox: true, name })
  const [first, second, third] = circle.people
  if (first === undefined || second === undefined || third === undefined) throw new Error('three are in it')
  const { group } = circle
  await first.say(group, ['canary of a text 71aa'])
  await first.worker.ask('reached', group)
  await third.kill()
  await second.say(group, ['canary of a text by mail 03c7'])
  await third.again()
  await second.worker.ask('reached', group)

  const streams = decrypted.map((pieces) => Buffer.concat(pieces))
  const saw = (bytes: Uint8Array): boolean => streams.some((stream) => stream.includes(Buffer.from(bytes)))
  // it records indeed: slots are published through it, and mail is kept by it
  for (const shown of ['/sotto/kad/1', '/sotto/mailbox/1\n']) expect(saw(utf8(shown)), shown).toBe(true)
  // every node names the protocol of gossip, in a group or not
  expect(saw(utf8('/sotto/gossip/1'))).toBe(true)

  const secrets: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ['the name', utf8(name)],
    ['a text', utf8('canary of a text')],
    // who opens a stream proposes its protocol, with a line break; the list of protocols that every node names has none
    ['a stream of gossip', utf8('/sotto/gossip/1\n')],
    ...formsOf('the group', fromHex(group)),
    ...circle.people.flatMap(({ name: who, account }) => formsOf(who, decodeAccount(account))),
  ]
  expect(secrets.filter(([, bytes]) => saw(bytes)).map(([shown]) => shown)).toEqual([])
})
