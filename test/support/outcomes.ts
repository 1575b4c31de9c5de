import { afterAll } from 'vitest'
import { type Outcome, timeline } from '../../node/mesh/index.ts'

/** Rejections that nobody handled while the tests of the file that imports this ran. */
export const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
process.on('unhandledRejection', onUnhandled)
afterAll(() => void process.off('unhandledRejection', onUnhandled))

/** What somebody needs who looks for the reason why a seed failed. */
export function told({ seed, violations, lines }: Outcome): string {
  const story = timeline(lines)
  return [
    `SEED=${seed}`,
    ...violations.map(({ invariant, text }) => `${invariant}: ${text}`),
    `… ${story.length} lines, the last:`,
    ...story.slice(-40),
  ].join('\n')
}
