import type { Machine } from '../machine.ts'
import type { Fellow } from './state.ts'

/** What one member is sent because it asked, bytes: so much at once, and so much in a second. Who lacks more asks again. */
const MAX_AT_ONCE = 1 << 20
const MAX_PER_SECOND = 32 << 10

/** Whether a member may be sent what it asks for: a question is small, and what answers it may be the whole group. */
export function mayAnswer(machine: Machine, fellow: Fellow): boolean {
  const passed = Math.max(0, machine.now - fellow.answeredAt)
  fellow.answered = Math.max(0, fellow.answered - (passed * MAX_PER_SECOND) / 1_000)
  fellow.answeredAt = machine.now
  return fellow.answered < MAX_AT_ONCE
}

/** A member is sent so many bytes because it asked; below 0 for what was reckoned before and is not sent. */
export function answered(fellow: Fellow, bytes: number): void {
  fellow.answered = Math.max(0, fellow.answered + bytes)
}
