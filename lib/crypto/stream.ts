import { concat } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import type { Primitives } from './primitives.ts'

/**
 * A long text in pieces, so that neither side holds it whole: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár,
 * "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015, §7; age uses it too) over AES-256-GCM.
 *
 * Why it is safe: the key is fresh and seals one stream, once. The nonce of a piece is its number and whether it is the last
 * one, so no nonce repeats, and a piece opens at its own place only: moved, repeated, left out or cut off, the stream does not
 * open. What is given out before the end is authentic as far as it goes; that it is whole is known at the end and not before.
 */
type StreamPrimitives = Pick<Primitives, 'aesGcm'>

/** Bytes of a piece in clear; the last one may be shorter. */
export const STREAM_PIECE_BYTES = 65_536

const TAG_BYTES = 16
const SEALED_PIECE_BYTES: number = STREAM_PIECE_BYTES + TAG_BYTES

/** One TiB; the counter of the nonce has room for 256 times that. */
const MAX_PIECES: number = 2 ** 24

/** Seals what is pushed, in pieces as they are full. */
export interface SealingStream {
  /** The pieces that became full. Throws `limit` beyond 2^24 of them. */
  push(plaintext: Uint8Array): Uint8Array
  /** The last piece; nothing may follow. */
  end(): Uint8Array
}

/** Opens what `SealingStream` gave, in whatever portions it comes. */
export interface OpeningStream {
  /** What these bytes made readable. Throws `unauthentic`. */
  push(ciphertext: Uint8Array): Uint8Array
  /** The rest. Throws `unauthentic` also when the stream was cut off, or when something follows its end. */
  end(): Uint8Array
}

/** `0⁷ || u32be number || 1 for the last piece`, as for files. */
function nonceOf(piece: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setUint32(7, piece)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

/** `key`: 32 fresh bytes that seal nothing else. `ad` is bound to every piece. */
export function sealingStream(primitives: StreamPrimitives, key: Uint8Array, ad: Uint8Array): SealingStream {
  const pending = new Uint8Array(STREAM_PIECE_BYTES)
  let filled = 0
  let piece = 0
  let ended = false

  function seal(isLast: boolean): Uint8Array {
    if (ended) throw new TypeError('the stream has ended')
    if (piece >= MAX_PIECES) throw new ProtocolError('limit', `stream: at most ${MAX_PIECES} pieces`)
    ended = isLast
    const sealed = primitives.aesGcm.seal(key, nonceOf(piece++, isLast), ad, pending.subarray(0, filled))
    filled = 0
    return sealed
  }

  return {
    push(plaintext) {
      const sealed: Uint8Array[] = []
      for (let at = 0; at < plaintext.length; ) {
        // A full piece waits for one more byte, since the last one says that it is the last.
        if (filled === STREAM_PIECE_BYTES) sealed.push(seal(false))
        const taken = plaintext.subarray(at, at + STREAM_PIECE_BYTES - filled)
        pending.set(taken, filled)
        filled += taken.length
        at += taken.length
      }
      return concat(...sealed)
    },
    end() {
      const last = seal(true)
      pending.fill(0)
      return last
    },
  }
}

export function openingStream(primitives: StreamPrimitives, key: Uint8Array, ad: Uint8Array): OpeningStream {
  let pending: Uint8Array = new Uint8Array(0)
  let piece = 0

  function open(ciphertext: Uint8Array, isLast: boolean): Uint8Array {
    if (piece >= MAX_PIECES) throw new ProtocolError('limit', `stream: at most ${MAX_PIECES} pieces`)
    const plaintext = primitives.aesGcm.open(key, nonceOf(piece, isLast), ad, ciphertext)
    if (plaintext === null) throw new ProtocolError('unauthentic', `stream: piece ${piece} was altered or moved`)
    // Only an empty stream has an empty piece: otherwise one stream could be written in two ways.
    if (plaintext.length === 0 && piece > 0) throw new ProtocolError('unauthentic', 'stream: an empty piece')
    piece++
    return plaintext
  }

  return {
    push(ciphertext) {
      const all = concat(pending, ciphertext)
      const opened: Uint8Array[] = []
      let at = 0
      for (; all.length - at > SEALED_PIECE_BYTES; at += SEALED_PIECE_BYTES) {
        opened.push(open(all.subarray(at, at + SEALED_PIECE_BYTES), false))
      }
      pending = all.slice(at)
      return concat(...opened)
    },
    end() {
      if (pending.length < TAG_BYTES) throw new ProtocolError('unauthentic', 'stream: it was cut off')
      return open(pending, true)
    },
  }
}
