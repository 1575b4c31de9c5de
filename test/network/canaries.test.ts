import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { base64urlnopad } from '@scure/base'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHex } from '../../lib/bytes.ts'
import { accountId, decodeAccount } from '../../lib/identity/account.ts'
import { decodeLink, encodeInvite } from '../../lib/identity/invite.ts'
import { native } from '../../node/crypto.ts'
import { everythingIn, findIn, type OnDisk } from '../support/disk.ts'
import {
  deliver,
  linkOf,
  LOOPBACK,
  openScene,
  type Person,
  requestOf,
  type Scene,
  textsOf,
} from '../support/processes.ts'
import { createRecordingProxy, type RecordingProxy } from '../support/recording-proxy.ts'

const SAID = {
  'the name ada gives herself': 'canary-Adelaide',
  'the name bob gives himself': 'canary-Robert',
  'what ada calls bob': 'canary-bobby',
  'what bob calls ada': 'canary-addie',
  'the greeting': 'canary greeting 4f1c',
  'the text of bob': 'canary text of bob 9b2e',
  'the text of ada': 'canary text of ada 77d0',
}
/** What shows that a recording holds the traffic of the two: longer than all that goes on beside it. */
const LONG = `canary long ${'x'.repeat(8_000)}`
/** As most people have it. */
const COMMON_UMASK = ['sh', '-c', 'umask 022; exec "$@"', 'sh']

let scene: Scene
let proxies: RecordingProxy[] = []
let secrets: Readonly<Record<string, string | Uint8Array>> = {}
const whileRunning = new Map<string, Map<string, OnDisk>>()
let passedOn = { before: 0, after: 0 }
let complaints: Readonly<Record<string, string>> = {}
/** Where the people can be reached: theirs to tell, so it is on the wire and on disk, but in no log. */
let places: Readonly<Record<string, string>> = {}

function portOf(address: string): number {
  return Number(/\/tcp\/(\d+)/.exec(address)?.[1])
}

/** Every form in which an account might show. */
function formsOf(name: string, account: string): Record<string, string | Uint8Array> {
  const key = decodeAccount(account)
  const id = accountId(native, key)
  const forms = {
    account,
    key,
    'key in hex': toHex(key),
    'key in base64': base64urlnopad.encode(key),
    id,
    'id in hex': toHex(id),
  }
  return Object.fromEntries(Object.entries(forms).map(([form, value]) => [`${form} of ${name}`, value]))
}

/** A rendezvous node that is known by the address of the proxy only. */
async function hiddenRendezvous(proxy: RecordingProxy): Promise<string> {
  const first = await scene.bootstrap()
  const [listen] = first.ready.addresses
  await first.signal('SIGTERM')
  proxy.target = portOf(listen)
  const announce = `/ip4/127.0.0.1/tcp/${proxy.port}`
  const words = ['--listen', listen.slice(0, listen.indexOf('/p2p/')), '--announce', announce, '-v']
  const { ready } = await scene.bootstrap(words, { before: COMMON_UMASK })
  expect(ready.addresses).toEqual([`${announce}/p2p/${ready.peerId}`])
  return ready.addresses[0]
}

async function settle(name: string, claimed: string): Promise<Person> {
  const person = scene.person(name)
  await scene.run(['--home', person.home, 'init', '--no-passphrase', '--name', claimed], { before: COMMON_UMASK })
  return person
}

