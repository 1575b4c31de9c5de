import type { Node, NodeEvent } from '../../api.ts'
import type { GroupLedger } from './group-ledger.ts'
import type { History } from './history.ts'

/** The same node, which tells the history what it promised and what it showed. */
export function recordingNode(
  node: Node,
  options: {
    readonly name: string
    readonly history: History
    readonly ledger: GroupLedger
    /** The name of whoever has this account. */
    nameOf(account: string): string
    /** Whether the process still lives: the dead show nothing. */
    lives(): boolean
  },
): Node {
  const { name, history, ledger, nameOf, lives } = options
  const me = node.identity.account

  function tell(event: NodeEvent): void {
    switch (event.kind) {
      case 'message': {
        const { change, conversation, from, id, text = '' } = event.message
        const said = { who: name, group: nameOf(conversation) }
        if (change !== undefined) {
          const { what, accounts = [] } = change
          history.tell({ kind: 'noticed', ...said, by: nameOf(from), what: [what, ...accounts.map(nameOf)].join(' ') })
        } else if (isGroup(conversation)) {
          if (from !== me) history.tell({ kind: 'heard', ...said, from: nameOf(from), id, text })
        } else if (from !== me) history.tell({ kind: 'shown', who: name, from: nameOf(from), id, text })
        return
      }
      case 'state': {
        const { conversation, id, state } = event.message
        history.tell({ kind: 'state', who: name, to: nameOf(conversation), id, state })
        return
      }
      case 'revoked':
        history.note('revoked', name)
        return
      case 'request':
        history.tell({ kind: 'request', who: name, from: nameOf(event.contact.account) })
        return
      case 'alert':
        history.tell({ kind: 'alert', who: name, about: nameOf(event.contact.account), alert: event.alert })
        return
      case 'group-alert':
        history.tell({ kind: 'alert', who: name, about: nameOf(event.account), alert: event.alert })
        return
      case 'contact':
      case 'group':
      case 'group-removed':
      case 'mailbox':
      case 'published':
      case 'typing':
      case 'change':
      case 'gone':
      case 'removed':
    }
  }

  async function listen(): Promise<void> {
    for await (const event of node.events()) if (lives()) tell(event)
  }

  listen().catch(() => undefined)
  return {
    ...node,
    async send(who, text, sendOptions) {
      const { expires } = sendOptions ?? {}
      const before = isGroup(who) ? ledger.membersNow(name, who) : null
      const sent = await node.send(who, text, sendOptions)
      if (before !== null) {
        if (!lives()) return sent
        const said = { who: name, group: nameOf(who), id: sent.id, ...(expires !== undefined && { expires }), text }
        history.tell({ kind: 'said', ...said })
        ledger.said(name, who, { id: sent.id, text, expires: expires ?? null, before })
        return sent
      }
      const said = { to: nameOf(sent.conversation), id: sent.id, ...(expires !== undefined && { expires }), text }
      if (lives()) history.tell({ kind: 'accepted', who: name, ...said })
      return sent
    },
    async edit(id, text) {
      const message = await node.edit(id, text)
      if (lives()) history.tell({ kind: 'edited', who: name, to: nameOf(message.conversation), id, text })
      return message
    },
    async delete(id) {
      const { conversation } = await node.message(id)
      const message = await node.delete(id)
      if (lives()) history.tell({ kind: 'deleted', who: name, to: nameOf(conversation), id })
      return message
    },
    async react(id, emoji) {
      const message = await node.react(id, emoji)
      const to = nameOf(message.conversation)
      if (lives()) history.tell({ kind: 'reacted', who: name, to, id, emoji: emoji ?? 'none' })
      return message
    },
  }
}

/** Groups are called by 64 hexadecimal digits, people by accounts. */
function isGroup(conversation: string): boolean {
  return /^[0-9a-f]{64}$/.test(conversation)
}
