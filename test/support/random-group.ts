import { compareBytes, equalBytes, fromHex } from '../../lib/bytes.ts'
import { covers } from '../../lib/group/clock.ts'
import type { Entry } from '../../lib/group/log.ts'
import { newestOf, pastOf } from '../../lib/group/graph.ts'
import type { OperationId } from '../../lib/group/operation.ts'
import type { Content, OperationKind } from '../../lib/group/operation-content.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { type Device, deviceOf, type Member, PREKEY, quick, recordOf, someone, TestGroup } from './groups.ts'

/** A group in which anybody does anything, from whatever they knew at some time, and what they know. */
export interface RandomGroup {
  readonly group: TestGroup
  readonly people: readonly Member[]
  /** Lets somebody do something that the rules of the graph allow, mostly. */
  step(who: Member, options?: { readonly backdated?: boolean }): void
}

export interface Shape {
  readonly people: number
  readonly operations: number
  readonly primitives?: Primitives
}

interface Knowledge {
  heads: readonly OperationId[]
  readonly last: Map<Device, OperationId>
}

function isOf({ operation }: Entry, device: Device): boolean {
  return equalBytes(operation.did, device.named.did)
}

/** How often each is done. */
const KINDS: readonly OperationKind[] = Object.entries({
  add: 20,
  remove: 8,
  card: 6,
  leave: 2,
  transfer: 1,
  info: 2,
  settings: 1,
}).flatMap(([kind, times]) => Array.from({ length: times }, () => kind as OperationKind))

const ADDING: ReadonlySet<OperationKind> = new Set(['add', 'transfer'])

/** People who add, remove, promote, demote, leave, transfer, renew their devices and lie about the past, by the dice. */
export function randomGroup(
  draw: (below: number) => number,
  { people: count, operations, primitives }: Shape,
): RandomGroup {
  const people = Array.from({ length: count }, (_, i) => someone(`person ${i}`, primitives ?? quick))
  const [owner] = people
  if (owner === undefined) throw new Error('a group needs somebody')
  const group = new TestGroup(owner)
  const knowledge = new Map<Member, Knowledge>(
    people.map((who) => [who, { heads: [group.graph.gid], last: new Map() }]),
  )
  const of = (who: Member): Knowledge => knowledge.get(who) as Knowledge
  of(owner).last.set(owner.devices[0] as Device, group.graph.gid)

  const pick = <T>(from: readonly T[]): T => from[draw(from.length)] as T
  const entries = (): readonly Entry[] => group.graph.log.entries

  function meet(a: Member, b: Member): void {
    const heads = newestOf(group.graph, [...of(a).heads, ...of(b).heads])
    of(a).heads = heads
    if (draw(2) === 0) of(b).heads = heads
  }

  function write(
    who: Member,
    device: Device,
    content: Content,
    parents: readonly OperationId[],
    previous: OperationId | null,
  ): boolean {
    const id = group.write(who, content, { device, parents: parents.slice(0, 16), previous })
    if (group.outcome.kind !== 'applied') return false
    of(who).last.set(device, id)
    of(who).heads = newestOf(group.graph, [...of(who).heads, id])
    return true
  }

  function contentFor(who: Member, heads: readonly OperationId[]): Content {
    const past = pastOf(group.graph, heads)
    const adds = entries().filter((entry) => ADDING.has(entry.operation.content.kind) && covers(past, entry))
    const account = pick(people).key.publicKey
    const kind = pick(KINDS)
    switch (kind) {
      case 'leave':
        return { kind }
      case 'transfer': {
        const named = adds.map(({ subject }) => subject)
        return { kind, account: named.length === 0 ? account : fromHex(pick(named)) }
      }
      case 'info':
        return { kind, name: `name ${draw(1000)}` }
      case 'settings':
        return { kind, timer: draw(1000) }
      case 'card':
        return { kind, record: who.record, prekey: PREKEY, route: null }
      case 'remove': {
        const ids = new Set(adds.length === 0 ? [] : Array.from({ length: 1 + draw(2) }, () => pick(adds).id))
        if (ids.size > 0) return { kind, adds: [...ids].map(fromHex).sort(compareBytes) }
        break
      }
      default:
    }
    return { kind: 'add', account, role: draw(3) === 0 ? 'admin' : 'member' }
  }

  function renew(who: Member): Device {
    const device = deviceOf(who, who.devices.length + 1)
    const kept = draw(2) === 0 ? who.devices.slice(-1) : []
    who.record = recordOf(who, [...kept, device], who.record.seq + 1)
    who.devices.push(device)
    return device
  }

  function step(who: Member, { backdated = draw(5) === 0 }: { readonly backdated?: boolean } = {}): void {
    if (draw(3) > 0) meet(who, pick(people))
    const device = draw(25) === 0 ? renew(who) : draw(8) === 0 ? pick(who.devices) : (who.devices.at(-1) as Device)
    const own = of(who).last.get(device) ?? null
    const card: Content = { kind: 'card', record: who.record, prekey: PREKEY, route: null }
    if (own === null) {
      const add = entries().filter(({ subject }) => subject === who.account)
      if (add.length === 0 && who !== owner) return
      const heads = add.length > 0 && (backdated || draw(2) === 0) ? [pick(add).id] : of(who).heads
      write(who, device, card, heads, null)
      return
    }
    if (!backdated) {
      write(who, device, contentFor(who, [...of(who).heads, own]), of(who).heads, own)
      return
    }
    const previous = pick(entries().filter((entry) => isOf(entry, device)))
    const parents = Array.from({ length: draw(3) }, () => pick(entries()).id)
    write(who, device, contentFor(who, [previous.id, ...parents]), parents, previous.id)
  }

  for (let i = 0; group.operations.length < operations && i < 4 * operations; i++) {
    step(draw(3) === 0 ? owner : pick(people))
  }
  return { group, people, step }
}
