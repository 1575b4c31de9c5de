import { crc32 } from 'node:zlib'

/** A cheap checksum of the parts (CRC-32 of their bytes): enough to tell two runs apart, no protection against anybody. */
export function checksum(...parts: readonly Uint8Array[]): number {
  let sum = parts.length
  for (const part of parts) sum = crc32(part, sum)
  return sum
}
