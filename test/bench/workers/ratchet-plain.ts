import { createCipheriv, createDecipheriv, createSecretKey, hash, randomFillSync } from 'node:crypto'
import { serve } from '../worker.ts'
import { type RatchetTasks, TEXT_BYTES } from './ratchet-tasks.ts'
import { threadMs } from './thread-time.ts'

/**
 * The least that a symmetric ratchet can do: two HMACs (a message key, the next chain key) and AES-256-GCM of the text as it
 * is, on each side. No headers, no commitment, no padding, no turns.
 */
const TAG = { authTagLength: 16 }
const nonce = new Uint8Array(12)
const text = randomFillSync(new Uint8Array(TEXT_BYTES))

const inner = new Uint8Array(65).fill(0x36)
const outer = new Uint8Array(96).fill(0x5c)

function hmac(key: Uint8Array, message: number): Uint8Array {
  for (let i = 0; i < 32; i++) {
    inner[i] = (key[i] as number) ^ 0x36
    outer[i] = (key[i] as number) ^ 0x5c
  }
  inner[64] = message
  outer.set(hash('sha256', inner, 'buffer'), 64)
  return hash('sha256', outer, 'buffer')
}

function step(chainKey: Uint8Array): { messageKey: Uint8Array; chainKey: Uint8Array } {
  return { messageKey: hmac(chainKey, 1), chainKey: hmac(chainKey, 2) }
}

let sending: Uint8Array = randomFillSync(new Uint8Array(32))
let receiving = sending

function message(): void {
  const sealing = step(sending)
  sending = sealing.chainKey
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(sealing.messageKey), nonce, TAG)
  const ciphertext = cipher.update(text)
  cipher.final()
  const opening = step(receiving)
  receiving = opening.chainKey
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(opening.messageKey), nonce, TAG)
  decipher.setAuthTag(cipher.getAuthTag())
  decipher.update(ciphertext)
  decipher.final()
}

function timed(count: number): number {
  const start = threadMs()
  for (let i = 0; i < count; i++) message()
  return threadMs() - start
}

serve<RatchetTasks>({ burst: timed, pingPong: timed })
