import type { Part } from './protection.ts'

const keeper = 'test/lib/mailbox/keeper.test.ts'

/** What a mailbox owes the owners of its queues, and what it does not let others do. */
export const mailboxes: Part = {
  title: 'Mailboxes',
  protections: [
    {
      protection: 'Who writes into a queue shows its write token',
      threat: 'whoever learns the name of a queue fills it',
      file: 'lib/mailbox/putting.ts',
      takeOut: [{ find: '  return equalBytes(primitives.sha256(token), tokenHash)\n', replace: '  return true\n' }],
      test: { file: keeper, name: 'takes nothing without the write token, and does not tell whether the queue exists' },
    },
    {
      protection: 'A login signs the mailbox and the nonce of the stream',
      threat: 'one mailbox logs in at another as the owner',
      file: 'lib/mailbox/login.ts',
      takeOut: [
        {
          find: "return encode([1, 'login', peer, key, nonce])",
          replace: "return encode([1, 'login', peer.length, key.length, nonce.length])",
        },
      ],
      test: { file: keeper, name: 'takes no login that was made for another mailbox or another stream' },
    },
    {
      protection: 'An owner drops and acknowledges its own queues only',
      threat: 'an owner empties the queues of another',
      file: 'lib/mailbox/owning.ts',
      takeOut: [
        { find: '    if (queue?.owner !== owner) continue\n', replace: '    if (queue === undefined) continue\n' },
      ],
      test: { file: keeper, name: 'lets nobody watch, acknowledge or drop what is another owner’s' },
    },
    {
      protection: 'A full queue refuses, and gives up nothing that has a receipt',
      threat: 'a flood pushes out what a mailbox promised to keep',
      file: 'lib/mailbox/quota.ts',
      takeOut: [
        {
          find: '  if (queue.blobs + 1 > most.blobs || queue.bytes + bytes > most.bytes) return false\n',
          replace: '  if (most.blobs === 0) return false\n',
        },
      ],
      test: {
        file: keeper,
        name: 'refuses when a queue is full, gives up nothing for it, and has room again after an acknowledgement',
      },
    },
    {
      protection: 'Each class of queues has a share of its own',
      threat: 'contacts leave no room for invited people, or strangers none for contacts',
      file: 'lib/mailbox/quota.ts',
      takeOut: [
        {
          find: '    blobs += Math.max(usage[other].blobs, RESERVED_SHARES[other].blobs)\n    total += Math.max(usage[other].bytes, RESERVED_SHARES[other].bytes)\n',
          replace: '    blobs += usage[other].blobs\n    total += usage[other].bytes\n',
        },
      ],
      test: { file: keeper, name: 'whose contacts’ queues are full still has room for groups, invites and knocks' },
    },
    {
      protection: 'A knock costs a proof of work',
      threat: 'strangers fill the queue for strangers for nothing',
      file: 'lib/mailbox/putting.ts',
      takeOut: [
        {
          find: "  if (kind === 'knock' && !isPaid(keeping, queue, hash, request)) {\n",
          replace: "  if (kind === 'group' && !isPaid(keeping, queue, hash, request)) {\n",
        },
      ],
      test: { file: keeper, name: 'takes a knock for a stamp only, of its size only, and no stamp of another hour' },
    },
    {
      protection: 'A token bucket for each peer is asked before anything is read',
      threat: 'one peer keeps a mailbox busy for all',
      file: 'lib/mailbox/keeper.ts',
      takeOut: [
        {
          find: '  if (!keeping.buckets.take(toHex(stream.peer), cost, keeping.now)) {\n',
          replace: '  if (!keeping.buckets.take(toHex(stream.peer), 0 * cost, keeping.now)) {\n',
        },
      ],
      test: { file: keeper, name: 'reads nothing of a peer in a hurry, and everything of the others' },
    },
    {
      protection: 'Every owner has a share of a mailbox that others cannot fill',
      threat: 'who logs in under many keys fills the mailbox, and mail of others is refused',
      file: 'lib/mailbox/putting.ts',
      takeOut: [{ find: '  return taken <= limits.maxBytes / 2\n', replace: '  return taken > 0\n' }],
      test: { file: keeper, name: 'keeps half of it for owners who have less than their part, whatever others fill' },
    },
    {
      protection: 'One PeerId brings few new owners',
      threat: 'one contact of the operator takes the places of all others',
      file: 'lib/mailbox/owning.ts',
      takeOut: [
        {
          find: 'keeping.newOwners.take(toHex(stream.peer), 1, now)',
          replace: 'keeping.newOwners.take(toHex(stream.peer), 0, now)',
        },
      ],
      test: { file: keeper, name: 'lets one PeerId bring four new owners a day, and those who are known always in' },
    },
    {
      protection: 'Streams on which nothing is said are closed',
      threat: 'streams that are opened and left fill the places of a mailbox',
      file: 'lib/mailbox/keeper.ts',
      takeOut: [{ find: '  closeIdle(keeping)\n', replace: '  void closeIdle\n' }],
      test: { file: keeper, name: 'closes streams on which nothing is said, and not those that watch' },
    },
    {
      protection: 'Whoever does not read the answers of a mailbox is not read',
      threat: 'answers that nobody takes fill the memory',
      file: 'node/mailbox/host.ts',
      takeOut: [
        {
          find: '      return state && new Promise<void>((resume) => state.waiting.push(resume))\n',
          replace: '      return state && undefined\n',
        },
      ],
      test: {
        file: 'test/node/mailbox/host.test.ts',
        name: 'whoever does not read what a mailbox says is not read, and is when they do',
      },
    },
    {
      protection: 'A receipt has to be of this mailbox, queue and blob',
      threat: 'what nobody keeps is called stored',
      file: 'lib/chat/mail/posting.ts',
      takeOut: [
        {
          find: '  if (!equalBytes(key, route.key) || !equalBytes(blob.queue, route.queue) || !equalBytes(blob.hash, hash)) {\n',
          replace: '  if (!equalBytes(key, route.key) || hash.length === 0) {\n',
        },
      ],
      test: {
        file: 'test/scenarios/hostile/mailboxes.test.ts',
        name: 'receipts for something else make nothing stored',
      },
    },
    {
      protection: 'A receipt names blobs of one client only',
      threat: 'who leaves mail learns into which queues others write',
      file: 'lib/mailbox/putting.ts',
      takeOut: [
        {
          find: '  stream.owed.push({ n, item })\n',
          replace: '  for (const each of keeping.streams.values()) each.owed.push({ n, item })\n',
        },
      ],
      test: {
        file: keeper,
        name: 'signs once for what one client left in a turn, 64 at most, and tells nobody of what others left',
      },
    },
    {
      protection: 'A blob that is of no worth counts against the mailbox that gave it',
      threat: 'a mailbox keeps its owner busy for ever',
      file: 'lib/chat/mail/fetching.ts',
      takeOut: [
        {
          find: '  if (++remote.worthless !== MAX_WORTHLESS || remote.link === null) return\n',
          replace: '  if (remote.worthless < MAX_WORTHLESS || remote.link === null) return\n',
        },
      ],
      test: {
        file: 'test/scenarios/hostile/mailboxes.test.ts',
        name: 'that drowns its owner in made-up blobs is left',
      },
    },
  ],
}
