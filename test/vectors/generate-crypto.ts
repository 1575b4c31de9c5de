import { writeFileSync } from 'node:fs'
import { toHex, utf8 } from '../../lib/bytes.ts'
import { blindingFactor, blindPrivateKey, blindPublicKey, signBlinded } from '../../lib/crypto/blinding.ts'
import { maxPlaintextBytes, pad, paddedSize } from '../../lib/crypto/padding.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { signedMessage } from '../../lib/crypto/signed.ts'
import { native } from '../../node/crypto.ts'
import { seededRandom } from '../support/random.ts'

/** What `blinding.json` holds. All values are hexadecimal but `day`. */
export function blindingVectors(primitives: Primitives): object {
  const random = seededRandom('blinding vectors')
  const message = utf8('a record')
  const cases = [0, 1, 20_000, 2 ** 32 - 1].map((day, i) => {
    const key = primitives.signing.generate(random)
    const secret = i === 0 ? new Uint8Array(32) : random.bytes(32)
    const h = blindingFactor(primitives, key.publicKey, secret, day)
    const blinded = blindPrivateKey(primitives, key, h)
    const blindedPublicKey = blindPublicKey(key.publicKey, h)
    if (blindedPublicKey === null) throw new Error('an honest key was refused')
    return {
      seed: toHex(key.exportSeed()),
      publicKey: toHex(key.publicKey),
      secret: toHex(secret),
      day,
      h: toHex(h),
      blindedPublicKey: toHex(blindedPublicKey),
      signature: toHex(signBlinded(primitives, blinded, signedMessage('dht', message))),
    }
  })
  return {
    about:
      'Blinded keys: h = clamp(SHA-256("sotto/1 blind" || publicKey || secret || u32be day)), h times publicKey, and a signature of type dht by it.',
    message: toHex(message),
    cases,
  }
}

/** What `padding.json` holds: sizes by overhead and length, and whole paddings of short plaintexts. */
export function paddingVectors(): object {
  const lengths = [0, 1, 100, 165, 166, 421, 422, 933, 934, 1957, 1958, 4005, 4006, 4261, 4262, 8101, 8102, 8613, 8614]
  const overheads = [0, 90, 1178]
  return {
    about: 'Padding is 0x80 then zeros. A size is [frame overhead, plaintext length, padded plaintext length].',
    sizes: overheads.flatMap((overhead) =>
      [...lengths, maxPlaintextBytes(overhead)].map((length) => [overhead, length, paddedSize(overhead, length)]),
    ),
    padded: ['', '00', '80', '8000', toHex(utf8('hello'))].map((hex) => ({
      overhead: 240,
      plaintext: hex,
      padded: toHex(pad(Uint8Array.from(Buffer.from(hex, 'hex')), 240)),
    })),
    invalid: ['', '00', '0000000000', '81', '808100', '68656c6c6f0000', '8001'],
  }
}

if (import.meta.main) {
  for (const [file, content] of [
    ['blinding.json', blindingVectors(native)],
    ['padding.json', paddingVectors()],
  ] as const) {
    writeFileSync(new URL(file, import.meta.url), `${JSON.stringify(content, null, 2)}\n`)
  }
}
