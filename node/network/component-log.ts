import type { ComponentLogger, Logger as ComponentLog } from '@libp2p/interface'
import type { Logger } from '../api.ts'

/**
 * libp2p's own log as lines of a node's. What it tells as it goes is not taken: thousands of lines a minute. What it calls
 * an error is a peer that went away, on most days, so it is for `debug`. Its lines name peers, addresses and keys; of the
 * values in them only numbers and the names of errors are kept, and of its texts what looks like one of those is taken
 * out. `DEBUG` in the environment has no effect.
 */
export function componentLogger(logger: Logger): ComponentLogger {
  const forComponent = (component: string): ComponentLog =>
    Object.assign(nothing, {
      error: (format: unknown, ...values: readonly unknown[]) =>
        logger.debug({ component: withoutPeople(component) }, describe(format, values)),
      trace: nothing,
      enabled: false,
      newScope: (name: string) => forComponent(`${component}:${name}`),
    })
  return { forComponent }
}

const nothing = (): void => undefined

/** A text of libp2p with its values in it: `%d` a number, `%e` an error; of everything else only what it is. */
function describe(format: unknown, values: readonly unknown[]): string {
  if (typeof format !== 'string') return shown(format)
  const rest = values.values()
  return withoutPeople(format).replace(/%([a-zA-Z%])/g, (all, kind: string) => {
    if (kind === '%') return all
    const { value } = rest.next()
    return KINDS.get(kind) ?? shown(value)
  })
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ['p', '(a peer)'],
  ['a', '(an address)'],
  ['b', '(bytes)'],
  ['t', '(bytes)'],
  ['m', '(bytes)'],
  ['k', '(a key)'],
  ['c', '(a key)'],
])

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value)
  return value instanceof Error ? value.name : '(…)'
}

/** PeerIds, multiaddrs, host addresses, and any long run of digits or letters that could be a key. */
function withoutPeople(text: string): string {
  return text
    .replace(/\/(?:ip[46]|dns[46a-z]*|memory|unix)\/\S+/g, '(an address)')
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{0,4}:){2,}[0-9a-f]{0,4}\b/gi, '(an address)')
    .replace(/[\w+=-]{20,}/g, (run) => (/\d/.test(run) ? '(a key)' : run))
}
