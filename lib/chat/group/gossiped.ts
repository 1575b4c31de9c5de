import type { Event } from '../events.ts'
import { count, type Machine } from '../machine.ts'

/** TODO(groups): looks at the frame. Until then nothing of any topic is known here, so it goes no further. */
export function onGossiped(machine: Machine, { number }: Extract<Event, { kind: 'gossiped' }>): void {
  count(machine, 'gossip-unknown')
  machine.effects.push({ kind: 'gossip-verdict', number, verdict: 'ignore' })
}
