import { writeFileSync } from 'node:fs'
import { fromHex, toHex } from '../../lib/bytes.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { addOperation } from '../../lib/group/adding.ts'
import { emptyGraph, type Graph } from '../../lib/group/graph.ts'
import { type OperationId, operationId } from '../../lib/group/operation.ts'
import type { Content } from '../../lib/group/operation-content.ts'
import { viewOf } from '../../lib/group/view.ts'
import { encode } from '../../lib/wire.ts'
import { native } from '../../node/crypto.ts'
import { type Device, deviceOf, type Member, recordOf, someone, TestGroup } from '../support/groups.ts'

interface Telling {
  readonly group: TestGroup
  readonly people: Readonly<Record<'ada' | 'bob' | 'cyd' | 'dan' | 'eve', Member>>
  /** After which operations a view is frozen, and what it shows. */
  readonly views: { readonly shows: string; readonly first: number }[]
}

const add = (who: Member, role: 'member' | 'admin' = 'member'): Content => ({
  kind: 'add',
  account: who.key.publicKey,
  role,
})

/** A group in which everything happens that the resolver is asked about. */
function told(primitives: Primitives): Telling {
  const people = {
    ada: someone('ada', primitives),
    bob: someone('bob', primitives),
    cyd: someone('cyd', primitives),
    dan: someone('dan', primitives),
    eve: someone('eve', primitives),
  }
  const { ada, bob, cyd, dan, eve } = people
  const group = new TestGroup(ada, 'Vektoren ✓')
  const views: { shows: string; first: number }[] = []
  const shows = (what: string): number => views.push({ shows: what, first: group.operations.length })
  const prekey = encode([
    new Uint8Array(8).fill(7),
    new Uint8Array(32).fill(9),
    new Uint8Array(1184),
    1_800_000_000,
    1_800_777_600,
  ])
  const card = (
    who: Member,
    place: Parameters<TestGroup['write']>[2] = {},
    route: Uint8Array | null = null,
  ): OperationId => group.write(who, { kind: 'card', record: who.record, prekey, route }, place)

  card(ada, {}, new Uint8Array(40).fill(5))
  const ofBob = group.write(ada, add(bob, 'admin'))
  const cardOfBob = card(bob)
  const ofCyd = group.write(bob, add(cyd))
  card(cyd)
  const ofDan = group.write(ada, add(dan))
  group.write(bob, { kind: 'info', name: 'by an admin' })
  group.write(ada, { kind: 'settings', timer: 86_400 })
  shows('an owner, an admin, a member, and one who did not consent yet')

  const removed = group.write(bob, { kind: 'remove', adds: [fromHex(ofDan)] })
  group.write(bob, { kind: 'info', name: 'beside the removal' }, { parents: [], previous: ofCyd })
  group.write(cyd, add(eve))
  shows('a fork that voids a name and no removal, and an add by a member')

  group.write(bob, add(eve), { previous: removed, parents: [] })
  const appointed = group.write(ada, add(bob))
  group.write(ada, { kind: 'remove', adds: [fromHex(ofBob)] }, { parents: [removed, appointed] })
  group.write(bob, add(eve), { parents: [], previous: cardOfBob })
  group.write(bob, { kind: 'leave' }, { parents: [], previous: cardOfBob })
  shows('a demotion, after which backdated operations of the former admin mean nothing but that he left')

  group.write(
    eve,
    { kind: 'card', record: recordOf(eve, eve.devices, 1), prekey, route: null },
    { parents: [cardOfBob], previous: null },
  )
  group.write(cyd, { kind: 'leave' }, { lamport: 2 })
  shows('two operations that are refused: a card of somebody who was not added before it, and a wrong lamport')

  group.write(cyd, { kind: 'leave' })
  group.write(ada, add(cyd, 'admin'))
  shows('one who left and was added again, and did not consent again')

  card(cyd)
  const given = [...group.graph.heads]
  const last = group.last.get(toHex(ada.devices[0]?.named.did ?? new Uint8Array())) ?? ''
  group.write(ada, { kind: 'transfer', account: cyd.key.publicKey })
  const next = deviceOf(cyd, 2)
  const before = [...group.graph.heads]
  const renewed = { ...cyd, devices: [...cyd.devices, next], record: recordOf(cyd, [next], 2) }
  card(renewed, { parents: before, previous: null })
  group.write(renewed, { kind: 'settings', timer: 60 }, { device: cyd.devices[0] as never, parents: before })
  shows('a transfer, and a device of the new owner that is revoked beside what it did')

  group.write(ada, { kind: 'transfer', account: bob.key.publicKey }, { parents: given, previous: last })
  shows('two successors: the group is frozen')
  return { group, people: { ...people, cyd: renewed }, views }
}

function viewAfter({ group }: Telling, first: number): Graph {
  return group.operations
    .slice(0, first)
    .reduce((graph, { bytes }) => addOperation(group.primitives, graph, bytes).graph, emptyGraph(group.graph.gid))
}

function viewVector(telling: Telling, { shows, first }: Telling['views'][number]): object {
  const graph = viewAfter(telling, first)
  const view = viewOf(graph)
  if (view === null) throw new Error('no view')
  return {
    shows,
    first,
    refused: telling.group.operations
      .slice(0, first)
      .map(({ bytes }) => operationId(telling.group.primitives, bytes))
      .filter((id) => !graph.log.byId.has(id)),
    name: view.name,
    timer: view.timer,
    owner: view.owner,
    frozen: view.frozen?.successors ?? null,
    members: [...view.members].map(([account, { role, adds, card }]) => ({
      account,
      role,
      adds: adds.map(({ id }) => id).sort(),
      card: card?.id ?? null,
    })),
    exits: view.exits.map(({ account, add: ended, by }) => ({ account, add: ended, by: [...by].sort() })),
    revocations: view.revocations.map(({ account, did, by }) => ({ account, did, by: [...by].sort() })),
  }
}

/** Operations of one group, and what it is after some of them. The same for both implementations of the primitives. */
export function operationVectors(primitives: Primitives): object {
  const telling = told(primitives)
  const wrote = new Set(telling.group.operations.map(({ did }) => toHex(did)))
  const isAuthor = ({ named }: Device): boolean => wrote.has(toHex(named.did))
  return {
    about:
      'Operations of a group in the order in which they came, and the group after the first so many of them. Keys are Ed25519 seeds.',
    people: Object.entries(telling.people).map(([name, { key, account, devices }]) => ({
      name,
      seed: toHex(key.exportSeed()),
      account,
      devices: devices.filter(isAuthor).map((device) => ({
        did: toHex(device.named.did),
        seed: toHex(device.key.exportSeed()),
        key: toHex(device.key.publicKey),
      })),
    })),
    operations: telling.group.operations.map(({ bytes }) => ({
      id: operationId(primitives, bytes),
      bytes: toHex(bytes),
    })),
    views: telling.views.map((each) => viewVector(telling, each)),
  }
}

if (import.meta.main) {
  const vectors = JSON.stringify(operationVectors(native), null, 1)
  writeFileSync(new URL('group-operations.json', import.meta.url), `${vectors}\n`)
}
