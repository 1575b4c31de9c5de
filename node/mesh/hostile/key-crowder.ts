import { concat, u64be, utf8 } from '../../../lib/bytes.ts'
import { signedMessage } from '../../../lib/crypto/signed.ts'
import { SLOT_CT_SIZES, slotKeyOf } from '../../../lib/identity/slot-value.ts'
import { dayOf } from '../../../lib/identity/time.ts'
import { encode } from '../../../lib/wire.ts'
import { createOutsider, type HostileOptions, type HostilePeer, type Outsider, seenOf } from './outsider.ts'

/**
 * Has: keys without end, for whoever has an Ed25519 key can sign a slot value, and PeerIds without end. Tries: to push
 * other people's values out of a server, by values that lie nearer to it, and to be all the servers that are asked.
 */
export interface KeyCrowder extends HostilePeer {
  /**
   * Offers so many values to the DHT. Each is of `tries` (by default 1) the one nearest to the PeerId `near`, as whoever pays
   * with time finds it.
   */
  crowd(values: number, options?: { readonly near?: Uint8Array; readonly tries?: number }): void
  /** Puts so many servers into the DHT that say they took a value, and have none. */
  surround(servers: number): Promise<void>
  /** How many of its servers there are. */
  readonly servers: number
}

export async function createKeyCrowder(options: HostileOptions): Promise<KeyCrowder> {
  const outsider = await createOutsider(options)
  const { inside, random } = outsider
  const { primitives } = inside
  const sybils: Outsider[] = []

  function nearest(target: Uint8Array, tries: number) {
    const self = primitives.sha256(target)
    const found = Array.from({ length: tries }, () => {
      const key = primitives.signing.generate(random)
      const at = primitives.sha256(utf8(slotKeyOf(key.publicKey)))
      return { key, distance: distanceOf(at, self) }
    })
    return found.reduce((a, b) => (b.distance < a.distance ? b : a)).key
  }

  const crowder: KeyCrowder = {
    ...seenOf(outsider),
    crowd(values, { near = new Uint8Array(), tries = 1 } = {}) {
      for (let i = 0; i < values; i++) {
        const key = nearest(near, tries)
        const now = outsider.clock.now()
        const fields = [
          1,
          key.publicKey,
          dayOf(now),
          u64be(now),
          random.bytes(24),
          new Uint8Array(SLOT_CT_SIZES[0] as number),
        ]
        const body = encode(fields)
        const signature = primitives.signing.sign(key, signedMessage('dht', body))
        outsider.offer(slotKeyOf(key.publicKey), concat(body, signature))
      }
    },
    async surround(servers) {
      const serves = { get: () => null, put: () => true }
      for (let i = 0; i < servers; i++) {
        sybils.push(await createOutsider({ ...options, name: `${options.name}-${sybils.length + 1}`, serves }))
      }
    },
    get servers() {
      return sybils.length
    },
    async leave() {
      for (const sybil of sybils.splice(0)) await sybil.leave()
      await outsider.leave()
    },
    [Symbol.asyncDispose]: () => crowder.leave(),
  }
  return crowder
}

function distanceOf(a: Uint8Array, b: Uint8Array): number {
  let distance = 0
  for (let i = 0; i < 6; i++) distance = distance * 256 + ((a[i] as number) ^ (b[i] as number))
  return distance
}
