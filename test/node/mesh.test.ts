import { describe, expect, test } from 'vitest'
import { createMesh, type Mesh } from '../../node/mesh/index.ts'

const names = ['alice', 'bob', 'carol'] as const

/** What somebody reads of a conversation: their own texts behind `>`. */
async function texts(mesh: Mesh, reader: string, other: string): Promise<string[]> {
  const node = mesh.person(reader)
  const messages = await node.messages(other, { last: 1_000 })
  return messages.map(({ from, text }) => `${from === node.identity.account ? '>' : ''}${text}`)
}

/** Everybody writes so many messages to everybody who is named. */
async function writeAround(
  mesh: Mesh,
  writers: readonly string[],
  readers: readonly string[],
  count: number,
  about = '',
): Promise<void> {
  for (let i = 1; i <= count; i++) {
    for (const writer of writers) {
      for (const reader of readers) {
        if (writer !== reader) await mesh.person(writer).send(reader, `${about}${writer} to ${reader} ${i}`)
      }
    }
  }
}

function numbered(writer: string, reader: string, count: number, about = ''): string[] {
  return Array.from({ length: count }, (_, i) => `${about}${writer} to ${reader} ${i + 1}`)
}

const isOwn = (text: string): boolean => text.startsWith('>')

describe.each(['memory', 'tcp'] as const)('three people on the %s transport', (network) => {
  test('write in all directions: everything arrives once and in order, also what one of them slept through', async () => {
    await using mesh = await createMesh({ nodes: names, network, contacts: true })
    await mesh.settled()
    await writeAround(mesh, names, names, 5)
    await mesh.settled()
    for (const reader of names) {
      for (const writer of names) {
        if (reader === writer) continue
        const read = await texts(mesh, reader, writer)
        expect(read.filter((text) => !isOwn(text))).toEqual(numbered(writer, reader, 5))
        expect(read).toEqual(
          (await texts(mesh, writer, reader)).map((text) => (isOwn(text) ? text.slice(1) : `>${text}`)),
        )
      }
    }

    await mesh.stop('carol')
    await writeAround(mesh, ['alice', 'bob'], names, 20, 'later ')
    await mesh.settled()
    expect((await mesh.person('alice').status()).queued).toBe(20)
    await mesh.start('carol', { moved: true })
    await mesh.settled()
    for (const writer of ['alice', 'bob']) {
      const read = await texts(mesh, 'carol', writer)
      expect(read.filter((text) => !isOwn(text))).toEqual([
        ...numbered(writer, 'carol', 5),
        ...numbered(writer, 'carol', 20, 'later '),
      ])
      expect((await mesh.person(writer).status()).queued).toBe(0)
    }
    await mesh.person('carol').send('alice', 'I am back')
    await mesh.settled()
    expect((await texts(mesh, 'alice', 'carol')).at(-1)).toBe('I am back')
  })
})

