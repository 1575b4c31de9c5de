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
  const account = encodeAccount(row.account)
  const link = person.link === null ? undefined : links.get(person.link)
  const rung = link?.rung ?? (person.byMail ? 'mailbox' : undefined)
  return {
    id: account,
    account,
    petname: row.petname || account.slice(6, 14),
    ...(row.claimedName !== null && { claimedName: row.claimedName }),
    state: row.state,
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

/** The person that a petname, an account or the beginning of one names. Throws `not-found` or `ambiguous`. */
export function findPerson(chat: Chat, who: string): Person {
  const people = [...chat.people()]
  const byName = people.find(({ row }) => row.petname === who)
  if (byName !== undefined) return byName
  const text = who.toLowerCase()
  const prefix = text.startsWith('sotto1') && text.length >= 6 + MIN_ACCOUNT_PREFIX
  const found = prefix ? people.filter(({ row }) => encodeAccount(row.account).startsWith(text)) : []
  if (found.length > 1) {
    throw new NodeError('ambiguous', `Several people are called ${who}.`, {
      hint: 'Give more of the account.',
      candidates: found.map(({ row }) => encodeAccount(row.account)),
    })
  }
  if (found[0] === undefined) {
    throw new NodeError('not-found', `Nobody is called ${who}.`, {
      hint: `Give a petname, an account, or at least ${MIN_ACCOUNT_PREFIX} characters of one after sotto1; 'sotto contacts' lists them.`,
    })
  }
  return found[0]
}
