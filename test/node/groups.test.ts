import { expect, test } from 'vitest'
import { createMesh } from '../../node/mesh/index.ts'

/** Whoever adds somebody to a group chooses how it is called there. */
test('a group whose name is the account of a contact, or the beginning of it, does not pass for the contact', async () => {
  await using mesh = await createMesh({ nodes: 3, network: 'simulated', contacts: true, seed: 11 })
  const [alice, bob] = [mesh.person('alice'), mesh.person('bob')]
  const account = mesh.person('carol').identity.account
  const names = [account, account.slice(0, 20), 'bob']
  for (const name of names) await bob.groups.create(name, ['alice'])
  await mesh.settled()
  const groups = await alice.groups.list()
  expect(groups.map(({ name }) => name).sort()).toEqual([...names].sort())
  for (const who of [account, account.slice(0, 20)]) {
    expect(await alice.contacts.resolve(who)).toMatchObject({ petname: 'carol' })
    expect(await alice.send(who, 'for carol alone')).toMatchObject({ conversation: account })
  }
  expect(await alice.send('bob', 'for bob alone')).toMatchObject({ conversation: bob.identity.account })
  const third = groups.find(({ name }) => name === 'bob')
  expect(await alice.groups.info(third?.id.slice(0, 8) ?? '')).toMatchObject({ id: third?.id })
})

test('what happened to a group says who was added, who has another role, and who is out', async () => {
  await using mesh = await createMesh({ nodes: 3, network: 'simulated', contacts: true, seed: 12 })
  const { groups } = mesh.person('alice')
  const { id } = await groups.create('trip', ['bob', 'carol'])
  await mesh.settled()
  await groups.role(id, 'bob', 'admin')
  await groups.role(id, 'bob', 'member')
  await groups.configure(id, { expires: 86_400_000 })
  await groups.rename(id, 'Rome')
  await groups.remove(id, ['bob'])
  await groups.add(id, ['bob'], { role: 'admin' })
  await groups.transfer(id, 'carol')
  await mesh.settled()
  const named = new Map([...mesh.people].map(([name, node]) => [node.identity.account, name]))
  const said = (await mesh.person('alice').messages(id)).map(({ from, kind, change }) => {
    const { accounts = [], role, name, timer, what } = change ?? { what: kind }
    return [named.get(from), what, ...accounts.map((each) => named.get(each)), role ?? name ?? timer ?? ''].join(' ')
  })
  expect(said.filter((line) => !line.includes('joined'))).toEqual([
    'alice created trip',
    'alice added bob member',
    'alice added carol member',
    'alice role bob admin',
    'alice role bob member',
    'alice timer 86400000',
    'alice named Rome',
    'alice removed bob ',
    'alice added bob admin',
    'alice owner carol ',
  ])
  // whoever made the group did not join it
  expect([...new Set(said.filter((line) => line.includes('joined')))].sort()).toEqual(['bob joined ', 'carol joined '])
})

test('whoever leaves and is added as an admin joins anew, and is demoted in one sentence', async () => {
  await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed: 14 })
  const { groups } = mesh.person('alice')
  const { id } = await groups.create('trip', ['bob'])
  await mesh.settled()
  await mesh.person('bob').groups.leave(id)
  await mesh.advance(60_000)
  await groups.add(id, ['bob'], { role: 'admin' })
  await mesh.settled()
  await groups.role(id, 'bob', 'member')
  await mesh.settled()
  for (const name of ['alice', 'bob']) {
    const said = (await mesh.person(name).messages(id)).map(({ change }) =>
      `${change?.what} ${change?.role ?? ''}`.trim(),
    )
    const since = ['added member', 'joined', 'left', 'added admin', 'joined', 'role member']
    expect([name, ...said]).toEqual([name, ...(name === 'alice' ? ['created'] : []), ...since])
  }
})

test('a group that goes is told as a group, and counted in the status while it is there', async () => {
  await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed: 13 })
  const node = mesh.person('alice')
  const { id } = await node.groups.create('trip', ['bob'])
  await mesh.settled()
  expect(await node.status()).toMatchObject({ groups: { joined: 1, requested: 0 }, contacts: { total: 1 } })
  expect(await mesh.person('bob').groups.info('trip')).toMatchObject({ id, role: 'member' })
  await mesh.person('bob').groups.leave('trip')
  await mesh.settled()
  const told: string[] = []
  const over = new AbortController()
  const following = (async () => {
    for await (const event of mesh.person('bob').events({ signal: over.signal }))
      if (event.kind === 'group-removed' || event.kind === 'removed') told.push(JSON.stringify(event))
  })()
  await mesh.person('bob').groups.decline('trip')
  await mesh.settled()
  over.abort()
  await following
  expect(told).toEqual([JSON.stringify({ kind: 'group-removed', group: id })])
  expect(await mesh.person('bob').groups.list()).toEqual([])
})
