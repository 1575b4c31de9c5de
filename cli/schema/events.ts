/** What happens, by kind. A notification `event` has `{ cursor, event }`, and `event` its `kind` and these fields. */
export const EVENTS = {
  snapshot: {
    says: 'All that is known now. Comes first unless a cursor could be resumed; drop what you held before.',
    fields: {
      status: 'Status',
      contacts: 'Contact[]',
      requests: ['Contact[]', 'who wants to know me'],
      groups: 'Group[]',
      groupRequests: ['Group[]', 'to which somebody added me who is no contact'],
    },
  },
  message: { says: 'A message was written into a conversation, by either side.', fields: { message: 'Message' } },
  state: { says: 'A message of mine got further.', fields: { message: 'Message' } },
  change: { says: 'A message was edited, deleted or reacted to.', fields: { message: 'Message' } },
  gone: {
    says: 'A message was erased because its time was over.',
    fields: { conversation: 'conversation', id: 'messageId' },
  },
  contact: { says: 'Something about a contact changed.', fields: { contact: 'Contact' } },
  request: { says: 'Somebody wants to know me.', fields: { contact: 'Contact' } },
  removed: {
    says: 'A contact was removed, or a request was declined or is gone after two weeks.',
    fields: { account: 'account' },
  },
  alert: {
    says: 'Something about a contact that a person must see.',
    fields: { contact: 'Contact', alert: ['text', 'what, in a few words'] },
  },
  'group-alert': {
    says: 'Something about a member of a group, who is no contact, that a person must see.',
    fields: { group: 'groupId', account: 'account', alert: ['text', 'what, in a few words'] },
  },
  group: { says: 'A group was made, joined, left or changed, or I was added to one.', fields: { group: 'Group' } },
  'group-removed': {
    says: 'A group went with its conversation: it was declined, or is known no more.',
    fields: { group: 'groupId' },
  },
  typing: {
    says: 'They are writing, or no longer; it ends by itself when they say nothing more for ten seconds.',
    fields: { contact: 'Contact', active: 'flag' },
  },
  mailbox: { says: 'A mailbox of mine was reached, lost, or refuses.', fields: { mailbox: 'Mailbox' } },
  revoked: {
    says: 'Another device took the place of this one: nothing leaves it any more.',
    fields: { at: ['moment', 'of the newer list of devices'] },
  },
  published: { says: 'The record of this node was published anew.', fields: { seq: 'count', at: 'moment' } },
} as const
