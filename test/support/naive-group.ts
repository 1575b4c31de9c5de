import { compareBytes, equalBytes, toHex } from '../../lib/bytes.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { verifySignature } from '../../lib/crypto/signed.ts'
import { decodeOperation, type Operation } from '../../lib/group/operation.ts'
import type { Content, OperationKind } from '../../lib/group/operation-content.ts'
import type { AccountRecord } from '../../lib/identity/account-record.ts'

/** An operation as the text of the protocol speaks of it. */
interface Op {
  readonly id: string
  readonly by: string
  readonly did: string
  readonly operation: Operation
  /** The ids of its parents and of all before them. */
  readonly past: ReadonlySet<string>
  /** The newest account record of the author in the past or in itself. */
  readonly record: AccountRecord
  /** DSK and IK of the device's first operation, in hexadecimal. */
  readonly keys: string
}

type Of<Kind extends OperationKind> = Extract<Content, { readonly kind: Kind }>

/**
 * Section 15 of docs/protocol.md once more, sentence by sentence and without any thought of time: pasts are sets of ids,
 * and everything is asked of everything. Gives what `summary` gives of a view.
 */
export function naiveSummary(primitives: Primitives, gid: string, all: readonly Uint8Array[]): unknown {
  const known = knownOf(primitives, gid, all)
  const create = known.get(gid)
  return create === undefined ? null : resolved([...known.values()], create)
}

function knownOf(primitives: Primitives, gid: string, all: readonly Uint8Array[]): ReadonlyMap<string, Op> {
  const left = new Map<string, Operation>()
  for (const bytes of all) {
    try {
      left.set(toHex(primitives.sha256(bytes)), decodeOperation(bytes))
    } catch {
      // no operation
    }
  }
  const known = new Map<string, Op>()
  for (let moved = true; moved; ) {
    moved = false
    for (const [id, operation] of left) {
      if (!idsOf(operation).every((parent) => known.has(parent))) continue
      left.delete(id)
      moved = true
      const op = accepted(primitives, gid, id, operation, known)
      if (op !== null) known.set(id, op)
    }
  }
  return known
}

function idsOf({ parents, previous }: Operation): readonly string[] {
  return [...parents, previous].filter((id) => id.length > 0).map(toHex)
}

/** The rules for being part of the graph. */
function accepted(
  primitives: Primitives,
  gid: string,
  id: string,
  operation: Operation,
  known: ReadonlyMap<string, Op>,
): Op | null {
  const { content } = operation
  const by = toHex(operation.account)
  const did = toHex(operation.did)
  const parents = idsOf(operation).map((parent) => known.get(parent) as Op)
  const past = new Set<string>()
  for (const parent of parents) {
    past.add(parent.id)
    for (const each of parent.past) past.add(each)
  }
  const before = [...past].map((each) => known.get(each) as Op)
  const isMade = (account: string): boolean =>
    before.some(
      (op) =>
        (op.operation.content.kind === 'create' && op.by === account) ||
        (op.operation.content.kind === 'add' && toHex(op.operation.content.account) === account),
    )

  if ((content.kind === 'create' ? id : toHex(operation.gid)) !== gid) return null
  const height = content.kind === 'create' ? 0 : 1 + Math.max(...parents.map((op) => op.operation.lamport))
  if (operation.lamport !== height) return null

  const previous = operation.previous.length === 0 ? null : (known.get(toHex(operation.previous)) as Op)
  if (previous !== null && (previous.by !== by || previous.did !== did)) return null
  if (previous === null && content.kind !== 'create' && (content.kind !== 'card' || !isMade(by))) return null

  const records = before.filter((op) => op.by === by).flatMap((op) => recordsIn(op.operation))
  const newest = records.toSorted(byAge)[0] ?? null
  const [own] = recordsIn(operation)
  if (own !== undefined) {
    if (toHex(own.account) !== by || own.epoch !== 0) return null
    const isHigher = records.every((record) => own.seq > record.seq)
    if (!isHigher && (newest === null || !equalBytes(newest.bytes, own.bytes))) return null
    const { bytes } = own
    if (!verifySignature(primitives, own.key, 'account', bytes.subarray(0, -64), bytes.subarray(-64))) return null
  }
  const record = own ?? newest
  const device = record?.devices.find((each) => toHex(each.did) === did)
  if (record === null || device === undefined) return null
  const keys = `${toHex(device.dsk)} ${toHex(device.ik)}`
  if (previous !== null && previous.keys !== keys) return null

  if (content.kind === 'remove') {
    const targets = content.adds.map((add) => before.find((op) => op.id === toHex(add))?.operation.content.kind)
    if (targets.some((kind) => kind !== 'add' && kind !== 'transfer')) return null
  }
  if (content.kind === 'transfer' && (toHex(content.account) === by || !isMade(toHex(content.account)))) return null
  const body = operation.bytes.subarray(0, -64)
  if (!verifySignature(primitives, device.dsk, 'op', body, operation.signature)) return null
  return { id, by, did, operation, past, record, keys }
}

