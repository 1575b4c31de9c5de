import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomFillSync,
} from 'node:crypto'
import { serve } from '../worker.ts'
import { type RatchetTasks, RUN_MESSAGES, TEXT_BYTES } from './ratchet-tasks.ts'
import { threadMs } from './thread-time.ts'

/**
 * The same calls as a frame of ours makes, in the fastest form that Node has for each, with nothing around them: no
 * states, no copies of keys, no encodings. Whatever our ratchet costs beyond this is its own doing.
 */

/** A frame of 512 B without what is added to the padded payload. */
const PADDED_BYTES = 512 - 90
const TAG = { authTagLength: 16 }

const key = randomFillSync(new Uint8Array(32))
const nonce = new Uint8Array(12)
const sessionId = randomFillSync(new Uint8Array(32))
const header = randomFillSync(new Uint8Array(41))
const head = new Uint8Array(8 + 32 + 74)
const padded = new Uint8Array(PADDED_BYTES)
randomFillSync(padded.subarray(0, TEXT_BYTES))
const short = randomFillSync(new Uint8Array(64 + 48))
const outer = randomFillSync(new Uint8Array(64 + 32))
const random = new Uint8Array(16)

/** An HMAC whose blocks are put together already. */
function hmac(): void {
  hash('sha256', short, 'buffer')
  hash('sha256', outer, 'buffer')
}

function seal(cipherName: 'aes-256-gcm' | 'chacha20-poly1305', ad: Uint8Array, plaintext: Uint8Array): Sealed {
  // TypeScript tells the two apart; at run time they are one class.
  const name = cipherName as 'aes-256-gcm'
  const cipher = createCipheriv(name, createSecretKey(key), nonce, TAG)
  cipher.setAAD(ad, { plaintextLength: plaintext.length })
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return { ciphertext, tag: cipher.getAuthTag() }
}

interface Sealed {
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

function open(cipherName: 'aes-256-gcm' | 'chacha20-poly1305', ad: Uint8Array, { ciphertext, tag }: Sealed): void {
  const decipher = createDecipheriv(cipherName as 'aes-256-gcm', createSecretKey(key), nonce, TAG)
  decipher.setAAD(ad, { plaintextLength: ciphertext.length })
  decipher.setAuthTag(tag)
  decipher.update(ciphertext)
  decipher.final()
}

/** Sealed: message key, next chain key, salt, body key; opened: the same without the salt. */
function message(): void {
  randomFillSync(random)
  hash('sha256', padded, 'buffer')
  for (let i = 0; i < 4; i++) hmac()
  const sealedHead = seal('chacha20-poly1305', sessionId, header)
  const sealedBody = seal('aes-256-gcm', head, padded)
  open('chacha20-poly1305', sessionId, sealedHead)
  for (let i = 0; i < 3; i++) hmac()
  open('aes-256-gcm', head, sealedBody)
}

let theirs: KeyObject = createPublicKey(generateKeyPairSync('x25519').privateKey)
let mine: KeyObject = generateKeyPairSync('x25519').privateKey

/** What stands before the bytes of a key (RFC 8410). */
const SPKI_X25519 = 'MCowBQYDK2VuAyEA'

/** A new key, told to the other side, agreed upon by both; each derives three keys from it (HKDF of 96 bytes: four HMACs). */
function turn(): void {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  diffieHellman({ privateKey, publicKey: theirs })
  for (let i = 0; i < 4; i++) hmac()
  const base64 = Buffer.from(x, 'base64url').toString('base64')
  const received = createPublicKey(`-----BEGIN PUBLIC KEY-----\n${SPKI_X25519}${base64}\n-----END PUBLIC KEY-----`)
  diffieHellman({ privateKey: mine, publicKey: received })
  for (let i = 0; i < 4; i++) hmac()
  mine = privateKey
  theirs = received
}

function timed(count: number, each: (i: number) => void): number {
  const start = threadMs()
  for (let i = 0; i < count; i++) each(i)
  return threadMs() - start
}

serve<RatchetTasks>({
  burst: (count) =>
    timed(count, (i) => {
      if (i % RUN_MESSAGES === 0) turn()
      message()
    }),
  pingPong: (count) =>
    timed(count, () => {
      turn()
      message()
    }),
})
