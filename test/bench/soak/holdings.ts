/** What a process held at a moment. */
export interface Holdings {
  /** Live objects of JavaScript after a collection, MiB. */
  readonly heap: number
  /** Memory outside of it that they own, MiB. */
  readonly external: number
  /** MiB; with the files that the database maps. */
  readonly resident: number
  readonly descriptors: number | null
  readonly timers: number
  /** What else keeps an event loop alive: sockets, servers, requests under way. */
  readonly handles: number
  readonly links: number
  /** Messages that are not delivered yet. */
  readonly queued: number
  /** Processor time since the sample before, as a share of one core. */
  readonly cpu: number
}

/** All people at one moment. */
export interface Sample {
  /** Since the traffic began. */
  readonly minutes: number
  readonly sent: number
  readonly delivered: number
  /** From the call of `send` to the arrival at the other person, of what arrived since the sample before, ms. */
  readonly arrival: { readonly p50: number; readonly p99: number } | null
  readonly people: readonly Holdings[]
}
