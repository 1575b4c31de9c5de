import { InvalidArgumentError } from 'commander'
import { parseDuration } from './duration.ts'
import { CliError } from './errors.ts'
import { isHistory } from './history.ts'

/** A flag that takes one of some words; words of later versions are named as such. */
export function choice<T extends string>(words: readonly T[], later: readonly string[] = []): (text: string) => T {
  return (text) => {
    const word = words.find((candidate) => candidate === text)
    if (word !== undefined) return word
    if (later.includes(text))
      throw new InvalidArgumentError(`It comes in a later version; now there are ${words.join(', ')}.`)
    throw new InvalidArgumentError(`It is one of ${words.join(', ')}.`)
  }
}

/** A flag that takes addresses, many at once or again and again. What they must be: a multiaddr, for `bootstrap` with the peer. */
export function addresses(
  use: 'listen' | 'bootstrap' | 'announce',
): (text: string, before?: readonly string[]) => string[] {
  return (text, before) => {
    checkAddress(text, use)
    return [...(before ?? []), text]
  }
}

/** Refuses early what can be no address; the network reads it in full. Throws `InvalidArgumentError`. */
export function checkAddress(text: string, use: 'listen' | 'bootstrap' | 'announce'): void {
  if (!/^\/[a-z0-9]+\/\S+$/.test(text)) throw new InvalidArgumentError('An address looks like /ip4/192.0.2.1/tcp/4001.')
  if (use === 'bootstrap' && !/\/p2p\/[1-9A-Za-z]+$/.test(text)) {
    throw new InvalidArgumentError('An address of a bootstrap node ends in /p2p/ and its peer id.')
  }
}

/** A flag that takes a whole number within bounds. */
export function count(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (number >= min && number <= max) return number
    throw new InvalidArgumentError(`It is a number from ${min} to ${max}.`)
  }
}

/** A flag that takes a duration; gives milliseconds. */
export function duration(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    throw error instanceof CliError ? new InvalidArgumentError(error.message) : error
  }
}

/** A flag that takes the number of a file descriptor. */
export function fileDescriptor(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('A file descriptor is a number.')
  return Number(text)
}

/** A flag that says how long messages stay: `off`, `keep` or a duration. */
export function history(text: string): string {
  if (isHistory(text)) return text
  throw new InvalidArgumentError('It is off, keep or a duration, for example 30d.')
}
