import { MAX_TEXT_BYTES } from '../../lib/conversation/contents.ts'
import { graphemesOf } from './cells.ts'

/** The longest text that one message carries, in UTF-8 bytes. */
export const MAX_MESSAGE_BYTES: number = MAX_TEXT_BYTES

/**
 * Cuts a text into messages: at the last line end that fits, else the last space, else between two characters. Nothing is
 * lost; put together again it is the same text, but for the line ends and spaces at which it was cut.
 */
export function partsOf(text: string, maxBytes: number = MAX_MESSAGE_BYTES): string[] {
  const parts: string[] = []
  let rest = text
  while (Buffer.byteLength(rest) > maxBytes) {
    const fits = fitting(rest, maxBytes)
    const head = rest.slice(0, fits)
    const at = Math.max(head.lastIndexOf('\n'), rest[fits] === '\n' ? fits : -1)
    const space = at > 0 ? at : head.lastIndexOf(' ')
    const end = space > 0 ? space : fits
    parts.push(rest.slice(0, end))
    rest = space > 0 ? rest.slice(end + 1) : rest.slice(end)
  }
  return [...parts, rest].filter((part) => part.trim() !== '')
}

/** How much of the beginning fits, in UTF-16 units, and ends between two characters. */
function fitting(text: string, maxBytes: number): number {
  let [bytes, end] = [0, 0]
  for (const { segment, index } of graphemesOf(text.slice(0, maxBytes + 1))) {
    bytes += Buffer.byteLength(segment)
    if (bytes > maxBytes) break
    end = index + segment.length
  }
  // a single character of more bytes than a message has: cut between code points
  return end > 0
    ? end
    : Buffer.from(text)
        .subarray(0, maxBytes)
        .toString('utf8')
        .replace(/\ufffd+$/, '').length
}
