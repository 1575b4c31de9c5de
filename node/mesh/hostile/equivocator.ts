import { equalBytes } from '../../../lib/bytes.ts'
import { decodeSettings, SETTINGS_KEY } from '../../../lib/chat/own.ts'
import { accountId } from '../../../lib/identity/account.ts'
import { type AccountRecord, signAccountRecord } from '../../../lib/identity/account-record.ts'
import { signDeviceRecord } from '../../../lib/identity/device-record.ts'
import { sealSlot } from '../../../lib/identity/slot.ts'
import { dayOf, unixSeconds } from '../../../lib/identity/time.ts'
import { prekeyOf } from './handmade.ts'
import { createOutsider, type HostileOptions, type HostilePeer, seenOf } from './outsider.ts'

/**
 * Has: the account and device of a contact. Tries: to be two persons: it shows one record to the ones and another record of
 * the same number to the others.
 */
export interface Equivocator extends HostilePeer {
  /** Which of the two somebody is shown; assign to change it. */
  shows: (asker: string) => 0 | 1
  /** Signs a new pair of records of one seq and shows them from now on. */
  publish(what: 'account' | 'device'): void
  /** How often somebody was shown one. */
  readonly shown: number
}

/** Speaks for `of`, who had better be stopped. By default all are shown the first. */
export async function createEquivocator(options: HostileOptions & { readonly of: string }): Promise<Equivocator> {
  const values = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()] as const
  let shown = 0
  const outsider = await createOutsider({
    ...options,
    serves: {
      get(key, asker) {
        const value = values[equivocator.shows(asker)].get(key) ?? null
        if (value !== null) shown++
        return value
      },
      put: () => true,
    },
  })
  const { inside, random } = outsider
  const { primitives } = inside
  const { self, rows } = inside.newcomer(options.of)
  const settings = rows.find(({ range, key }) => range === 'self' && equalBytes(key, SETTINGS_KEY))?.value
  if (!settings) throw new TypeError('expected the rows of a new account')
  const { contactSecret } = decodeSettings(settings)
  const prekey = prekeyOf(inside.newcomer(options.of)).bytes

  function publish(what: 'account' | 'device'): void {
    const { now } = inside.clock
    // Ahead of what the honest device has signed.
    const seq = unixSeconds(now) + 60
    for (const version of [0, 1] as const) {
      // What differs is when it was issued; that is enough for another hash.
      const accountAt = what === 'account' ? now - version * 1_000 : now
      const deviceAt = what === 'device' ? now - version * 1_000 : now
      const account: AccountRecord = signAccountRecord(
        primitives,
        self.accountKey,
        { ...self.accountRecord, seq },
        accountAt,
      )
      const device = signDeviceRecord(
        primitives,
        self.deviceKey,
        {
          aid: accountId(primitives, account.account),
          did: self.did,
          seq,
          minAccountSeq: seq,
          prekey,
          knockRoute: null,
          place: { peer: outsider.peer, addresses: [random.bytes(8)] },
          capabilities: [],
        },
        deviceAt,
      )
      for (const day of [-1, 0, 1].map((off) => dayOf(now) + off)) {
        const { key, value } = sealSlot(primitives, random, {
          accountKey: self.accountKey,
          secret: contactSecret,
          day,
          now,
          lastRev: null,
          accountRecord: account.bytes,
          deviceRecord: device.bytes,
        })
        values[version].set(key, value)
      }
    }
  }

  const equivocator: Equivocator = {
    ...seenOf(outsider),
    shows: () => 0,
    publish,
    get shown() {
      return shown
    },
  }
  return equivocator
}
