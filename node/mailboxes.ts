import { base58 } from '@scure/base'
import { equalBytes, fromHex } from '../lib/bytes.ts'
import type { OwnMailbox } from '../lib/chat.ts'
import type { Message, MailboxStatus } from './api.ts'
import type { Driver } from './driver.ts'
import { NodeError } from './errors.ts'
import type { Target } from './network/network.ts'

/** The text of a PeerId that the machine names in hexadecimal. */
export function mailboxText(id: string): string {
  return base58.encode(fromHex(id))
}

/** An own mailbox as it is shown. */
export function mailboxStatus({ id, phase, refused, queues }: OwnMailbox): MailboxStatus {
  return {
    mailbox: mailboxText(id),
    state: refused === null ? phase : 'refused',
    contacts: queues,
    ...(refused !== null && { reason: refused }),
  }
}

/** Where a mailbox is, from a multiaddr text with `/p2p`. Rejects with `invalid`. */
export async function targetOf(text: string): Promise<Target> {
  const { multiaddr } = await import('@multiformats/multiaddr')
  try {
    const address = multiaddr(text)
    const peer = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
    if (peer !== undefined)
      return { peer: base58.decode(peer), addresses: [new Uint8Array(address.decapsulate('/p2p').bytes)] }
  } catch (cause) {
    throw new NodeError('invalid', `${text} is no address.`, { cause, hint: 'An address reads /ip4/…/tcp/…/p2p/….' })
  }
  throw new NodeError('invalid', `${text} lacks /p2p/ and the id of the node.`)
}

/** Whether this PeerId is the node of somebody who was accepted. */
export function isNodeOfContact({ chat, links }: Driver, peer: Uint8Array): boolean {
  for (const { row, link } of chat.people()) {
    if (row.state !== 'accepted') continue
    const known = [row.place?.peer, link === null ? undefined : links.get(link)?.remotePeer]
    if (known.some((theirs) => theirs !== undefined && equalBytes(theirs, peer))) return true
  }
  return false
}

const STATES: readonly Message['state'][] = ['queued', 'stored', 'delivered', 'read']

/** Whether an own message is as far as that, or further. */
export function hasReached(message: Message, state: Message['state']): boolean {
  return STATES.indexOf(message.state) >= STATES.indexOf(state)
}