function recordsIn({ content }: Operation): readonly AccountRecord[] {
  return content.kind === 'create' || content.kind === 'card' ? [content.record] : []
}

/** The newest first. */
function byAge(a: AccountRecord, b: AccountRecord): number {
  return b.seq - a.seq || compareBytes(a.bytes, b.bytes)
}

const before = (a: Op, b: Op): boolean => b.past.has(a.id)
const kind = (op: Op): OperationKind => op.operation.content.kind
const as = <Kind extends OperationKind>(op: Op, _kind: Kind): Of<Kind> => op.operation.content as Of<Kind>
const isOf =
  (...kinds: readonly OperationKind[]) =>
  (op: Op): boolean =>
    kinds.includes(kind(op))
const names = (record: AccountRecord, did: string): boolean => record.devices.some((each) => toHex(each.did) === did)

function revokes(card: Op, op: Op): boolean {
  return (
    kind(card) === 'card' &&
    card.by === op.by &&
    card.record.seq > op.record.seq &&
    !names(card.record, op.did) &&
    !before(op, card)
  )
}

/** Among cards that count somewhere, those that no other of them revokes: decided from the newest record down. */
function counting(cards: readonly Op[]): readonly Op[] {
  const counted: Op[] = []
  for (const card of cards.filter(isOf('card')).toSorted((a, b) => b.record.seq - a.record.seq)) {
    if (!counted.some((other) => revokes(other, card))) counted.push(card)
  }
  return counted
}

interface Owners {
  readonly owner: string
  /** By which they became it. */
  readonly start: Op
  readonly valid: ReadonlySet<Op>
  readonly transfers: readonly Op[]
  readonly contradiction: readonly Op[]
}

function owners(ops: readonly Op[], create: Op): Owners {
  const valid = new Set([create])
  const transfers: Op[] = []
  let [owner, start] = [create.by, create]
  for (;;) {
    const tenure = ops.filter((op) => op.by === owner && before(start, op))
    const first = tenure
      .filter(isOf('transfer'))
      .filter((op) => !tenure.some((other) => kind(other) === 'transfer' && before(other, op)))
    const against = tenure.filter((card) => first.some((op) => revokes(card, op)))
    if (first.length > 0 && first.length + against.length > 1) {
      return { owner, start, valid, transfers, contradiction: [...first, ...against] }
    }
    const end = first[0]
    const within = end === undefined ? tenure : tenure.filter((op) => before(op, end))
    const cards = counting(within)
    for (const op of within) if (kind(op) === 'leave' || !cards.some((card) => revokes(card, op))) valid.add(op)
    if (end === undefined) return { owner, start, valid, transfers, contradiction: [] }
    valid.add(end)
    transfers.push(end)
    ;[owner, start] = [toHex(as(end, 'transfer').account), end]
  }
}

function resolved(ops: readonly Op[], create: Op): unknown {
  const { contradiction } = owners(ops, create)
  if (contradiction.length === 0) return view(ops, create, null)
  const within = ops.filter((op) => contradiction.every((each) => before(op, each)))
  const successors = contradiction.filter(isOf('transfer')).map((op) => toHex(as(op, 'transfer').account))
  return view(within, create, { successors: [...new Set(successors)].sort() })
}

