import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Bootstrap, createBootstrap } from '../../node/bootstrap.ts'
import { type Contact, createAccount, createNode, type Node } from '../../node/index.ts'
import { canMount, mountSmallDisk, type SmallDisk } from '../support/small-disk.ts'
import { untilShown } from '../support/until-shown.ts'

const LOOPBACK = '/ip4/127.0.0.1/tcp/0'
const WITHIN_MS = 25_000
const MIB = 1 << 20

let directory = ''
let stack: AsyncDisposableStack

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sotto-full-'))
  stack = new AsyncDisposableStack()
})

afterEach(async () => {
  await stack.disposeAsync()
  await rm(directory, { recursive: true, force: true })
})

/** A disk that outlives whoever works on it. */
function smallDisk(): SmallDisk {
  return stack.use(mountSmallDisk(8 * MIB))
}

/** A node that can be stopped and started again. */
interface Home {
  readonly directory: string
  node: Node
  again(): Promise<void>
}

async function startHome(name: string, place: string, bootstrap: readonly string[]): Promise<Home> {
  const home = join(place, name)
  await createAccount({ directory: home, noPassphrase: true, name })
  const open = (): Promise<Node> =>
    createNode({ directory: home, bootstrap, listen: [LOOPBACK], delivery: 'mailbox', waitForLockMs: 5_000 })
  const self: Home = {
    directory: home,
    node: await open(),
    async again() {
      await self.node.stop()
      self.node = await open()
    },
  }
  stack.defer(() => self.node.stop())
  return self
}

const until = (node: Node, condition: () => Promise<boolean>): Promise<void> => untilShown(node, condition, WITHIN_MS)

async function onlyContact({ node }: Home): Promise<Contact> {
  const [contact] = await node.contacts.list()
  if (contact === undefined) throw new Error('nobody is there')
  return contact
}

interface Friends {
  readonly ada: Home
  readonly bob: Home
  readonly mailbox: Bootstrap
}

/** Ada and Bob accepted each other, and Bob's mail may wait at a mailbox; each of the three in a place of its own. */
async function friends(places: { ada?: string; bob?: string; mailbox?: string } = {}): Promise<Friends> {
  const mailbox = stack.use(
    await createBootstrap({
      listen: [LOOPBACK],
      directory: join(places.mailbox ?? directory, 'mailbox'),
      mailbox: true,
      limits: 'mesh',
    }),
  )
  const [where = ''] = mailbox.addresses()
  const ada = await startHome('ada', places.ada ?? directory, [where])
  const bob = await startHome('bob', places.bob ?? directory, [where])
  const { link } = await ada.node.invite()
  const asked = bob.node.contacts.add(link)
  await until(ada.node, async () => (await ada.node.contacts.requests()).length > 0)
  const [request] = await ada.node.contacts.requests()
  await ada.node.contacts.accept(request?.id ?? '')
  await asked
  await until(bob.node, async () => (await onlyContact(bob)).state === 'accepted')
  await bob.node.mailboxes.use(where)
  await until(bob.node, async () => {
    const [mine] = await bob.node.mailboxes.list()
    return mine?.state === 'ready' && mine.contacts === 1
  })
  // the news of where mail may be left have arrived with what is acknowledged
  await deliver(bob, 'where mail may be left')
  return { ada, bob, mailbox }
}

async function deliver(from: Home, text: string): Promise<void> {
  const message = await from.node.send((await onlyContact(from)).id, text)
  await message.reached('delivered', { signal: AbortSignal.timeout(WITHIN_MS) })
}

/** The texts that the other one wrote, or with `own` those of this side. */
async function texts(home: Home, { own = false } = {}): Promise<(string | undefined)[]> {
  const messages = await home.node.messages((await onlyContact(home)).id, { last: 10_000 })
  const self = home.node.identity.account
  return messages.filter(({ from }) => (from === self) === own).map(({ text }) => text)
}

/** Sends long texts until the disk refuses one; gives those that were accepted. */
async function sendUntilRefused(from: Home, prefix: string): Promise<string[]> {
  const { id } = await onlyContact(from)
  for (const accepted: string[] = []; ; ) {
    const text = `${prefix} ${accepted.length} ${'.'.repeat(2_000)}`
    try {
      await from.node.send(id, text)
      accepted.push(text)
    } catch (error) {
      expect(error).toMatchObject({ name: 'NodeError', code: 'storage' })
      return accepted
    }
  }
}

