import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { createLink } from '../../../node/network/chat-stream.ts'
import { encodeMessages } from '../../../node/network/framing.ts'
import { until } from '../../support/network.ts'

/** A stream whose peer had closed its half before anybody listened, with something still to be read. */
class LateStream extends EventTarget {
  inactivityTimeout = 0
  maxWriteBufferLength = 0
  status = 'open'
  readStatus = 'readable'
  writeStatus = 'writable'
  readonly remoteWriteStatus = 'closed'
  readonly #waiting: Uint8Array[]

  constructor(waiting: readonly Uint8Array[]) {
    super()
    this.#waiting = [...waiting]
  }

  override addEventListener(type: string, listener: Parameters<EventTarget['addEventListener']>[1]): void {
    super.addEventListener(type, listener)
    // As libp2p does it: what was buffered comes after the first listener, in a turn of its own.
    if (type === 'message') setTimeout(() => this.#hand(), 0)
  }

  async close(): Promise<void> {
    this.status = 'closed'
    this.dispatchEvent(new Event('close'))
  }

  #hand(): void {
    for (const data of this.#waiting.splice(0)) this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }
}

test.each([[[]], [['first', 'last']]])(
  'a peer that had closed its half before the link was made ends it, after %j',
  async (texts) => {
    const stream = new LateStream([encodeMessages(texts.map((text) => Buffer.from(text)))])
    const heard: string[] = []
    let closed = 0
    const facts = {
      id: 1,
      protocol: 'chat',
      dialer: false,
      remotePeer: new Uint8Array(),
      rung: 'lan',
      remoteAddress: new Uint8Array(),
    } as const
    createLink(stream as unknown as Stream, facts, {
      message: (_link, bytes) => void heard.push(Buffer.from(bytes).toString()),
      closed: () => closed++,
      dropped: (reason) => heard.push(reason),
    })
    await until(() => closed > 0)
    expect(heard).toEqual(texts)
    expect(closed).toBe(1)
  },
)
