/** How much somebody may ask for: `burst` at once, `perSecond` in the long run. */
export interface Rate {
  readonly burst: number
  readonly perSecond: number
}

interface Bucket {
  readonly left: number
  readonly at: number
}

/** Token buckets by name, of so many names at most; a name that was not heard of for long is forgotten with a full bucket. */
export interface Buckets {
  /** Whether `cost` is granted to this name now (ms). */
  take(name: string, cost: number, now: number): boolean
}

/** Bytes of a request to a mailbox that count as one more against its rate. */
export const BYTES_PER_TOKEN = 16_384

/** Names that are remembered; whoever is forgotten starts with a full bucket, which a connection limit has to bound. */
export const MAX_BUCKETS = 4096

export function createBuckets({ burst, perSecond }: Rate): Buckets {
  const buckets = new Map<string, Bucket>()
  return {
    take(name, cost, now) {
      const known = buckets.get(name) ?? { left: burst, at: now }
      // a clock that was set back grants nothing, and starts counting from there
      const gained = (Math.max(0, now - known.at) / 1000) * perSecond
      const left = Math.min(burst, known.left + gained)
      const granted = left >= cost
      buckets.delete(name)
      buckets.set(name, { left: granted ? left - cost : left, at: now })
      for (const oldest of buckets.keys()) {
        if (buckets.size <= MAX_BUCKETS) break
        buckets.delete(oldest)
      }
      return granted
    },
  }
}
