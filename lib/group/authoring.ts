import { toHex } from '../bytes.ts'
import { type GroupMember, MAX_MEMBERS } from './members.ts'
import type { Content } from './operation-content.ts'
import type { GroupView } from './view.ts'

/** Why an operation would mean nothing, so that it need not be made. */
export type Objection =
  /** The owner named two successors. */
  | 'frozen'
  /** The author is no member. */
  | 'not-a-member'
  /** Only the owner may. */
  | 'not-owner'
  /** Only admins and the owner may. */
  | 'not-admin'
  /** The owner leaves by giving the group away first. */
  | 'owner-stays'
  /** Whom it is about is what it says already. */
  | 'already'
  /** Whom it is about is no member, or of those that it removes one is not in force. */
  | 'unknown-member'
  /** A successor must have consented to be a member. */
  | 'no-card'
  /** The group has 256 members. */
  | 'full'

/** What the account (AK_0) has against it, or null when it may. The graph still decides; this only answers early. */
export function objectionTo(view: GroupView, account: Uint8Array, content: Content): Objection | null {
  if (view.frozen !== null) return 'frozen'
  const author = view.members.get(toHex(account))
  if (author === undefined) return 'not-a-member'
  switch (content.kind) {
    case 'create':
      return 'already'
    case 'card':
      return null
    case 'leave':
      return author.role === 'owner' ? 'owner-stays' : null
    case 'settings':
      return author.role === 'owner' ? null : 'not-owner'
    case 'transfer':
      return author.role === 'owner' ? objectionToSuccessor(view, author, content.account) : 'not-owner'
    case 'info':
      return author.role === 'member' ? 'not-admin' : null
    case 'add':
      return objectionToAdding(view, author, content.account, content.role)
    case 'remove':
      return objectionToRemoving(view, author, content.adds)
  }
}

function objectionToSuccessor(view: GroupView, author: GroupMember, account: Uint8Array): Objection | null {
  const target = view.members.get(toHex(account))
  if (target === undefined) return 'unknown-member'
  if (target === author) return 'already'
  return target.card === null ? 'no-card' : null
}

function objectionToAdding(
  view: GroupView,
  author: GroupMember,
  account: Uint8Array,
  role: 'member' | 'admin',
): Objection | null {
  if (author.role === 'member') return 'not-admin'
  if (role === 'admin' && author.role !== 'owner') return 'not-owner'
  const target = view.members.get(toHex(account))
  if (target === undefined) return view.members.size >= MAX_MEMBERS ? 'full' : null
  if (target.role === 'owner' || target.adds.some((add) => add.role === role)) return 'already'
  return null
}

function objectionToRemoving(view: GroupView, author: GroupMember, adds: readonly Uint8Array[]): Objection | null {
  if (author.role === 'member') return 'not-admin'
  const live = new Map([...view.members.values()].flatMap((each) => each.adds.map((add) => [add.id, add.role])))
  const roles = new Set(adds.map((id) => live.get(toHex(id))))
  if (roles.has(undefined)) return 'unknown-member'
  return author.role !== 'owner' && roles.has('admin') ? 'not-owner' : null
}
