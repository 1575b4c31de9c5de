import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readOwnVectors } from '../support/vectors.ts'

// The ratchet once more, from its description and Node's cryptography alone: frozen vectors that only the program
// which wrote them can read would prove little.

interface Seal {
  readonly seal: number
  readonly chain: number
  readonly n: number
  readonly payloads: readonly string[]
  readonly random: readonly string[]
  readonly step?: {
    readonly ikm: string
    readonly rootKey: string
    readonly chainKey: string
    readonly headerKey: string
    readonly nextHeaderKey: string
    readonly pn: number
    readonly pq: number
  }
  readonly messageSecret: string
  readonly frame: string
}

interface Ratchet {
  readonly start: Readonly<Record<'sessionId' | 'rootKey' | 'headerKey0' | 'chainKey0' | 'headerKey1', string>>
  readonly events: readonly (Seal | { readonly open: number })[]
}

interface Handshake {
  readonly cases: readonly {
    readonly shared: Readonly<Record<'DH(e_A, IK_B)' | 'DH(e_A, SPK_B)' | 'ss' | 'DH(IK_A, SPK_B)', string>>
    readonly responder: Readonly<Record<'aid' | 'did' | 'identityPublicKey' | 'prekey', string>>
    readonly prefix: string
    readonly identity: string
    readonly session: Readonly<Record<string, string>>
    readonly transcript: readonly { readonly h: string; readonly ck: string }[]
  }[]
}

const from = (hex: string) => Buffer.from(hex, 'hex')
const utf8 = (text: string) => Buffer.from(text)
const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const hmac = (key: Uint8Array, ...parts: Uint8Array[]) =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest()
const hkdf = (salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number) =>
  Buffer.from(hkdfSync('sha256', ikm, salt, info, length))
const lv = (bytes: Uint8Array) => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
const gcm = (key: Uint8Array, ad: Uint8Array, plaintext: Uint8Array) => {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12)).setAAD(ad)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}
const openHeader = (key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array) => {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
  decipher.setAAD(ad, { plaintextLength: sealed.length - 16 }).setAuthTag(sealed.subarray(-16))
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
}
const cborHead = (major: number, length: number) => {
  if (length < 24) return Buffer.from([major + length])
  return length < 256 ? Buffer.from([major + 24, length]) : Buffer.from([major + 25, length >> 8, length & 255])
}

