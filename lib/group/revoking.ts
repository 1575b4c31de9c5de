import { equalBytes } from '../bytes.ts'
import { findDevice } from '../identity/account-record.ts'
import { covers } from './clock.ts'
import { compareRecords, type Entry, isBefore } from './log.ts'
import { does } from './scope.ts'

/**
 * Whether a card voids an operation of its account: its record is newer than any that the operation knew and lacks the
 * device, and the card did not know the operation. (An operation that knew the card is no part of the graph.)
 */
export function revokes(card: Entry, entry: Entry): boolean {
  return (
    card.record.seq > entry.record.seq &&
    !covers(card.clock, entry) &&
    findDevice(card.record, entry.operation.did) === null
  )
}

/**
 * Of what an account wrote, the cards that void something of it: those that count and that no such card voids in turn. Of
 * several with one record by one device the first is enough.
 */
export function revokers(written: readonly Entry[], counts: (card: Entry) => boolean): readonly Entry[] {
  const [first] = written
  // Nearly everybody has one device, and then nothing is revoked.
  if (first === undefined || written.every(({ chain }) => chain === first.chain)) return []
  const cards: Entry[] = []
  for (const entry of written) {
    if (!does(entry, 'card') || !counts(entry)) continue
    if (!cards.some((other) => repeats(entry, other))) cards.push(entry)
  }
  const valid: Entry[] = []
  for (const card of cards.sort((a, b) => b.record.seq - a.record.seq)) {
    if (!valid.some((other) => revokes(other, card))) valid.push(card)
  }
  return valid
}

function repeats(card: Entry, earlier: Entry): boolean {
  return (
    isBefore(earlier, card) &&
    equalBytes(earlier.operation.did, card.operation.did) &&
    compareRecords(earlier.record, card.record) === 0
  )
}