beforeAll(async () => {
  scene = await openScene()
  const [toRendezvous, toAda] = await Promise.all([createRecordingProxy(), createRecordingProxy()])
  proxies = [toRendezvous, toAda]
  const [rendezvous, ada, bob] = await Promise.all([
    hiddenRendezvous(toRendezvous),
    settle('ada', SAID['the name ada gives herself']),
    settle('bob', SAID['the name bob gives himself']),
  ])
  const loud = { before: COMMON_UMASK, env: { DEBUG: '*' } }
  const node = await ada.up(['-v', '--listen', LOOPBACK, '--bootstrap', rendezvous], loud)
  toAda.target = portOf(node.ready.addresses[0])
  const started = await scene.run(['--home', bob.home, '--json', '-v', 'up', '--detach', '--listen', LOOPBACK], loud)
  expect(started.code).toBe(0)

  // bob knows nobody but ada, and her at the address of the proxy
  const address = multiaddr(`/ip4/127.0.0.1/tcp/${toAda.port}/p2p/${node.ready.peerId}`).bytes
  const link = encodeInvite({ ...decodeLink(await linkOf(ada)), addresses: [address] })
  await bob.ask('add', link, '--as', SAID['what bob calls ada'], '--hello', SAID['the greeting'])
  const { account } = await requestOf(ada)
  await ada.ask('accept', account, '--as', SAID['what ada calls bob'])
  await deliver(bob, SAID['what bob calls ada'], SAID['the text of bob'])
  await deliver(ada, SAID['what ada calls bob'], SAID['the text of ada'])
  const passed = (): number => Buffer.concat(toAda.recorded()).length
  const before = passed()
  await deliver(bob, SAID['what bob calls ada'], LONG)
  passedOn = { before, after: passed() }

  secrets = {
    ...SAID,
    'the long text': LONG.slice(0, 20),
    ...formsOf('ada', node.ready.account),
    ...formsOf('bob', account),
  }
  const { peerId, addresses } = JSON.parse(started.stdout) as { peerId: string; addresses: readonly [string] }
  places = {
    'the peer id of ada': node.ready.peerId,
    'the peer id of bob': peerId,
    ...Object.fromEntries(
      [portOf(node.ready.addresses[0]), portOf(addresses[0]), toAda.port].flatMap((port) => [
        [`the port ${port} in an address`, `/tcp/${port}`],
        [`the port ${port} of a host`, `:${port}`],
      ]),
    ),
  }
  for (const name of ['ada', 'bob', 'rendezvous'])
    whileRunning.set(name, await everythingIn(join(scene.directory, name)))
  await bob.ask('down')
  await node.signal('SIGTERM')
  complaints = {
    'the standard error of ada': node.complaint(),
    'the log of bob': await readFile(join(bob.home, 'log', 'sotto.log'), 'utf8'),
  }
})

afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()))
  await scene[Symbol.asyncDispose]()
})

/** Where something secret lies, by file. */
function leaks(files: ReadonlyMap<string, OnDisk>): string[] {
  return [...files].flatMap(([path, { bytes }]) => {
    const named = findIn(Buffer.from(path), secrets).map((name) => `${path} is named after ${name}`)
    return [...named, ...findIn(bytes, secrets).map((name) => `${path} holds ${name}`)]
  })
}

describe('names, texts and accounts', () => {
  test('are what the command line shows, so that this would find them', async () => {
    const texts = await textsOf(scene.person('ada'), SAID['what ada calls bob'])
    expect(findIn(Buffer.from(JSON.stringify(texts)), SAID)).toEqual([
      'the greeting',
      'the text of bob',
      'the text of ada',
    ])
  })

  test('are in no file of a home, neither while the node runs nor after', async () => {
    for (const [name, files] of whileRunning) {
      expect([...files.keys()].length).toBeGreaterThan(2)
      expect(leaks(files)).toEqual([])
      expect(leaks(await everythingIn(join(scene.directory, name)))).toEqual([])
    }
  })

  test('are not on the wire', () => {
    // the recorder sees what is sent in clear, and the conversation went through it
    for (const proxy of proxies) {
      expect(findIn(Buffer.concat(proxy.recorded()), { greeting: '/multistream/1.0.0' })).toEqual(['greeting'])
      for (const stream of proxy.recorded()) expect(findIn(stream, secrets)).toEqual([])
    }
    expect(passedOn.after - passedOn.before).toBeGreaterThan(LONG.length)
  })

  test('are in no log at its most verbose', () => {
    for (const [name, text] of Object.entries(complaints)) {
      expect(text, name).toMatch(/ debug |"level":"debug"/)
      expect(findIn(Buffer.from(text), { ...secrets, ...places }), name).toEqual([])
    }
  })
})

test('what a home holds is closed to everybody else, whatever the umask of the shell', () => {
  const open = [...whileRunning].flatMap(([name, files]) =>
    [...files].flatMap(([path, { kind, mode }]) =>
      mode === (kind === 'directory' ? 0o700 : 0o600) ? [] : [`${name}/${path} ${mode.toString(8)}`],
    ),
  )
  expect(open).toEqual([])
  for (const path of ['config.json', 'log/sotto.log', 'sotto.sock'])
    expect(whileRunning.get('bob')?.has(path), path).toBe(true)
})
