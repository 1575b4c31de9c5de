import { setTimeout as pause } from 'node:timers/promises'
import type { Message } from '../../node/api.ts'
import { callRunning } from '../caller.ts'
import { type Caller, createClient } from '../client.ts'
import { failureOf } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { askNames, type Names } from '../names.ts'
import type { EventJson } from '../shapes.ts'
import { locateSocket, tryConnect } from '../socket-path.ts'

export type Happening =
  /** The node answers, at first or again: what it knows now. */
  | {
      readonly kind: 'opened'
      readonly caller: Caller
      /** With whom, and who is called what. */
      readonly names: Names
      readonly messages: readonly Message[]
    }
  | { readonly kind: 'event'; readonly event: EventJson }
  /** The node is gone; it is looked for until it is back. */
  | { readonly kind: 'away' }

/** Messages that are asked for when the node is back: more than came while nobody listened, mostly. */
const CAUGHT_UP = 500
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000

/** Waits for a node on this home. Rejects when the signal fires. */
async function findAgain({ home }: Invocation, signal: AbortSignal): Promise<Caller> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    await pause(pauseMs, undefined, { signal })
    const socket = await tryConnect(await locateSocket(home))
    if (socket !== undefined) return createClient(socket)
  }
}

/** Whether an error says that the node went away, and nothing about what was asked. */
export function isGone(error: unknown): boolean {
  const { code } = failureOf(error)
  return code === 'stopped' || code === 'no-node'
}

/**
 * What of a conversation came since it was shown: of what was not shown, all that stands behind something that was. What
 * stands before is older than the history that was asked for at first.
 */
export function newcomers(messages: readonly Message[], isKnown: (id: string) => boolean): readonly Message[] {
  const first = messages.findIndex(({ id }) => isKnown(id))
  return messages.filter(({ id }, at) => at > first && !isKnown(id))
}

async function* listen(caller: Caller, who: string, last: number, signal: AbortSignal): AsyncIterable<Happening> {
  const names = await askNames(caller, who, signal)
  for await (const { event } of caller.events({ signal })) {
    if (event.kind !== 'snapshot') {
      names.learn(event)
      yield { kind: 'event', event }
      continue
    }
    // what happens from here on waits behind the history
    const messages = await caller.call('message.list', { who: names.id, last }, { signal })
    yield { kind: 'opened', caller, names, messages }
  }
}

/**
 * What happens in a conversation: first what was, then what comes, over as many runs of the node as it takes. Rejects with
 * what the node refuses, with `no-node` when none runs at first; ends with the signal.
 */
export async function* follow(
  invocation: Invocation,
  options: { who: string; last: number; signal: AbortSignal },
): AsyncIterable<Happening> {
  const { signal } = options
  let caller = await callRunning(invocation)
  let { who, last } = options
  for (;;) {
    try {
      for await (const happening of listen(caller, who, last, signal)) {
        // a name may be another's when the node is back
        if (happening.kind === 'opened') who = happening.names.id
        yield happening
      }
    } catch (error) {
      if (signal.aborted) return
      if (!isGone(error)) throw error
    } finally {
      await caller[Symbol.asyncDispose]()
    }
    if (signal.aborted) return
    yield { kind: 'away' }
    last = CAUGHT_UP
    try {
      caller = await findAgain(invocation, signal)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
  }
}
