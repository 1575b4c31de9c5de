/**
 * That somebody is writing just now. It is worth something at once or not at all: it never waits, wakes no dial, is never
 * repeated, and leaves the greater part of a chain of frames to what has to arrive.
 */
export interface Typing {
  /** Whether they are shown writing. */
  readonly active: boolean
  /** When that last began, ms; 0 for never. */
  readonly since: number
  /** When they last said so, ms. */
  readonly heardAt: number
  /** When this side last said something of the kind, ms; 0 for never. */
  readonly saidAt: number
}

export const NOT_TYPING: Typing = { active: false, since: 0, heardAt: 0, saidAt: 0 }
