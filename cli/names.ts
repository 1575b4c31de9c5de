import type { Caller } from './client.ts'
import type { ApiEvent } from './schema/infer.ts'
import type { ContactJson, ConversationJson, GroupJson } from './shapes.ts'
import { safeLine } from './terminal.ts'

/** A conversation and how everybody in it is called here. */
export interface Names {
  readonly me: string
  /** What names the conversation for good: the account of a contact, or the id of a group. */
  readonly id: string
  /** The other side, safe to show. */
  readonly title: string
  readonly contact?: ContactJson | undefined
  readonly group?: GroupJson | undefined
  /** `me`, a petname, a name that somebody claims in quotes, or the beginning of an account. Safe to show. */
  nameOf(account: string): string
  /** Takes up what changed. */
  learn(event: ApiEvent): void
}

export function createNames(me: string, with_: ConversationJson, contacts: readonly ContactJson[] = []): Names {
  let { contact, group } = with_
  const petnames = new Map(contacts.map(({ account, petname }) => [account, petname]))

  return {
    me,
    id: group?.group ?? contact?.account ?? '',
    get title() {
      return group === undefined ? safeLine(contact?.petname ?? '') : groupName(group)
    },
    get contact() {
      return contact
    },
    get group() {
      return group
    },
    nameOf(account) {
      if (account === me) return 'me'
      if (group === undefined) return safeLine(contact?.petname ?? '') || shortAccount(account)
      return safeLine(petnames.get(account) ?? '') || memberName(group, account)
    },
    learn(event) {
      if (event.kind === 'group' && event.group.group === group?.group) group = event.group
      if (event.kind !== 'contact') return
      petnames.set(event.contact.account, event.contact.petname)
      if (event.contact.account === contact?.account) contact = event.contact
    },
  }
}

/** Asks a node for a conversation and for whoever may appear in it. */
export async function askNames(caller: Caller, who: string, signal: AbortSignal): Promise<Names> {
  const [{ account: me }, found] = await Promise.all([
    caller.call('node.identity', {}, { signal }),
    caller.call('conversation.get', { who }, { signal }),
  ])
  // who left a group is no member of it any more, and may be a contact
  const contacts = found.group === undefined ? [] : await caller.call('contact.list', {}, { signal })
  return createNames(me, found, contacts)
}

/** The beginning of an account that names it here; commands take it as WHO. */
export function shortAccount(account: string): string {
  return account.slice(0, 'sotto1'.length + 10)
}

/** The name of a group, safe to show. */
export function groupName({ name, group }: Pick<GroupJson, 'name' | 'group'>): string {
  return safeLine(name) || group.slice(0, 16)
}

/**
 * A member: the petname, or what they call themselves in quotes, or the beginning of the account. Where two call themselves
 * the same, the account says which of them it is.
 */
export function memberName({ members }: Pick<GroupJson, 'members'>, account: string): string {
  const member = members.find((each) => each.account === account)
  const petname = safeLine(member?.petname ?? '')
  if (petname !== '') return petname
  const claimed = claimedBy(member?.claimedName)
  if (claimed === '') return shortAccount(account)
  const others = members.filter((each) => each.account !== account)
  const isAlone = others.every(({ claimedName }) => claimedBy(claimedName) !== claimed)
  return isAlone ? `"${claimed}"` : `"${claimed}" ${shortAccount(account)}`
}

/** Without what could end the quotes around it. */
function claimedBy(name: string | undefined): string {
  return safeLine(name ?? '').replaceAll('"', "'")
}
