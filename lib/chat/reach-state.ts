/**
 * Keeping in touch with one person: last known place, then the DHT, then a pause that grows, and again; any sign of
 * life starts over. Who answered is for the link's proof to say; this only opens links.
 *
 * ```
 *   idle ──want──▶ connecting ──unreachable──▶ resolving ──resolved──▶ connecting ──unreachable──▶ waiting ──timer──▶ …
 *                       └────── opened ──▶ open ──closed──▶ waiting
 * ```
 */
export interface Reach {
  readonly phase: 'idle' | 'connecting' | 'resolving' | 'open' | 'waiting'
  /** Rounds without success since the last sign of life. */
  readonly attempts: number
  /** Whether this round has asked the DHT already. */
  readonly resolved: boolean
  /** Links in a row that were proved to be theirs and were gone at once. */
  readonly flaps: number
}

export const IDLE: Reach = { phase: 'idle', attempts: 0, resolved: false, flaps: 0 }
