/**
 * A copy of its own as a plain `Uint8Array`. libp2p hands out Node `Buffer`s, cut from shared memory: their `slice` does not
 * copy, so code that alters what it believes to be its copy alters the original (a signature check did, and failed). Every
 * byte array from libp2p passes through here before anything else sees it.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
