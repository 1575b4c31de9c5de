import { equalBytes, toHex } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { decodeLink, encodeInvite } from '../identity/invite.ts'
import { dayOf } from '../identity/time.ts'
import { addedFields, asBoolean, asBytes, asNullable, asUint, decodeTyped, encode } from '../wire.ts'
import { type Machine, save } from './machine.ts'

/** An invite that was handed out. */
export interface OwnInvite {
  /** The secret of its slot, 32 bytes. */
  readonly secret: Uint8Array
  /** ms; null for never. */
  readonly expires: number | null
  /** It ends when somebody who came by it is accepted. */
  readonly once: boolean
  /**
   * When it was revoked, used up or expired, ms; null while it holds. Until the network has forgotten what it held, its slots
   * are published once more and again without an address, or the last ones would lead here for two days.
   */
  readonly ended: number | null
}

/** Values in the DHT live for 48 h; after this nothing of an invite that ended is left there, ms. */
const LEFT_IN_DHT_MS: number = 3 * 86_400_000

/** Bytes of the name by which an invite goes in requests and in the store. */
const NAME_BYTES = 16

/** First values of `once` and `ended`, which came later. */
const ADDED = [false, null] as const

export function encodeOwnInvite({ secret, expires, once, ended }: OwnInvite): Uint8Array {
  return encode([1, 'own-invite', secret, expires, ...addedFields([once, ended], ADDED)])
}

export function decodeOwnInvite(bytes: Uint8Array): OwnInvite {
  const fields = decodeTyped(bytes, { type: 'own-invite', fields: 2, added: ADDED, maxBytes: 128 })
  return {
    secret: asBytes(fields[0], 'secret', { length: 32 }),
    expires: asNullable(fields[1], (value) => asUint(value, 'expires')),
    once: asBoolean(fields[2], 'once'),
    ended: asNullable(fields[3], (value) => asUint(value, 'ended')),
  }
}

/** Whether somebody who comes by it now was invited. */
export function holds({ expires, ended }: OwnInvite, now: number): boolean {
  return ended === null && (expires === null || expires > now)
}

/** Whether a request that names this invite (H(secret)[0..16]) is one that was asked for. */
export function isInvitedBy(machine: Machine, name: Uint8Array | null): boolean {
  const invite = name === null ? undefined : machine.own.invites.get(toHex(name))
  return invite !== undefined && holds(invite, machine.now)
}

/** Whether its slot of that day is to be in the DHT: after its end only those that may be there already. */
export function hasSlot({ ended }: OwnInvite, day: number): boolean {
  return ended === null || day <= dayOf(ended) + 1
}

/** Makes an invite and its link. */
export function createInvite(
  machine: Machine,
  { expires, once, addresses }: { expires: number | null; once: boolean; addresses: readonly Uint8Array[] },
): string {
  const secret = machine.random.bytes(32)
  keep(machine, { secret, expires, once, ended: null })
  const link = {
    account: machine.own.self.accountRecord.account,
    secret,
    expires: expires === null ? null : Math.floor(expires / 1000),
  }
  for (let left = addresses.slice(0, 4); ; left = left.slice(0, -1)) {
    try {
      return encodeInvite({ ...link, addresses: left })
    } catch (error) {
      // Long addresses leave room for fewer of them.
      if (!(error instanceof ProtocolError) || left.length === 0) throw error
    }
  }
}

/** Ends the invite of an own link; false when there is none that holds. Throws `malformed` for what is no link. */
export function revokeInvite(machine: Machine, link: string): boolean {
  const { account, secret } = decodeLink(link)
  if (secret === null || !equalBytes(account, machine.own.self.accountRecord.account)) return false
  const invite = machine.own.invites.get(toHex(nameOf(machine, secret)))
  if (invite === undefined || !holds(invite, machine.now)) return false
  end(machine, invite)
  return true
}

/** Somebody who came by this invite is a contact now: one that was for one person has ended. True when it has. */
export function useInvite(machine: Machine, name: Uint8Array | null): boolean {
  const invite = name === null ? undefined : machine.own.invites.get(toHex(name))
  if (invite === undefined || !invite.once || !holds(invite, machine.now)) return false
  end(machine, invite)
  return true
}

/** Invites whose time is over end; those of which nothing is left anywhere are forgotten. True when a slot changed. */
export function expireInvites(machine: Machine): boolean {
  let changed = false
  for (const [name, invite] of machine.own.invites) {
    if (invite.ended === null && !holds(invite, machine.now)) {
      end(machine, invite)
      changed = true
    } else if (invite.ended !== null && invite.ended + LEFT_IN_DHT_MS <= machine.now) {
      machine.own.invites.delete(name)
      save(machine, { range: 'invite', key: nameOf(machine, invite.secret), value: null })
    }
  }
  return changed
}

function end(machine: Machine, invite: OwnInvite): void {
  keep(machine, { ...invite, ended: machine.now })
  const { due } = machine.own.publications
  const name = toHex(nameOf(machine, invite.secret))
  for (const slot of due.keys()) if (slot.startsWith(name)) due.delete(slot)
}

function keep(machine: Machine, invite: OwnInvite): void {
  const name = nameOf(machine, invite.secret)
  machine.own.invites.set(toHex(name), invite)
  save(machine, { range: 'invite', key: name, value: encodeOwnInvite(invite) })
}

function nameOf(machine: Machine, secret: Uint8Array): Uint8Array {
  return machine.primitives.sha256(secret).slice(0, NAME_BYTES)
}
