import { equalBytes, toHex } from '../bytes.ts'
import { type EarlyChange, MAX_EARLY } from './head.ts'
import type { Contact } from './machine.ts'

/** Whether something was done to a message of this id that is not here. */
export function isEarly({ head }: Contact, id: Uint8Array): boolean {
  return head.early.some((each) => equalBytes(each.id, id))
}

/** Those that wait, without what was done to one message. */
export function withoutEarly({ head }: Contact, id: Uint8Array): readonly EarlyChange[] {
  return head.early.filter((each) => !equalBytes(each.id, id))
}

/**
 * Those that wait and one more, and the messages of which nothing waits any more because there is no room. Of a group it is the member
 * with the most whose oldest gives way: else one who changes what never was would have what others did forgotten.
 */
export function withEarlyChange(
  contact: Contact,
  change: EarlyChange,
): { readonly early: readonly EarlyChange[]; readonly dropped: readonly Uint8Array[] } {
  const others = contact.head.early.filter((each) => !isSame(each, change))
  const early = [...others, change]
  const dropped: Uint8Array[] = []
  while (early.length > MAX_EARLY) {
    const [{ id } = change] = early.splice(oldestOfMost(contact, early), 1)
    if (!early.some((each) => equalBytes(each.id, id))) dropped.push(id)
  }
  return { early, dropped }
}

function isSame(a: EarlyChange, b: EarlyChange): boolean {
  return equalBytes(a.id, b.id) && equalBytes(a.by ?? new Uint8Array(), b.by ?? new Uint8Array())
}

function oldestOfMost({ group }: Contact, early: readonly EarlyChange[]): number {
  const authors = early.map(({ by }) => (by === null ? '' : toHex(group?.authors.get(toHex(by))?.account ?? by)))
  const counts = new Map<string, number>()
  for (const author of authors) counts.set(author, (counts.get(author) ?? 0) + 1)
  const most = Math.max(...counts.values())
  return authors.findIndex((author) => counts.get(author) === most)
}
