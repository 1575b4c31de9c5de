import type { Command } from 'commander'
import type { Invocation } from './invocation.ts'

/** One command. `define` gives it arguments, options and its action; what is heavy is imported in the action. */
export interface Verb {
  /** Shown first in its help: whole command lines, three of them where there is so much to show. */
  readonly examples: readonly string[]
  define(command: Command, invocation: () => Invocation): void
}
