import { randomUUID } from 'node:crypto'
import type { Message } from '../../node/api.ts'
import { NodeError } from '../../node/errors.ts'
import type { Caller } from '../client.ts'
import { isGone } from './feed.ts'
import { partsOf } from './parts.ts'

/** What became of a text: the messages that were accepted, and what of it was not, with the reason. */
export interface Accepted {
  readonly messages: readonly Message[]
  readonly left?: { readonly text: string; readonly error: unknown }
}

export interface Outgoing {
  /** Sends a text, as several messages where one does not hold it, behind everything that was sent before. Never rejects. */
  send(text: string, replyTo?: string): Promise<Accepted>
  /** Resolves when everything that was sent was accepted or not. */
  settled(): Promise<unknown>
}

/**
 * Sends texts one after the other over whatever connection there is. A text whose answer was lost keeps its key: sent
 * once more, it is the same message.
 */
export function createOutgoing(connection: () => { caller: Caller; who: string } | undefined): Outgoing {
  const doubtful = new Map<string, string>()
  let last: Promise<unknown> = Promise.resolve()

  async function sendParts(text: string, replyTo: string | undefined): Promise<Accepted> {
    const parts = partsOf(text)
    const messages: Message[] = []
    for (const [at, part] of parts.entries()) {
      const key = doubtful.get(part) ?? randomUUID()
      doubtful.set(part, key)
      try {
        const to = connection()
        if (to === undefined) throw new NodeError('stopped', 'The node is away.')
        const answers = at === 0 && replyTo !== undefined ? { replyTo } : {}
        messages.push(await to.caller.call('message.send', { who: to.who, text: part, key, ...answers }))
        doubtful.delete(part)
      } catch (error) {
        if (!isGone(error)) doubtful.delete(part)
        return { messages, left: { text: parts.slice(at).join('\n'), error } }
      }
    }
    return { messages }
  }

  return {
    send(text, replyTo) {
      const sending = last.then(() => sendParts(text, replyTo))
      last = sending
      return sending
    },
    settled: () => last,
  }
}
