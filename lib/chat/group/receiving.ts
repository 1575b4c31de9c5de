import { equalBytes, toHex } from '../../bytes.ts'
import { decodePayload, isDurable } from '../../conversation/payload.ts'
import { authorId } from '../../group/author.ts'
import { frameId, splitGroupFrame } from '../../group/group-frame.ts'
import { openGroupFrame } from '../../group/open-frame.ts'
import type { PeerChain } from '../../group/sender-chain.ts'
import type { SkippedKey } from '../../session/kept-chains.ts'
import { applyDurable } from '../applying.ts'
import type { Event } from '../events.ts'
import { inOrder, loadForFrame, whenTaken } from '../held.ts'
import { alert, type Contact, count, guarded, type Machine, save, setTimer } from '../machine.ts'
import { skippedKey } from '../sessions.ts'
import { isOfMember, ownerOf } from './authors.ts'
import { dropSkippedKeys, holdChain, saveChain } from './chains.ts'
import { keepFrame } from './frames.ts'
import { type GroupContact, groupsOf } from './groups.ts'
import { isFellow } from '../standing.ts'
import { isActive } from './state.ts'
import { spreadSoon } from './sync.ts'

/** Frames of chains that are not known (yet) that wait, over all groups, and how long, ms. */
const MAX_EARLY = 256
const EARLY_MS = 3_600_000

/** Frames that are known again as those that were opened, whole. */
const MAX_OPENED = 256

/** Ids that the header of a frame names at most. */
const MAX_NEWEST = 8

/** How long frames that are missing may take before they are asked for, ms. */
const GAP_PATIENCE_MS = 2_000

/** What becomes of a frame that came by gossip: whether it is passed on. */
export type Verdict = 'accept' | 'ignore' | 'reject'

/** Gossip of a topic that this side listens to: a frame of a member, or something that goes no further. */
export function onGossiped(machine: Machine, { number, bytes }: Extract<Event, { kind: 'gossiped' }>): void {
  machine.effects.push({ kind: 'gossip-verdict', number, verdict: onGroupFrame(machine, bytes) })
}

/** A frame of a group on a link: from members only. */
export function onMemberFrame(machine: Machine, from: Contact | null, frame: Uint8Array): void {
  if (from !== null && (isFellow(from) || from.group !== null)) onGroupFrame(machine, frame)
  else count(machine, 'group frame: from somebody who shares no group')
}

/** A frame of a sender chain, by whatever way. The verdict is known at once, also where a key is loaded first. */
export function onGroupFrame(machine: Machine, frame: Uint8Array): Verdict {
  const parts = splitGroupFrame(frame)
  if (parts === null) {
    count(machine, 'group frame: malformed')
    return 'reject'
  }
  const id = toHex(parts.chainId)
  for (const contact of groupsOf(machine)) {
    if (contact.group.own !== null && equalBytes(contact.group.own.id, parts.chainId)) return 'ignore'
    if (!contact.group.chains.has(id)) continue
    let verdict: Verdict = 'ignore'
    inOrder(machine, contact, () => {
      verdict = open(machine, contact, id, frame)
    })
    return verdict
  }
  holdEarly(machine, frame)
  return 'ignore'
}

function holdEarly(machine: Machine, frame: Uint8Array): void {
  const { early } = machine.groups
  while (early.length > 0 && (early.length >= MAX_EARLY || machine.now - (early[0]?.at ?? 0) > EARLY_MS)) early.shift()
  early.push({ frame: frame.slice(), at: machine.now })
  count(machine, 'group frame: of a chain that is not known')
}

/** A chain became known: what came before its keys is read now. */
export function releaseEarly(machine: Machine, chain: Uint8Array): void {
  const { early } = machine.groups
  const waiting = early.filter(({ frame }) => equalBytes(frame.subarray(1, 17), chain))
  if (waiting.length === 0) return
  early.splice(0, early.length, ...early.filter((each) => !waiting.includes(each)))
  for (const { frame } of waiting) onGroupFrame(machine, frame)
}

