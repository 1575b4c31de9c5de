/** A `Buffer`'s bytes as what the interface promises: `Buffer.slice` shares memory and its JSON shows the content. */
export function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