describe('ratchet.json, read by the description alone', () => {
  const { start, events } = readOwnVectors('ratchet.json') as Ratchet
  const id = from(start.sessionId)
  const seals = events.filter((event) => 'seal' in event)

  it('derives every chain from the root key before it', () => {
    let rootKey = from(start.rootKey)
    let headerKey = from(start.headerKey1)
    let chain = 0
    for (const { step } of seals) {
      if (step === undefined) continue
      chain++
      const keys = hkdf(rootKey, from(step.ikm), Buffer.concat([utf8('sotto/1 rk'), id]), 96)
      expect(step.headerKey).toBe(headerKey.toString('hex'))
      expect(step.rootKey + step.chainKey + step.nextHeaderKey).toBe(keys.toString('hex'))
      const parts = [32, chain === 1 || step.pq > 0 ? 32 : 0, chain === 1 ? 32 : 0]
      expect(step.ikm.length / 2).toBe(parts.reduce((sum, part) => sum + 4 + part, 0))
      rootKey = keys.subarray(0, 32)
      headerKey = keys.subarray(64)
    }
    expect(chain).toBeGreaterThan(50)
  })

  it('seals every frame to the same bytes', () => {
    const chains = [0, 1].map(() => ({
      chainKey: Buffer.alloc(0),
      headerKey: Buffer.alloc(0),
      pn: 0,
      pq: 0,
      length: 0,
    }))
    Object.assign(chains[0] ?? {}, { chainKey: from(start.chainKey0), headerKey: from(start.headerKey0) })
    for (const event of seals) {
      const own = chains[event.chain % 2]
      if (own === undefined) throw new Error('no chain')
      if (event.step !== undefined) {
        const { chainKey, headerKey, pn, pq } = event.step
        expect(pn).toBe(own.length)
        Object.assign(own, { chainKey: from(chainKey), headerKey: from(headerKey), pn, pq, length: 0 })
      }
      expect(event.n).toBe(own.length++)
      const secret = hmac(own.chainKey, Buffer.from([1]))
      own.chainKey = hmac(own.chainKey, Buffer.from([2]))
      expect(event.messageSecret).toBe(secret.toString('hex'))

      const frame = from(event.frame)
      const overhead = event.chain === 1 ? 1178 : 90
      const payloads = event.payloads.map(from).flatMap((payload) => [cborHead(0x40, payload.length), payload])
      const padded = Buffer.alloc(frame.length - overhead)
      Buffer.concat([cborHead(0x80, event.payloads.length), ...payloads, Buffer.from([0x80])]).copy(padded)
      const salt = hmac(secret, from(event.random.at(-1) ?? ''), sha256(padded)).subarray(0, 16)
      const head = frame.subarray(0, overhead - 16)
      const header = openHeader(own.headerKey, salt.subarray(0, 12), id, head.subarray(17))
      expect([header.readUInt32BE(32), header.readUInt32BE(36), header[40]]).toEqual([own.pn, event.n, own.pq])
      const key = hmac(secret, utf8('sotto/1 msg'), salt)
      const body = gcm(key, Buffer.concat([lv(id), lv(head)]), padded)
      expect(event.frame).toBe(
        Buffer.concat([Buffer.from([event.chain === 1 ? 3 : 2]), salt, head.subarray(17), body]).toString('hex'),
      )
      expect([256, 512, 1024, 2048]).toContain(frame.length)
    }
  })
})

describe('handshake.json, read by the description alone', () => {
  const { cases } = readOwnVectors('handshake.json') as Handshake
  it.each(cases)('runs through the same transcript', ({ shared, responder, prefix, identity, session, transcript }) => {
    let h = sha256(utf8('sotto/1 hs X25519+MLKEM768_AESGCM_SHA256'))
    let ck = h
    let k = Buffer.alloc(0)
    const mixHash = (data: Uint8Array) => {
      h = sha256(h, lv(data))
    }
    const mixKey = (secret: string) => {
      const both = hkdf(ck, from(secret), utf8('sotto/1 mix'), 64)
      ck = both.subarray(0, 32)
      k = both.subarray(32)
    }
    const bytes = from(prefix)
    mixHash(Buffer.from([1, 0]))
    const identityKey = from(responder.identityPublicKey)
    mixHash(Buffer.concat([from(responder.aid), from(responder.did), identityKey, sha256(from(responder.prekey))]))
    mixHash(bytes.subarray(0, 1131))
    mixKey(shared['DH(e_A, IK_B)'])
    mixKey(shared['DH(e_A, SPK_B)'])
    mixKey(shared.ss)
    const sid = gcm(k, h, from(identity))
    expect(bytes.subarray(1131)).toEqual(lv(sid))
    mixHash(sid)
    mixKey(shared['DH(IK_A, SPK_B)'])
    expect([h.toString('hex'), ck.toString('hex')]).toEqual([transcript.at(-1)?.h, transcript.at(-1)?.ck])
    expect(session['sessionId']).toBe(h.toString('hex'))
    const keys = hkdf(ck, Buffer.alloc(0), utf8('sotto/1 split'), 128).toString('hex')
    expect(`${session['rootKey']}${session['chainKey']}${session['headerKey0']}${session['headerKey1']}`).toBe(keys)
    expect(session['linkKey']).toBe(hkdf(ck, Buffer.alloc(0), utf8('sotto/1 link'), 32).toString('hex'))
  })
})
