import type { Primitives } from '../../lib/crypto/primitives.ts'
import { accountId } from '../../lib/identity/account.ts'
import { type DeviceRecord, type DeviceRecordContent, signDeviceRecord } from '../../lib/identity/device-record.ts'
import { createPrekey } from '../../lib/identity/prekeys.ts'
import { createSelf, type Self } from '../../lib/identity/self.ts'
import { unixSeconds } from '../../lib/identity/time.ts'
import { createRecoverySeed } from '../../lib/identity/words.ts'
import { seededRandom } from './random.ts'

/** 2026-03-01 10:00 UTC, ms. */
export const NOW: number = Date.UTC(2026, 2, 1, 10)

/** An account and its device, the same for the same name. */
export function selfOf(primitives: Primitives, name: string): Self {
  const random = seededRandom(`self ${name}`)
  return createSelf(primitives, random, createRecoverySeed(random), NOW)
}

/** A record of that device with an address, as contacts see it; `change` what it should say otherwise. */
export function deviceRecordOf(
  primitives: Primitives,
  self: Self,
  change: Partial<DeviceRecordContent> = {},
): DeviceRecord {
  const content: DeviceRecordContent = {
    aid: accountId(primitives, self.accountRecord.account),
    did: self.did,
    seq: unixSeconds(NOW),
    minAccountSeq: self.accountRecord.seq,
    prekey: createPrekey(primitives, seededRandom('prekey'), NOW).bytes,
    knockRoute: null,
    place: { peer: Uint8Array.of(0, 36, 8, 1), addresses: [Uint8Array.of(4, 127, 0, 0, 1, 6, 15, 161)] },
    capabilities: [1, 300],
    ...change,
  }
  return signDeviceRecord(primitives, self.deviceKey, content, NOW)
}

/** The bytes with one bit turned over, once for every byte. Which bit goes round. */
export function* flippedBits(bytes: Uint8Array, step = 1): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) {
    const flipped = Uint8Array.from(bytes)
    flipped[at] = (flipped[at] as number) ^ (1 << (at % 8))
    yield flipped
  }
}
