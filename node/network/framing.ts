import { malformed } from '../../lib/wire.ts'
import { MAX_LINK_MESSAGE_BYTES } from './network.ts'

/** Bytes of the longest length prefix: three groups of seven bits reach 2 MiB, well above `MAX_MESSAGE_BYTES`. */
const MAX_PREFIX_BYTES = 3

/** How many bytes the prefix of a message of this length takes. */
function prefixBytes(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : 3
}

/**
 * The messages one after the other, each behind its length as an unsigned varint (the framing of libp2p's `lpStream`), as
 * one array, so that a batch is one write. Throws a `TypeError` for a message that is empty or over the limit.
 */
export function encodeMessages(messages: readonly Uint8Array[], maxBytes: number = MAX_LINK_MESSAGE_BYTES): Uint8Array {
  let total = 0
  for (const { length } of messages) {
    if (length === 0 || length > maxBytes) {
      throw new TypeError(`a link message has 1 to ${maxBytes} bytes, got ${length}`)
    }
    total += prefixBytes(length) + length
  }
  const whole = new Uint8Array(total)
  let at = 0
  for (const message of messages) {
    let rest = message.length
    while (rest >= 0x80) {
      whole[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    whole[at++] = rest
    whole.set(message, at)
    at += message.length
  }
  return whole
}

/** Cuts what arrives in chunks of any size into messages. */
export interface MessageSplitter {
  /** Takes over the next bytes of the stream. */
  push(chunk: Uint8Array): void
  /**
   * The next whole message as a copy of its own, or undefined when more bytes are needed. Throws `malformed` for a length
   * that is zero, over the limit or not in its shortest form; the stream is of no use after that.
   */
  next(): Uint8Array | undefined
  /** Bytes that wait to be cut. */
  readonly buffered: number
}

/** A splitter for the framing of `encodeMessages`. It holds what was pushed and nothing more. */
export function createMessageSplitter(maxBytes: number = MAX_LINK_MESSAGE_BYTES): MessageSplitter {
  let buffer = new Uint8Array(0)
  let at = 0
  return {
    push(chunk) {
      if (at === buffer.length) {
        buffer = new Uint8Array(chunk)
      } else {
        const joined = new Uint8Array(buffer.length - at + chunk.length)
        joined.set(buffer.subarray(at))
        joined.set(chunk, buffer.length - at)
        buffer = joined
      }
      at = 0
    },
    next() {
      let length = 0
      let prefix = 0
      for (;;) {
        const byte = buffer[at + prefix]
        if (byte === undefined) return undefined
        length |= (byte & 0x7f) << (7 * prefix)
        prefix++
        if (byte < 0x80) break
        if (prefix === MAX_PREFIX_BYTES) throw malformed('the length of a link message is too long')
      }
      if (length === 0 || length > maxBytes || prefix !== prefixBytes(length)) {
        throw malformed(`a link message has 1 to ${maxBytes} bytes, got ${length}`)
      }
      if (buffer.length - at < prefix + length) return undefined
      const message = buffer.slice(at + prefix, at + prefix + length)
      at += prefix + length
      return message
    },
    get buffered() {
      return buffer.length - at
    },
  }
}
