import type { Part } from './protection.ts'

const changes = 'lib/conversation/changes.ts'
const revising = 'lib/chat/revising.ts'
const hostile = 'test/lib/chat/changes-hostile.test.ts'
const expiring = 'test/lib/chat/expiring.test.ts'

/** What happens to messages after they were written. */
export const changesAndErasing: Part = {
  title: 'Edits, deletions, reactions and erasing',
  protections: [
    {
      protection: 'Only its author edits or deletes a message for both',
      threat: 'a contact puts words into the mouth of the user, or takes them away',
      file: revising,
      takeOut: [
        { find: "if (kind !== 'reaction' && !isTheirs(contact, record, change)) {", replace: "if (kind === 'none') {" },
      ],
      test: { file: hostile, name: 'changes and deletes nothing that others wrote' },
    },
    {
      protection: 'A deleted message stays deleted',
      threat: 'an edit, sent again, brings back a text that was taken back',
      file: revising,
      takeOut: [
        {
          find: '  if (order === null || record === null || record.deleted) return\n  if (decodePayload(record.payload).kind === KINDS.void) return\n',
          replace: '  if (order === null || record === null) return\n',
        },
      ],
      test: { file: hostile, name: 'brings no deleted text back with an edit, before or after' },
    },
    {
      protection: 'Of a message the latest change of each sort stays',
      threat: 'whoever edits one message for ever fills the disk',
      file: changes,
      takeOut: [
        {
          find: '  return [...changes.filter((other) => other !== known), change].sort(compareSlots)',
          replace: '  return [...changes, change].sort(compareSlots)',
        },
      ],
      test: { file: hostile, name: 'fills no disk by changing one message over and over' },
    },
    {
      protection: 'Few changes wait for messages that are not here',
      threat: 'changes of messages that never come fill the disk',
      file: 'lib/chat/early-changes.ts',
      takeOut: [{ find: 'while (early.length > MAX_EARLY) {', replace: 'while (early.length > 1000) {' }],
      test: { file: hostile, name: 'has a few changes held for messages that never come' },
    },
    {
      protection: 'Of the changes that wait in a group those of who has the most give way',
      threat: 'a member who changes what never was has the edits and deletions of others forgotten',
      file: 'lib/chat/early-changes.ts',
      takeOut: [
        {
          find: 'return authors.findIndex((author) => counts.get(author) === most)',
          replace: 'return authors.findIndex(() => most > 0)',
        },
      ],
      test: {
        file: 'test/lib/chat/group/hostile-members.test.ts',
        name: 'who changes messages that never were has nothing forgotten that others changed',
      },
    },
    {
      protection: 'What fills a number is no other payload of it',
      threat: 'a message that expires on its way makes a contact look like a cloned device',
      file: 'lib/conversation/incoming.ts',
      takeOut: [
        {
          find: '    return isVoid || known === null || equalBytes(known, hash)',
          replace: '    return known === null || equalBytes(known, hash)',
        },
      ],
      test: {
        file: expiring,
        name: 'that arrived, but whose receipt was lost, is no conflict when its number is filled',
      },
    },
    {
      protection: 'A reaction has 1 to 64 bytes',
      threat: 'a reaction fills the screen',
      file: 'lib/conversation/contents.ts',
      takeOut: [{ find: "asText(value, 'emoji', MAX_EMOJI_BYTES)", replace: "asText(value, 'emoji', 1e9)" }],
      test: { file: 'test/lib/conversation/contents.test.ts', name: 'a reaction over the limit' },
    },
    {
      protection: 'A text whose time is over does not leave any more',
      threat: 'somebody is told for an hour what was meant for a minute',
      file: 'lib/chat/voids.ts',
      takeOut: [
        { find: 'isVoid: true, sealed: null, payload: null, leftAt: 0 }', replace: 'isVoid: true, leftAt: 0 }' },
        { find: '  unseal(contact, gone)\n', replace: '' },
        { find: '  contact.outbox[indexOfCounter(contact.outbox, entry.counter)] = gone\n', replace: '' },
      ],
      test: { file: expiring, name: 'that was sealed and lost is not sealed again when its time is over' },
    },
    {
      protection: 'What was done to a text goes with it',
      threat: 'the edit of an expired text stays on the disk',
      file: 'lib/chat/erasing-messages.ts',
      takeOut: [
        {
          find: "  save(machine, { range: 'change', key: changeKey(contact, id), value: null })\n",
          replace: '',
        },
      ],
      test: { file: expiring, name: 'is erased on both sides when it is over, with what was done to it' },
    },
    {
      protection: 'A clock that was set back gives a text its time once more and no longer',
      threat: 'a text that was to stay for an hour stays for years',
      file: 'lib/chat/expiring.ts',
      takeOut: [{ find: '  if (now < seen) startAgain(machine, null)\n', replace: '' }],
      test: { file: expiring, name: 'that was ahead and is set back keeps no text longer than its time again' },
    },
    {
      protection: 'A clock that was never set erases nothing',
      threat: 'a machine without a battery forgets everything when it learns the time',
      file: 'lib/chat/expiring.ts',
      takeOut: [{ find: '  if (now < EARLIEST_MS) return\n', replace: '' }],
      test: { file: expiring, name: 'that was never set does not make texts go when it is' },
    },
    {
      protection: 'What is due is erased after a start too',
      threat: 'a text stays for ever whose time was over while the machine was off',
      file: 'lib/chat.ts',
      takeOut: [{ find: '  startExpiring(machine)\n', replace: '' }],
      test: { file: expiring, name: 'is erased after a start when its time was over while nothing ran' },
    },
    {
      protection: 'Keys of erased texts leave the files of the disk',
      threat: 'whoever has the passphrase reads an erased text from what the database has not overwritten',
      file: 'node/driver.ts',
      takeOut: [{ find: '      for (const range of ranges) await store.compact(range)\n', replace: '' }],
      test: {
        file: 'test/network/erasing.test.ts',
        name: 'what expired, was deleted or forgotten is in no home any more',
      },
    },
    {
      protection: 'The id of a message of a key is secret',
      threat: 'a contact learns from the id under which key of another program a message was sent',
      file: 'lib/chat/once.ts',
      takeOut: [{ find: 'primitives.hmac(sendKey(machine), ', replace: 'primitives.hmac(new Uint8Array(32), ' }],
      test: {
        file: 'test/lib/chat/changing.test.ts',
        name: 'the same key gives two people ids of which neither tells the key',
      },
    },
  ],
}
