import { toHex } from '../lib/bytes.ts'
import type { Chat, Person } from '../lib/chat.ts'
import { unreadOf } from '../lib/chat/head.ts'
import { encodeAccount } from '../lib/identity/account.ts'
import type { Contact } from './api.ts'
import { NodeError } from './errors.ts'
import type { Link } from './network/network.ts'

/** The shortest prefix of an account that names somebody, in characters after `sotto1`. */
export const MIN_ACCOUNT_PREFIX = 8

/** A person as everybody outside sees them. */
export function contactOf(person: Person, links: ReadonlyMap<number, Link>): Contact {
  const { row, head } = person
  const account = accountText(row.account)
  const link = person.link === null ? undefined : links.get(person.link)
  const rung = link?.rung ?? (person.byMail ? 'mailbox' : undefined)
  return {
    id: account,
    account,
    petname: row.petname || account.slice(6, 14),
    ...(row.claimedName !== null && { claimedName: row.claimedName }),
    state: stateOf(person),
    verified: row.verified === 'no' ? false : row.verified,
    online: link !== undefined,
    ...(rung !== undefined && { rung }),
    unread: unreadOf(head),
    since: row.since,
    ...(row.hello !== null && { hello: row.hello }),
    receipts: row.receipts,
    ...(row.expires !== null && { expires: row.expires }),
  }
}

/** Who is no contact is not shown as one; a group never gets here. */
function stateOf({ row }: Person): Contact['state'] {
  if (row.state === 'member' || row.state === 'group') throw new TypeError('this is no contact')
  return row.state
}

/** The shortest prefix of a group's id that names it, in hexadecimal digits. */
const MIN_GROUP_PREFIX = 8

/** The person or group that a name, an account, an id or the beginning of one names. Throws `not-found` or `ambiguous`. */
export function findPerson(chat: Chat, who: string): Person {
  const people = [...chat.people()]
  const named = people.filter(({ row }) => row.petname === who)
  const byPetname = named.find(({ group }) => group === null)
  if (byPetname !== undefined) return byPetname
  const text = who.toLowerCase()
  const isAccount = text.startsWith('sotto1') && text.length >= 6 + MIN_ACCOUNT_PREFIX
  const isGroup = text.length >= MIN_GROUP_PREFIX && /^[0-9a-f]+$/.test(text)
  const byId = people.filter((person) => (isAccount || isGroup) && idOf(person).startsWith(text))
  // others choose the name of a group: it must not pass for somebody's account, nor a request for a group
  const entered = named.filter(({ group }) => group?.row.standing !== 'invited')
  const found = byId.length > 0 ? byId : entered.length > 0 ? entered : named
  if (found.length > 1) {
    throw new NodeError('ambiguous', `Several are called ${who}.`, {
      hint: 'Give more of the account, or the id of the group.',
      candidates: found.map(idOf),
    })
  }
  if (found[0] === undefined) {
    throw new NodeError('not-found', `Nobody is called ${who}.`, {
      hint: `Give a petname, the name of a group, an account, or at least ${MIN_ACCOUNT_PREFIX} characters of one after sotto1; 'sotto contacts' lists them.`,
    })
  }
  return found[0]
}

/** What names a conversation for good: the account, or the id of the group. */
export function idOf({ row, group }: Person): string {
  return group === null ? accountText(row.account) : toHex(group.gid)
}

const texts = new WeakMap<Uint8Array, string>()

/** It is asked for with every message, and a checksum over it costs as much as a cipher. The bytes of a row do not change. */
function accountText(account: Uint8Array): string {
  const known = texts.get(account)
  if (known !== undefined) return known
  const text = encodeAccount(account)
  texts.set(account, text)
  return text
}
