import { concat, u32be } from '../../../lib/bytes.ts'
import { KEM_CT_BYTES } from '../../../lib/crypto/encapsulation-key.ts'
import { MAX_FRAME_BYTES } from '../../../lib/crypto/padding.ts'
import { MAX_SLOT_VALUE_BYTES, slotKeyOf } from '../../../lib/identity/slot-value.ts'
import { MAX_LINK_MESSAGE_BYTES } from '../../network/network.ts'
import { prekeyOf } from './handmade.ts'
import { createOutsider, type HostileLink, type HostileOptions, type HostilePeer, seenOf } from './outsider.ts'

/**
 * Has: nothing but an address. Tries: to make a node hold or decode more than a limit allows: messages, frames, prefixes,
 * first messages and slot values that are a byte too long or far too long, or claim to be.
 */
export interface OversizeSender extends HostilePeer {
  /** Says everything that is too large on a new link to somebody; `first` says it before the nonce. */
  attack(to: string, options?: { readonly first?: boolean }): HostileLink
  /** Offers slot values of every wrong size. */
  publish(): void
}

export async function createOversizeSender(options: HostileOptions): Promise<OversizeSender> {
  const outsider = await createOutsider(options)
  const { inside, random } = outsider

  function messages(to: string): Uint8Array[] {
    const head = concat(Uint8Array.of(1, 1, 0), prekeyOf(inside.newcomer(to)).id, random.bytes(32 + KEM_CT_BYTES))
    const sizes = [MAX_FRAME_BYTES + 1, MAX_LINK_MESSAGE_BYTES, MAX_LINK_MESSAGE_BYTES + 1, 1 << 20]
    return [
      ...[2, 3].flatMap((type) => sizes.map((size) => concat(Uint8Array.of(type), random.bytes(size - 1)))),
      // What the prefix claims to hold: a byte too much, and all that a number can say.
      ...[2_049, 0x7fff_ffff, 0xffff_ffff].map((claim) => concat(head, u32be(claim), random.bytes(3_000))),
      concat(head, u32be(2_048), random.bytes(2_048 + MAX_FRAME_BYTES + 1)),
      concat(Uint8Array.of(4), random.bytes(4_096)),
    ]
  }

  return {
    ...seenOf(outsider),
    attack(to, { first = false } = {}) {
      const link = first ? outsider.open(to, { nonce: null }) : outsider.open(to)
      link.say(...messages(to))
      return link
    },
    publish() {
      for (const size of [0, 1, 4_236, 4_238, 8_332, MAX_SLOT_VALUE_BYTES + 1, 1 << 20]) {
        outsider.offer(slotKeyOf(random.bytes(32)), random.bytes(size))
      }
    },
  }
}
