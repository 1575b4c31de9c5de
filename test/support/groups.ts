import { compareBytes, fromHex, toHex, utf8 } from '../../lib/bytes.ts'
import type { Primitives, SigningKey } from '../../lib/crypto/primitives.ts'
import { addOperation, type Outcome } from '../../lib/group/adding.ts'
import { emptyGraph, find, type Graph } from '../../lib/group/graph.ts'
import { type Operation, type OperationId, operationId, signOperation } from '../../lib/group/operation.ts'
import type { Content } from '../../lib/group/operation-content.ts'
import type { GroupView } from '../../lib/group/view.ts'
import { type AccountDevice, type AccountRecord, signAccountRecord } from '../../lib/identity/account-record.ts'
import { encode } from '../../lib/wire.ts'
import { insecurePrimitives } from '../../node/mesh/simulated/primitives.ts'

/** Signatures that cost a hash: what differs in key or message has another one. */
export const quick: Primitives = insecurePrimitives()

export const NOW = 1_800_000_000_000

/** A prekey that can be read and is worth nothing. */
export const PREKEY: Uint8Array = encode([
  new Uint8Array(8),
  new Uint8Array(32),
  new Uint8Array(1184),
  1_800_000_000,
  1_800_086_400,
])

const KEYS = new Map<string, SigningKey>()

/** Making a key costs more than whatever else a test does with it. */
function keyOf(primitives: Primitives, name: string): SigningKey {
  const known = KEYS.get(`${primitives.name} ${name}`)
  if (known !== undefined) return known
  const key = primitives.signing.fromSeed(primitives.sha256(utf8(name)))
  KEYS.set(`${primitives.name} ${name}`, key)
  return key
}

export interface Device {
  readonly named: AccountDevice
  readonly key: SigningKey
}

/** Somebody with an account whose devices come and go. */
export interface Member {
  readonly primitives: Primitives
  readonly key: SigningKey
  /** AK_0 in hexadecimal. */
  readonly account: string
  record: AccountRecord
  devices: Device[]
}

/** Everything follows from the name. */
export function someone(name: string, primitives: Primitives = quick): Member {
  const key = keyOf(primitives, `account ${name}`)
  const member = { primitives, key, account: toHex(key.publicKey), devices: [] as Device[] }
  const device = deviceOf(member, 1)
  return { ...member, devices: [device], record: recordOf(member, [device], 1) }
}

/** The device of that number: an account has the same ones however often it is made. */
export function deviceOf({ primitives, account }: Pick<Member, 'primitives' | 'account'>, number: number): Device {
  const bytes = (what: string): Uint8Array => primitives.sha256(utf8(`${what} ${number} of ${account}`))
  const key = keyOf(primitives, `DSK ${number} of ${account}`)
  return { key, named: { did: bytes('did').slice(0, 16), dsk: key.publicKey, ik: bytes('IK'), added: number } }
}

export function recordOf(
  { primitives, key }: Pick<Member, 'primitives' | 'key'>,
  devices: readonly Device[],
  seq: number,
): AccountRecord {
  const content = {
    account: key.publicKey,
    epoch: 0,
    seq,
    next: primitives.sha256(key.publicKey),
    devices: devices.map(({ named }) => named),
  }
  return signAccountRecord(primitives, key, content, NOW)
}

function newestDevice({ devices }: Member): Device {
  const device = devices.at(-1)
  if (device === undefined) throw new Error('no device')
  return device
}

export interface Place {
  readonly parents: readonly OperationId[]
  readonly previous: OperationId | null
  /** Beside the graph's own, to be wrong. */
  readonly lamport?: number
}

