import { utf8 } from '../../../lib/bytes.ts'
import type { Aead, Primitives } from '../../../lib/crypto/primitives.ts'
import type { RawRange, RowOf } from '../../store/store.ts'
import { checksum } from './checksum.ts'

/** In every text that a scenario lets people write; whoever finds these bytes outside of a node has found plaintext. */
export const CANARY = 'canary:'

/**
 * Looks at what leaves the processes of a mesh for what must never be there: plaintext on the wire, on a disk, in a slot
 * or in a log (I5), and two plaintexts that were sealed under one key and nonce (I10).
 */
export interface Watch {
  readonly violations: readonly string[]
  sent(from: string, to: string, bytes: Uint8Array): void
  published(by: string, value: Uint8Array): void
  written(by: string, batch: readonly RowOf<RawRange>[]): void
  logged(by: string, fields: unknown, message: string): void
  /** The same primitives, of which every seal is remembered. */
  sealing(primitives: Primitives): Primitives
}

/** Enough to name one violation of a kind; a leak repeats itself. */
const MAX_VIOLATIONS = 20

export function createWatch(): Watch {
  const violations: string[] = []
  const canary = Buffer.from(utf8(CANARY))
  /** By key and nonce a checksum of what was sealed under them. */
  const seals = new Map<string, number>()

  function report(text: string): void {
    if (violations.length < MAX_VIOLATIONS) violations.push(text)
  }

  function look(bytes: Uint8Array, where: string): void {
    if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(canary)) report(`I5: plaintext ${where}`)
  }

  function remembering(name: string, aead: Aead): Aead {
    return {
      ...aead,
      seal(key, nonce, ad, plaintext, before) {
        const place = `${name} ${latin1(key)}${latin1(nonce)}`
        const sealed = checksum(ad, plaintext)
        const known = seals.get(place)
        if (known !== undefined && known !== sealed) report(`I10: one key and nonce of ${name} sealed two plaintexts`)
        seals.set(place, sealed)
        return aead.seal(key, nonce, ad, plaintext, before)
      },
    }
  }

  return {
    violations,
    sent: (from, to, bytes) => look(bytes, `on the wire from ${from} to ${to}`),
    published: (by, value) => look(value, `in a slot of ${by}`),
    written(by, batch) {
      for (const { range, key, value } of batch) {
        look(key, `in a key of "${range}" on the disk of ${by}`)
        if (value) look(value, `in "${range}" on the disk of ${by}`)
      }
    },
    logged(by, fields, message) {
      if (`${message} ${JSON.stringify(fields)}`.includes(CANARY)) report(`I5: plaintext in the log of ${by}`)
    },
    sealing: (primitives) => ({
      ...primitives,
      aesGcm: remembering('AES-256-GCM', primitives.aesGcm),
      chacha: remembering('ChaCha20-Poly1305', primitives.chacha),
      xchacha: remembering('XChaCha20-Poly1305', primitives.xchacha),
    }),
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