function open(machine: Machine, contact: GroupContact, id: string, frame: Uint8Array, skipped?: SkippedKey): Verdict {
  const { group } = contact
  const chain = group.chains.get(id)
  if (chain === undefined || !mayBeHeard(machine, contact, chain)) {
    count(machine, 'group frame: of somebody who is no member, or is blocked')
    return 'ignore'
  }
  const result = openGroupFrame(machine.primitives, chain, frame, machine.now, skipped)
  switch (result.kind) {
    case 'unreadable':
      count(machine, 'group frame: unreadable')
      return 'reject'
    case 'needs-skipped': {
      const { ref } = result
      loadForFrame(machine, contact, 'skipped', skippedKey(contact, ref), (key) => {
        if (key === null) count(machine, 'group frame: its key is gone')
        else open(machine, contact, id, frame, { ref, key })
      })
      return 'accept'
    }
    case 'duplicate':
      count(machine, 'group frame: duplicate')
      // what came on a link from its author is passed on when it comes by gossip, to those who have no link with the author
      return machine.groups.opened.has(toHex(frameId(machine.primitives, frame))) ? 'accept' : 'ignore'
    case 'clone':
      count(machine, 'group frame: another one of this number')
      onTwoFrames(machine, contact, chain)
      return 'ignore'
    case 'refused':
      count(machine, `group frame: ${result.reason}`)
      return result.reason === 'unauthentic' || result.reason === 'malformed' ? 'reject' : 'ignore'
    case 'opened': {
      holdChain(contact, result.chain)
      group.newest = [...group.newest.filter((each) => !equalBytes(each, result.id)), result.id].slice(-MAX_NEWEST)
      if (result.addSkipped.length > 0) setTimer(machine, `gap:${contact.id}`, machine.now + GAP_PATIENCE_MS)
      noteOpened(machine, result.id)
      spreadSoon(machine, contact)
      apply(machine, contact, chain, result.payload)
      // Written with the message and not before it: a number that the disk says was opened is asked for by nobody again.
      whenTaken(contact, () => {
        const opened = group.chains.get(id)
        if (opened === undefined) return
        saveChain(machine, contact, opened)
        for (const { ref, key } of result.addSkipped)
          save(machine, { range: 'skipped', key: skippedKey(contact, ref), value: key })
        dropSkippedKeys(machine, contact, result.dropSkipped)
        keepFrame(machine, contact, chain.id, result.n, frame)
      })
      return 'accept'
    }
  }
}

function noteOpened({ groups: { opened } }: Machine, id: Uint8Array): void {
  opened.add(toHex(id))
  for (const oldest of opened) {
    if (opened.size <= MAX_OPENED) break
    opened.delete(oldest)
  }
}

function apply(machine: Machine, contact: GroupContact, chain: PeerChain, bytes: Uint8Array): void {
  guarded(machine, 'payload', () => {
    const payload = decodePayload(bytes)
    if (!equalBytes(payload.conversation, contact.group.gid)) count(machine, 'payload: of another conversation')
    else if (!isDurable(payload.kind)) count(machine, 'payload: one without a number in a group frame')
    else applyDurable(machine, contact, authorId(machine.primitives, chain), payload, bytes)
  })
}

/**
 * An author signed two frames of one number: two machines speak as its device, its disk went back in time, or it tells members
 * different things. Whoever meets both hears of it, once a chain.
 */
function onTwoFrames(machine: Machine, contact: GroupContact, chain: PeerChain): void {
  const { group } = contact
  const name = toHex(chain.id)
  const author = machine.byAccount.get(toHex(ownerOf(group, chain) ?? new Uint8Array()))
  if (author === undefined || group.doubled.has(name)) return
  group.doubled.add(name)
  alert(machine, author, 'cloned device', contact)
}

/** Whether the owner of a chain is a member, by the device that the chain is of. */
function mayBeHeard(machine: Machine, { group }: GroupContact, chain: PeerChain): boolean {
  return isActive(group) && isOfMember(machine, group, chain)
}
