import type { Player, Result } from './players.ts'

/** Which seeds are played, and until when. */
export interface Campaign {
  readonly first: number
  readonly seeds: number
  /** No seed is begun after so many ms. */
  readonly forMs?: number
  /** Each plays one seed at a time. */
  readonly players: readonly Player[]
  readonly signal: AbortSignal
  /** A seed was played. */
  played(result: Result): void
}

/** Plays all seeds and gives the results in their order. */
export async function runCampaign({ first, seeds, forMs, players, signal, played }: Campaign): Promise<Result[]> {
  const results: Result[] = []
  const began = performance.now()
  let next = first

  async function work(player: Player): Promise<void> {
    while (next < first + seeds && !signal.aborted) {
      if (forMs !== undefined && performance.now() - began >= forMs) return
      const result = await player.play(next++)
      results.push(result)
      played(result)
    }
  }

  try {
    await Promise.all(players.map(work))
  } finally {
    for (const player of players) player.end()
  }
  return results.sort((a, b) => Number(a.seed) - Number(b.seed))
}