/** An operation behind others of a graph, signed by a device. */
export function written(graph: Graph, author: Member, device: Device, content: Content, place: Place): Operation {
  const { parents, previous } = place
  const follows = [...parents, ...(previous === null ? [] : [previous])]
  const heights = follows.map((id) => find(graph, id)?.operation.lamport ?? 0)
  const first = content.kind === 'create'
  return signOperation(author.primitives, device.key, {
    gid: first ? new Uint8Array() : fromHex(graph.gid),
    parents: [...new Set(parents)]
      .filter((id) => id !== previous)
      .map(fromHex)
      .sort(compareBytes),
    previous: previous === null ? new Uint8Array() : fromHex(previous),
    account: author.key.publicKey,
    did: device.named.did,
    lamport: place.lamport ?? (first ? 0 : 1 + Math.max(0, ...heights)),
    content,
    sentAt: NOW,
  })
}

/** A group that grows by what people do in it. Each writes behind what the test says, else behind everything. */
export class TestGroup {
  readonly primitives: Primitives
  readonly operations: Operation[] = []
  /** The newest operation of each device, by did in hexadecimal. */
  readonly last: Map<string, OperationId> = new Map()
  graph: Graph
  outcome: Outcome = { kind: 'known' }

  constructor(owner: Member, name = 'a group') {
    this.primitives = owner.primitives
    const [device] = owner.devices
    if (device === undefined) throw new Error('no device')
    const salt = new Uint8Array(16)
    const create = written(
      emptyGraph(''),
      owner,
      device,
      { kind: 'create', name, record: owner.record, salt },
      { parents: [], previous: null },
    )
    this.graph = emptyGraph(operationId(this.primitives, create.bytes))
    this.add(create)
  }

  /** Offers an operation and keeps it. Returns its id. */
  add(operation: Operation): OperationId {
    const id = operationId(this.primitives, operation.bytes)
    const { graph, outcome } = addOperation(this.primitives, this.graph, operation.bytes)
    this.graph = graph
    this.outcome = outcome
    this.operations.push(operation)
    if (outcome.kind === 'applied') this.last.set(toHex(operation.did), id)
    return id
  }

  /** Lets somebody do something, behind all heads and the own last operation unless told otherwise. */
  write(author: Member, content: Content, place: Partial<Place> & { device?: Device } = {}): OperationId {
    const device = place.device ?? newestDevice(author)
    const own = this.last.get(toHex(device.named.did)) ?? null
    return this.add(
      written(this.graph, author, device, content, {
        parents: place.parents ?? [...this.graph.heads].slice(0, 16),
        previous: place.previous === undefined ? own : place.previous,
        ...(place.lamport === undefined ? {} : { lamport: place.lamport }),
      }),
    )
  }

  card(author: Member, place: Partial<Place> & { device?: Device } = {}): OperationId {
    return this.write(author, { kind: 'card', record: author.record, prekey: PREKEY, route: null }, place)
  }

  invite(author: Member, who: Member, role: 'member' | 'admin' = 'member', place: Partial<Place> = {}): OperationId {
    return this.write(author, { kind: 'add', account: who.key.publicKey, role }, place)
  }

  /** Adds somebody who consents at once. Returns the id of the add. */
  join(author: Member, who: Member, role: 'member' | 'admin' = 'member'): OperationId {
    const add = this.invite(author, who, role)
    this.card(who)
    return add
  }

  remove(author: Member, adds: readonly OperationId[], place: Partial<Place> = {}): OperationId {
    return this.write(author, { kind: 'remove', adds: adds.map(fromHex).sort(compareBytes) }, place)
  }
}

/** What of a view can be compared and printed. */
export function summary(view: GroupView | null): unknown {
  if (view === null) return null
  const { name, timer, owner, frozen, members, exits, revocations } = view
  return {
    name,
    timer,
    owner,
    frozen,
    members: [...members]
      .map(([account, { role, adds, card }]) => ({
        account,
        role,
        adds: adds.map((add) => `${add.role} ${add.id}`).sort(),
        card: card?.id ?? null,
      }))
      .sort((a, b) => (a.account < b.account ? -1 : 1)),
    exits: exits.map(({ add, account, by }) => `${add} of ${account} by ${[...by].sort().join()}`).sort(),
    revocations: revocations.map(({ account, did, by }) => `${did} of ${account} by ${[...by].sort().join()}`).sort(),
  }
}
