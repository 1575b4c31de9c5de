import type { ChatEvent, LinkId, Reply } from '../lib/chat/events.ts'
import type { Range, Row } from '../lib/rows.ts'
import { type Erasure, isErased } from './erasing.ts'

/**
 * What the turns of a while want written, and what must not run ahead of that: sends, events for people, answers to
 * commands, values for the DHT, gossip. Of several rows of one key the last counts.
 */
export interface CommitWindow {
  readonly rows: ReadonlyMap<string, Row>
  /** What goes in the same batch, whatever its rows were. */
  readonly erasures: readonly Erasure[]
  readonly sends: ReadonlyMap<LinkId, readonly Uint8Array[]>
  readonly events: readonly ChatEvent[]
  readonly replies: readonly { readonly id: number; readonly result: Reply }[]
  readonly publications: readonly { readonly key: string; readonly value: Uint8Array }[]
  readonly gossip: readonly { readonly topic: string; readonly bytes: Uint8Array }[]
  readonly closes: readonly LinkId[]
  /** Ranges to be compacted, once what is deleted from them here is written. */
  readonly compactions: ReadonlySet<Range>
  /** Whether it should be written before more is added. */
  readonly full: boolean
  save(rows: readonly Row[]): void
  /** Also what was saved before. */
  erase(erasure: Erasure): void
  send(link: LinkId, bytes: Uint8Array): void
  emit(event: ChatEvent): void
  reply(id: number, result: Reply): void
  publish(key: string, value: Uint8Array): void
  publishGossip(topic: string, bytes: Uint8Array): void
  close(link: LinkId): void
  compact(ranges: readonly Range[]): void
}

/** A window closes at so many messages on their way or rows, or so many bytes. */
export const MAX_WINDOW_MESSAGES = 512
export const MAX_WINDOW_BYTES: number = 1 << 20

/** The name of a row in maps: a character for each byte of its key. */
export function rowName(range: Range, key: Uint8Array): string {
  // Spread arguments would take four times as long.
  return `${range}/${String.fromCharCode.apply(null, key as unknown as number[])}`
}

export function createWindow(): CommitWindow {
  const rows = new Map<string, Row>()
  const erasures: Erasure[] = []
  const sends = new Map<LinkId, Uint8Array[]>()
  const events: ChatEvent[] = []
  const replies: { id: number; result: Reply }[] = []
  const publications: { key: string; value: Uint8Array }[] = []
  const gossip: { topic: string; bytes: Uint8Array }[] = []
  const closes: LinkId[] = []
  const compactions = new Set<Range>()
  let messages = 0
  let bytes = 0
  return {
    rows,
    erasures,
    sends,
    events,
    replies,
    publications,
    gossip,
    closes,
    compactions,
    get full() {
      return messages >= MAX_WINDOW_MESSAGES || bytes >= MAX_WINDOW_BYTES
    },
    save(added) {
      for (const row of added) {
        rows.set(rowName(row.range, row.key), row)
        bytes += row.value?.length ?? 0
        if (row.range === 'message') messages++
      }
    },
    erase(erasure) {
      erasures.push(erasure)
      for (const [name, { range, key }] of rows) {
        if (erasure.ranges.includes(range) && isErased(erasure, key)) rows.delete(name)
      }
    },
    send(link, message) {
      const list = sends.get(link)
      if (list === undefined) sends.set(link, [message])
      else list.push(message)
      bytes += message.length
    },
    emit(event) {
      events.push(event)
    },
    reply(id, result) {
      replies.push({ id, result })
    },
    publish(key, value) {
      publications.push({ key, value })
    },
    publishGossip(topic, message) {
      gossip.push({ topic, bytes: message })
      bytes += message.length
    },
    close(link) {
      closes.push(link)
    },
    compact(ranges) {
      for (const range of ranges) compactions.add(range)
    },
  }
}
