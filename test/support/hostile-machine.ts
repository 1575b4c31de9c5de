import { compareBytes, toHex, utf8 } from '../../lib/bytes.ts'
import { createChat } from '../../lib/chat.ts'
import type { Effect, Event } from '../../lib/chat/events.ts'
import { heldRows } from '../../lib/chat/loading.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import type { Row } from '../../lib/rows.ts'
import type { Newcomer } from '../../node/mesh/acquaintance.ts'
import { seededRandom } from './random.ts'

/** A machine by itself, with the rows that it wrote, to which anybody may say things over links that open when they are named. */
export interface BareMachine {
  readonly rows: ReadonlyMap<string, Row>
  /** Messages that it sent. */
  readonly sent: readonly { readonly link: number; readonly bytes: Uint8Array }[]
  /** What it dropped, by reason. */
  readonly dropped: ReadonlyMap<string, number>
  /** Opens a link, says a nonce; gives its number. By default its PeerId is its name. */
  open(name: string, peer?: string): number
  /** Says something on a link, which is opened first when it is not there, and again when the machine closed it. */
  hear(name: string, bytes: Uint8Array): void
  handle(event: Event): void
}

export function machineOf(
  newcomer: Newcomer,
  now: number,
  options: { readonly rows?: readonly Row[]; readonly primitives?: Primitives } = {},
): BareMachine {
  const rows = new Map<string, Row>()
  const sent: { link: number; bytes: Uint8Array }[] = []
  const dropped = new Map<string, number>()
  const links = new Map<string, number>()
  let lastLink = 0
  const keep = (all: readonly Row[]): void => {
    for (const row of all) {
      const key = `${row.range}/${toHex(row.key)}`
      if (row.value === null) rows.delete(key)
      else rows.set(key, row)
    }
  }
  keep([...newcomer.rows, ...(options.rows ?? [])])
  const chat = createChat(
    {
      primitives: options.primitives ?? newcomer.primitives,
      random: seededRandom('machine'),
      delivery: 'outbox',
      publicMode: 'account',
    },
    heldRows((range) =>
      [...rows.values()]
        .filter((row) => row.range === range)
        .toSorted((a, b) => compareBytes(a.key, b.key))
        .map(({ key, value }) => ({ key, value: value as Uint8Array })),
    ),
    now,
  )

  function perform(effect: Effect): void {
    switch (effect.kind) {
      case 'save':
        keep(effect.rows)
        return
      case 'load': {
        const values = effect.keys.map((key) => rows.get(`${effect.range}/${toHex(key)}`)?.value ?? null)
        handle({ kind: 'loaded', token: effect.token, values })
        return
      }
      case 'send':
        sent.push(effect)
        return
      case 'close':
        for (const [name, link] of links) if (link === effect.link) links.delete(name)
        handle({ kind: 'closed', link: effect.link })
        return
      case 'count':
        dropped.set(effect.reason, (dropped.get(effect.reason) ?? 0) + 1)
        return
      default:
    }
  }

  function handle(event: Event): void {
    for (const effect of chat.handle(event, now)) perform(effect)
    for (const effect of chat.handle({ kind: 'settle' }, now)) perform(effect)
  }

  handle({ kind: 'network', peer: utf8('the peer id of the machine'), addresses: [] })
  const machine: BareMachine = {
    rows,
    sent,
    dropped,
    handle,
    open(name, peer = name) {
      const link = ++lastLink
      links.set(name, link)
      handle({ kind: 'opened', link, dialer: false, peer: utf8(peer) })
      handle({ kind: 'message', link, bytes: new Uint8Array(32) })
      return link
    },
    hear(name, bytes) {
      handle({ kind: 'message', link: links.get(name) ?? machine.open(name), bytes })
    },
  }
  return machine
}