describe('people of a mesh', () => {
  test('become contacts by invite, request and accept, and read the same safety number', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'memory' })
    const [alice, bob] = [mesh.person('alice'), mesh.person('bob')]
    const { link } = await alice.invite()
    expect((await bob.contacts.add(link, { petname: 'alice', hello: 'It is Bob.' })).state).toBe('pending')
    await mesh.settled()
    const [request, ...others] = await alice.contacts.requests()
    expect(others).toEqual([])
    expect(request).toMatchObject({
      state: 'requested',
      hello: 'It is Bob.',
      claimedName: 'bob',
      account: bob.identity.account,
    })
    expect(await texts(mesh, 'bob', 'alice')).toEqual(['>It is Bob.'])

    await alice.contacts.accept(request?.account ?? '', { petname: 'bob' })
    await mesh.settled()
    expect(await bob.contacts.resolve('alice')).toMatchObject({ state: 'accepted', online: true, claimedName: 'alice' })
    expect(await texts(mesh, 'alice', 'bob')).toEqual(['It is Bob.'])
    const numbers = await Promise.all([alice.contacts.verify('bob'), bob.contacts.verify('alice')])
    expect(numbers[0].safetyNumber).toBe(numbers[1].safetyNumber)
    expect(numbers[0].safetyNumber).toMatch(/^(?:\d{5} ){11}\d{5}$/)
  })

  test('who is declined hears nothing', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'memory' })
    const [alice, bob] = [mesh.person('alice'), mesh.person('bob')]
    await bob.contacts.add((await alice.invite()).link, { petname: 'alice', hello: 'It is Bob.' })
    await mesh.settled()
    await alice.contacts.decline(bob.identity.account)
    await mesh.settled()
    expect(await alice.contacts.list()).toEqual([])
    expect(await bob.contacts.resolve('alice')).toMatchObject({ state: 'pending', online: false })
    expect((await bob.status()).queued).toBe(1)
  })

  test('who asked each other at the same time have accepted each other', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'memory' })
    const [alice, bob] = [mesh.person('alice'), mesh.person('bob')]
    const links = await Promise.all([alice.invite(), bob.invite()])
    await Promise.all([
      alice.contacts.add(links[1].link, { petname: 'bob', hello: 'from alice' }),
      bob.contacts.add(links[0].link, { petname: 'alice', hello: 'from bob' }),
    ])
    await mesh.settled()
    const read = await texts(mesh, 'alice', 'bob')
    expect(read.toSorted()).toEqual(['>from alice', 'from bob'])
    expect(await texts(mesh, 'bob', 'alice')).toEqual(read.map((text) => (isOwn(text) ? text.slice(1) : `>${text}`)))
  })

  test('who moved all at once find each other again', async () => {
    await using mesh = await createMesh({ nodes: names, network: 'tcp', contacts: true })
    await mesh.settled()
    await Promise.all(names.map((name) => mesh.stop(name)))
    await Promise.all(names.map((name) => mesh.start(name, { moved: true })))
    await mesh.settled()
    await mesh.person('alice').send('carol', 'here I am')
    await mesh.settled()
    expect(await texts(mesh, 'carol', 'alice')).toEqual(['here I am'])
  })

  test('find somebody who is reachable by the account alone', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'memory', public: 'reachable' })
    await mesh.settled()
    const [alice, bob] = [mesh.person('alice'), mesh.person('bob')]
    await bob.contacts.add(alice.identity.account, { petname: 'alice', hello: 'Found you.' })
    await mesh.settled()
    await alice.contacts.accept(bob.identity.account, { petname: 'bob' })
    await mesh.settled()
    expect(await texts(mesh, 'alice', 'bob')).toEqual(['Found you.'])
  })

  test('who is blocked gets silence, and what they write stays queued', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'memory', contacts: true })
    await mesh.settled()
    await mesh.person('alice').contacts.block('bob')
    await mesh.settled()
    const message = await mesh.person('bob').send('alice', 'are you there?')
    await mesh.settled()
    expect(await texts(mesh, 'alice', 'bob')).toEqual([])
    expect(await mesh.person('bob').message(message.id)).toMatchObject({ state: 'queued' })
    expect(await mesh.person('bob').contacts.resolve('alice')).toMatchObject({ online: false, state: 'accepted' })
    await mesh.stop('bob')
    await mesh.start('bob')
    await mesh.settled()
    expect(await texts(mesh, 'alice', 'bob')).toEqual([])
    expect((await mesh.person('bob').status()).queued).toBe(1)
  })

  test('in live mode nothing is kept for somebody who is away', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'memory', contacts: true, delivery: 'live' })
    await mesh.settled()
    await mesh.person('alice').send('bob', 'now')
    await mesh.stop('bob')
    await mesh.settled()
    await expect(mesh.person('alice').send('bob', 'later')).rejects.toMatchObject({ code: 'peer_away' })
    await mesh.stop('alice')
    await mesh.start('alice')
    expect(await texts(mesh, 'alice', 'bob')).toEqual(['>now'])
    expect((await mesh.person('alice').status()).queued).toBe(0)
    await mesh.start('bob')
    await mesh.settled()
    expect(await texts(mesh, 'bob', 'alice')).toEqual(['now'])
  })

  test('need the bootstrap node to find each other, but not to stay in touch', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'memory' })
    await mesh.introduce('alice', 'bob')
    await mesh.settled()
    await mesh.bootstrap.stop()
    await mesh.person('alice').send('bob', 'just us')
    await mesh.settled()
    for (const name of ['bob', 'alice']) {
      await mesh.stop(name)
      await mesh.person(name === 'bob' ? 'alice' : 'bob').send(name, `while ${name} was away`)
      await mesh.start(name)
      await mesh.settled()
    }
    expect(await texts(mesh, 'bob', 'alice')).toEqual(['just us', 'while bob was away', '>while alice was away'])
    expect((await mesh.person('alice').status()).queued).toBe(0)
  })

  test('see when what they wrote was read', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'memory', contacts: true })
    const message = await mesh.person('alice').send('bob', 'read me')
    await mesh.settled()
    expect(await mesh.person('alice').message(message.id)).toMatchObject({ state: 'delivered' })
    expect(await mesh.person('bob').read('alice')).toBe(1)
    await mesh.settled()
    expect(await mesh.person('alice').message(message.id)).toMatchObject({ state: 'read' })
  })
})

describe('a mesh', () => {
  test('ends in less than five seconds, with messages on their way', async () => {
    const mesh = await createMesh({ nodes: 3, network: 'memory', contacts: true })
    await writeAround(mesh, names, names, 3)
    const began = performance.now()
    await mesh[Symbol.asyncDispose]()
    expect(performance.now() - began).toBeLessThan(5_000)
    expect([...mesh.people.keys()]).toEqual([])
  })

  test('says what is missing when it does not settle', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'memory', contacts: true })
    await expect(mesh.settled({ signal: AbortSignal.abort() })).rejects.toThrow(/bob is not online for alice/)
  })

  test('gives people of the same seed the same accounts', async () => {
    const identities: string[] = []
    for (const seed of [7, 7, 8]) {
      await using mesh = await createMesh({ nodes: ['zoe'], network: 'memory', seed })
      identities.push(JSON.stringify(mesh.person('zoe').identity))
    }
    expect(identities[1]).toBe(identities[0])
    expect(identities[2]).not.toBe(identities[0])
  })

  test('knows nobody by a wrong name, and starts nobody twice', async () => {
    await using mesh = await createMesh({ nodes: 1, network: 'memory' })
    expect(() => mesh.person('mallory')).toThrow('nobody in this mesh is called mallory')
    await expect(mesh.start('alice')).rejects.toThrow('alice is up already')
    await mesh.stop('alice')
    expect(() => mesh.person('alice')).toThrow('alice is stopped')
    await expect(createMesh({ nodes: ['a', 'a'], network: 'memory' })).rejects.toThrow(
      'the names of a mesh are different',
    )
  })
})