function view(ops: readonly Op[], create: Op, frozen: unknown): unknown {
  const line = owners(ops, create)
  const ownerRemoves = [...line.valid].filter(isOf('remove'))
  const named = (remove: Op, add: Op): boolean => as(remove, 'remove').adds.some((id) => toHex(id) === add.id)
  const leaves = ops.filter((op) => kind(op) === 'leave' && !line.valid.has(op))
  const appointments = (account: string): readonly Op[] => [
    ...[...line.valid].filter(
      (op) => kind(op) === 'add' && as(op, 'add').role === 'admin' && toHex(as(op, 'add').account) === account,
    ),
    ...line.transfers.filter((op) => op.by === account),
  ]
  const removesOf = (add: Op): readonly Op[] => ownerRemoves.filter((remove) => named(remove, add))
  const leavesBehind = (add: Op, account: string): readonly Op[] =>
    leaves.filter(
      (leave) => leave.by === account && before(add, leave) && removesOf(add).every((remove) => before(leave, remove)),
    )
  const inOffice = (op: Op): boolean =>
    appointments(op.by).some(
      (add) =>
        before(add, op) &&
        removesOf(add).every((remove) => before(op, remove)) &&
        leavesBehind(add, op.by).every((leave) => op === leave || before(op, leave)),
    )
  const mayRemove = (op: Op): boolean =>
    appointments(op.by).some(
      (add) =>
        before(add, op) &&
        removesOf(add).every((remove) => before(op, remove)) &&
        !leavesBehind(add, op.by).some((leave) => before(leave, op)),
    )

  const accounts = new Set(ops.map((op) => op.by))
  const valid = new Set(line.valid)
  const removals = new Map<string, string[]>()
  const addRemoval = (add: string, by: string): void => void removals.set(add, [...(removals.get(add) ?? []), by])
  for (const op of ownerRemoves) for (const id of as(op, 'remove').adds) addRemoval(toHex(id), op.id)
  for (const account of accounts) {
    const others = ops.filter((op) => op.by === account && !line.valid.has(op))
    const cards = counting(others.filter(inOffice))
    const standing = others.filter((op) => !cards.some((card) => revokes(card, op)))
    const office = standing.filter(inOffice)
    const forked = new Set(
      office.filter((op) => office.some((other) => other !== op && other.did === op.did && isTwin(other, op))),
    )
    for (let moved = true; moved; ) {
      moved = false
      for (const op of others) {
        if (forked.has(op) || ![...forked].some((each) => each.id === toHex(op.operation.previous))) continue
        forked.add(op)
        moved = true
      }
    }
    for (const op of standing) {
      const { content } = op.operation
      if ((content.kind === 'info' || (content.kind === 'add' && content.role === 'member')) && inOffice(op)) {
        if (!forked.has(op)) valid.add(op)
      }
      if (content.kind !== 'remove' || !mayRemove(op)) continue
      for (const id of content.adds.map(toHex)) {
        const target = ops.find((each) => each.id === id)?.operation.content
        if (target?.kind === 'add' && target.role === 'member') addRemoval(id, op.id)
      }
    }
  }

  const adds = ops.filter((op) => (kind(op) === 'add' && valid.has(op)) || line.transfers.includes(op))
  const whom = (add: Op): string => (kind(add) === 'add' ? toHex(as(add, 'add').account) : add.by)
  const roleOf = (add: Op): string => (kind(add) === 'add' ? as(add, 'add').role : 'admin')
  const endsOf = (add: Op): readonly string[] => {
    const ends = ops.filter(
      (op) =>
        removals.get(add.id)?.includes(op.id) === true ||
        (leaves.includes(op) && op.by === whom(add) && before(add, op)),
    )
    return ends.filter((op) => !ends.some((other) => before(other, op))).map(({ id }) => id)
  }
  const inForce = adds.filter((add) => endsOf(add).length === 0)
  const present = [...new Set([line.owner, ...inForce.map(whom)])]
  const members = present.map((account) => {
    const own = inForce.filter((add) => whom(add) === account)
    const role = account === line.owner ? 'owner' : own.some((add) => roleOf(add) === 'admin') ? 'admin' : 'member'
    const written = ops.filter((op) => op.by === account)
    const newest = written.flatMap((op) => recordsIn(op.operation)).toSorted(byAge)[0] ?? null
    const left = leaves.filter((leave) => leave.by === account)
    const cards = written.filter(
      (op) =>
        kind(op) === 'card' && newest !== null && names(newest, op.did) && left.every((leave) => before(leave, op)),
    )
    const [card] = cards.toSorted(
      (a, b) => byAge(a.record, b.record) || b.operation.lamport - a.operation.lamport || (a.id < b.id ? -1 : 1),
    )
    return {
      account,
      role,
      adds: own.map((add) => `${roleOf(add)} ${add.id}`).sort(),
      card: card?.id ?? null,
    }
  })
  const exits = adds.flatMap((add) => {
    const by = endsOf(add)
    const others = [
      ...inForce.filter((other) => whom(other) === whom(add)),
      ...(whom(add) === line.owner ? [line.start] : []),
    ]
    const stayed = others.some((other) => !by.some((end) => other.past.has(end)))
    return by.length === 0 || stayed ? [] : [`${add.id} of ${whom(add)} by ${[...by].sort().join()}`]
  })
  const revocations = present.flatMap((account) => {
    const written = ops.filter((op) => op.by === account)
    const newest = written.map(({ record }) => record).toSorted(byAge)[0]
    return [...new Set(written.map(({ did }) => did))].flatMap((did) => {
      if (newest === undefined || names(newest, did)) return []
      const first = Math.min(...written.filter((op) => op.did === did).map((op) => op.record.seq))
      const by = written.filter((op) => kind(op) === 'card' && op.record.seq > first && !names(op.record, did))
      const earliest = by.filter((op) => !by.some((other) => before(other, op))).map(({ id }) => id)
      return [`${did} of ${account} by ${earliest.sort().join()}`]
    })
  })
  const latest = (candidates: readonly Op[]): Op | undefined =>
    candidates.toSorted((a, b) => b.operation.lamport - a.operation.lamport || (a.id < b.id ? -1 : 1))[0]
  const name = latest([create, ...ops.filter((op) => kind(op) === 'info' && valid.has(op))]) ?? create
  const timer = latest([...line.valid].filter(isOf('settings')))
  return {
    name: kind(name) === 'create' ? as(name, 'create').name : as(name, 'info').name,
    timer: timer === undefined ? 0 : as(timer, 'settings').timer,
    owner: line.owner,
    frozen,
    members: members.sort((a, b) => (a.account < b.account ? -1 : 1)),
    exits: exits.sort(),
    revocations: revocations.sort(),
  }
}

function isTwin(a: Op, b: Op): boolean {
  return equalBytes(a.operation.previous, b.operation.previous)
}