describe.skipIf(!canMount)('a disk that is full (needs a file system of its own, so the superuser)', () => {
  test("at the sender's: a text is refused, what was accepted arrives, and so does what is written when there is room", async () => {
    const disk = smallDisk()
    const { ada, bob } = await friends({ ada: disk.directory })
    disk.fill(65_536)
    const accepted = await sendUntilRefused(ada, 'before')
    await expect(ada.node.send((await onlyContact(ada)).id, 'x'.repeat(4_000))).rejects.toMatchObject({
      code: 'storage',
    })
    disk.free()
    await deliver(ada, 'there is room')
    const all = [...accepted, 'there is room']
    expect(await texts(bob)).toEqual(all)
    await ada.again()
    expect(await texts(ada, { own: true })).toEqual(all)
    await deliver(ada, 'after a start')
    expect(await texts(bob)).toEqual([...all, 'after a start'])
  }, 90_000)

  test("at the recipient's: nothing is called delivered that is not there, and it comes when there is room", async () => {
    const disk = smallDisk()
    const { ada, bob } = await friends({ bob: disk.directory })
    disk.fill(16_384)
    const { id } = await onlyContact(ada)
    const written = Array.from({ length: 40 }, (_, i) => `${i} ${'.'.repeat(2_000)}`)
    const sent = await Promise.all(written.map((text) => ada.node.send(id, text)))
    const back = await sendUntilRefused(bob, 'back')
    const delivered = (await ada.node.messages(id, { last: 100 })).filter(({ state }) => state === 'delivered')
    const there = await texts(bob)
    const own = delivered.filter(({ from }) => from === ada.node.identity.account)
    expect(own.filter(({ text }) => !there.includes(text))).toEqual([])
    disk.free()
    for (const message of sent) await message.reached('delivered', { signal: AbortSignal.timeout(60_000) })
    expect(await texts(bob)).toEqual(written)
    await bob.again()
    expect(await texts(bob)).toEqual(written)
    await deliver(bob, 'and back')
    expect((await texts(ada)).slice(1)).toEqual([...back, 'and back'])
  }, 120_000)

  test('at a mailbox: no receipt for what it cannot keep, and everything that has one is handed out', async () => {
    const disk = smallDisk()
    const { ada, bob, mailbox } = await friends({ mailbox: disk.directory })
    await bob.node.stop()
    await until(ada.node, async () => (await onlyContact(ada)).rung === 'mailbox')
    const { id } = await onlyContact(ada)
    await (await ada.node.send(id, 'first')).reached('stored', { signal: AbortSignal.timeout(WITHIN_MS) })
    disk.fill()
    const [second, third] = await Promise.all([
      ada.node.send(id, `second ${'.'.repeat(3_000)}`),
      ada.node.send(id, `third ${'.'.repeat(3_000)}`),
    ])
    await expect(second.reached('stored', { signal: AbortSignal.timeout(2_000) })).rejects.toThrow()
    expect(mailbox.status().dropped['mailbox: the disk refused a write']).toBeGreaterThan(0)
    disk.free()
    for (const message of [second, third]) await message.reached('stored', { signal: AbortSignal.timeout(60_000) })
    await ada.node.stop()
    await bob.again()
    await until(bob.node, async () => (await texts(bob)).length === 3)
    expect((await texts(bob)).map((text) => text?.slice(0, 5))).toEqual(['first', 'secon', 'third'])
  }, 120_000)

  test('a home on a disk that lets nobody write is refused, and whole when it is writable again', async () => {
    const disk = smallDisk()
    const { ada, bob } = await friends({ ada: disk.directory })
    await deliver(ada, 'kept')
    await ada.node.stop()
    disk.lock()
    await expect(createNode({ directory: ada.directory, network: 'none' })).rejects.toMatchObject({ code: 'storage' })
    disk.unlock()
    await ada.again()
    expect(await texts(ada, { own: true })).toEqual(['kept'])
    await deliver(ada, 'again')
    expect(await texts(bob)).toEqual(['kept', 'again'])
  }, 90_000)
})
