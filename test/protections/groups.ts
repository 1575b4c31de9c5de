import type { Part } from './protection.ts'

const admitting = 'lib/group/admitting.ts'
const graph = 'lib/group/graph.ts'
const owners = 'lib/group/owner-line.ts'
const admins = 'lib/group/admins.ts'
const members = 'lib/group/members.ts'
const revoking = 'lib/group/revoking.ts'
const view = 'lib/group/view.ts'
const graphTest = 'test/lib/group/graph.test.ts'
const operationTest = 'test/lib/group/operation.test.ts'
const viewTest = 'test/lib/group/view.test.ts'
const authoringTest = 'test/lib/group/authoring.test.ts'
const hostileAnswers = 'test/lib/chat/group/hostile-answers.test.ts'

/** Who is in a group, against whoever was or would like to be. */
export const groupMembership: Part = {
  title: 'Members of groups',
  protections: [
    {
      protection: 'An operation of a group is signed by a device that its past names',
      threat: 'anybody writes in the name of the owner',
      file: admitting,
      takeOut: [{ find: 'return isSignedBy(primitives, device.dsk, operation)', replace: 'return true' }],
      test: { file: graphTest, name: 'a changed signature' },
    },
    {
      protection: 'The account record in an operation is signed',
      threat: 'somebody gives a member another device',
      file: admitting,
      takeOut: [
        {
          find: "if (!verifySignature(primitives, record.key, 'account', body, signature)) return false",
          replace: '',
        },
      ],
      test: { file: graphTest, name: 'an account record that its account did not sign' },
    },
    {
      protection: 'The account record in an operation is its author’s',
      threat: 'an account writes in the name of another by naming its own devices',
      file: admitting,
      takeOut: [{ find: '!equalBytes(record.account, account) || ', replace: '' }],
      test: { file: graphTest, name: 'the record of another account' },
    },
    {
      protection: 'An operation goes on from its own device',
      threat: 'a device hides among the operations of another',
      file: admitting,
      takeOut: [
        {
          find: 'return previous.account === account && equalBytes(previous.operation.did, operation.did)',
          replace: 'return true',
        },
      ],
      test: { file: graphTest, name: 'another device as the own previous' },
    },
    {
      protection: 'Who was never added writes nothing into a group',
      threat: 'strangers fill the graph',
      file: admitting,
      takeOut: [
        {
          find: "return operation.content.kind === 'card' && isNamed(log, account, past)",
          replace: "return operation.content.kind === 'card'",
        },
      ],
      test: { file: graphTest, name: 'a card of nobody that was added' },
    },
    {
      protection: 'The lamport of an operation follows from its parents',
      threat: 'one operation with the highest number is the last one that the group can have',
      file: admitting,
      takeOut: [{ find: "if (operation.lamport !== height) return 'lamport'", replace: '' }],
      test: { file: graphTest, name: 'a lamport that is too high' },
    },
    {
      protection: 'A removal names what its past holds',
      threat: 'an add is removed before it is made',
      file: admitting,
      takeOut: [{ find: 'entry !== undefined && covers(past, entry) && ', replace: 'entry !== undefined && ' }],
      test: { file: graphTest, name: 'a removal of what is not in its past' },
    },
    {
      protection: 'An account record goes back nowhere in a group',
      threat: 'a revoked device puts an old record in front of a new one',
      file: admitting,
      takeOut: [
        {
          find: 'if (known !== null && record !== known && record.seq <= known.seq) return null',
          replace: '',
        },
      ],
      test: { file: graphTest, name: 'an older record than one in its past, and a device that its past revoked' },
    },
    {
      protection: 'One account has a bounded part of a graph',
      threat: 'a member fills the memory of the others',
      file: admitting,
      takeOut: [{ find: ' || (author?.written ?? 0) >= MAX_OPERATIONS_OF_ACCOUNT', replace: '' }],
      test: { file: graphTest, name: 'what one account writes beyond 4096 operations' },
    },
    {
      protection: 'One account has a bounded number of devices and forks in a graph',
      threat: 'a member makes each look at the group cost a second',
      file: admitting,
      takeOut: [
        { find: "if (place.index === 0 && (author?.chains ?? 0) >= MAX_CHAINS_OF_ACCOUNT) return 'full'", replace: '' },
      ],
      test: { file: graphTest, name: 'what one account writes beside its own operations more than 64 times' },
    },
    {
      protection: 'A bounded number of operations waits for parents',
      threat: 'operations without parents fill the memory',
      file: 'lib/group/adding.ts',
      takeOut: [{ find: 'if (waiting.size < MAX_WAITING) break', replace: 'break' }],
      test: { file: graphTest, name: 'lets go of what waited longest when too much waits' },
    },
    {
      protection: 'Sets of ids in an operation have one encoding and a bound',
      threat: 'an operation with thousands of parents costs everybody time',
      file: 'lib/group/operation-content.ts',
      takeOut: [
        {
          find: 'const ids = asArray(value, name, { max }).map(',
          replace: 'const ids = asArray(value, name, { max: max * 100 }).map(',
        },
      ],
      test: { file: operationTest, name: 'seventeen parents' },
    },
    {
      protection: 'Heads that do not fit are not chosen by strangers',
      threat: 'a former member builds on a removal and hides it among many heads',
      file: graph,
      takeOut: [
        { find: 'trusted.has(entry.account) !== byTrusted', replace: 'trusted.has(entry.account) === byTrusted' },
      ],
      test: { file: graphTest, name: 'names what trusted accounts did first' },
    },
    {
      protection: 'An owner who gave the group away owns it no more',
      threat: 'a former owner makes admins beside his transfer',
      file: owners,
      takeOut: [
        {
          find: 'end === undefined ? written : written.filter((entry) => isBefore(entry, end))',
          replace: 'written',
        },
      ],
      test: { file: viewTest, name: 'of former days do nothing beside their transfer' },
    },
    {
      protection: 'Two successors freeze a group',
      threat: 'a removed owner tries transfers until one falls to him',
      file: owners,
      takeOut: [{ find: 'if (firsts.length + revoking.length > 1) {', replace: 'if (revoking.length > 9) {' }],
      test: { file: viewTest, name: 'who were removed freeze the group by another transfer, and do not get it' },
    },
    {
      protection: 'A transfer that its own account denies freezes a group',
      threat: 'a stolen device gives the group away, or an owner takes it back by another device',
      file: owners,
      takeOut: [
        { find: 'end === undefined ? [] : written.filter(', replace: 'end !== undefined ? [] : written.filter(' },
      ],
      test: {
        file: viewTest,
        name: 'freeze the group by a card that revokes the device of the transfer without knowing it',
      },
    },
    {
      protection: 'What an admin does was known to whoever removed him',
      threat: 'a removed admin brings people in by operations from before his removal',
      file: admins,
      takeOut: [
        {
          find: 'removals.every((removal) => isBefore(entry, removal)) &&\n    leaves.every(',
          replace: 'leaves.every(',
        },
        {
          find: 'removals.every((removal) => isBefore(entry, removal)) &&\n    !leaves.some(',
          replace: '!leaves.some(',
        },
      ],
      test: { file: viewTest, name: 'who are removed add and remove nobody, however far back they build' },
    },
    {
      protection: 'A fork takes back no removal',
      threat: 'an admin brings back whom he removed, by a second operation beside the removal',
      file: admins,
      takeOut: [
        {
          find: "if (does(entry, 'remove')) return appointments.some(",
          replace: "if (does(entry, 'remove')) return !forked.has(entry) && appointments.some(",
        },
      ],
      test: {
        file: viewTest,
        name: 'who fork their own past lose what they added there, and what they removed stays removed',
      },
    },
    {
      protection: 'A fork voids what an admin added',
      threat: 'an admin shows each member another history',
      file: admins,
      takeOut: [
        { find: 'isTheirs && isInOffice(entry) && !forked.has(entry)', replace: 'isTheirs && isInOffice(entry)' },
      ],
      test: { file: viewTest, name: 'who fork their own past lose what they added there' },
    },
    {
      protection: 'Only operations that count make a fork',
      threat: 'a removed admin puts out whom he had added, by a second operation beside the add',
      file: admins,
      takeOut: [{ find: 'forks(written, standing.filter(isInOffice))', replace: 'forks(written, standing)' }],
      test: { file: viewTest, name: 'who are removed make nobody leave by forking their own past' },
    },
    {
      protection: 'A leave takes back no removal',
      threat: 'an admin who left brings back whom he removed, by leaving once more in the past',
      file: admins,
      takeOut: [
        {
          find: '!leaves.some((leave) => isBefore(leave, entry))',
          replace: 'leaves.every((leave) => isBefore(entry, leave))',
        },
      ],
      test: { file: viewTest, name: 'who left bring nobody back by leaving once more, earlier, and add nobody' },
    },
    {
      protection: 'An admin who left adds nobody',
      threat: 'somebody who left long ago brings people in by operations from before',
      file: admins,
      takeOut: [{ find: 'leaves.every((leave) => leave === entry || isBefore(entry, leave))', replace: 'true' }],
      test: { file: viewTest, name: 'who left bring nobody back by leaving once more, earlier, and add nobody' },
    },
    {
      protection: 'A leave that nobody knew at the removal voids nothing',
      threat: 'a removed admin puts out whom he had added, by leaving in the past',
      file: admins,
      takeOut: [{ find: 'isBefore(add, leave) && isKnown(leave)', replace: 'isBefore(add, leave)' }],
      test: { file: viewTest, name: 'have nothing void by a leave that whoever removed them did not know' },
    },
    {
      protection: 'Admins add members only, and remove members only',
      threat: 'an admin makes admins, or puts out the others',
      file: admins,
      takeOut: [
        {
          find: "(does(entry, 'add') && entry.operation.content.role === 'member')",
          replace: "does(entry, 'add')",
        },
        { find: "if (roles.get(id) === 'member') put(", replace: 'put(' },
      ],
      test: { file: viewTest, name: 'add members and no admins, and remove members and no admins' },
    },
    {
      protection: 'A card in the past takes back nothing of a removed admin',
      threat: 'a removed admin brings back whom he removed, by revoking the device that did it',
      file: admins,
      takeOut: [{ find: 'revokers(written, isInOffice)', replace: 'revokers(written, () => true)' }],
      test: { file: viewTest, name: 'who are removed take back nothing that they did, not by another device either' },
    },
    {
      protection: 'A revoked device does nothing that its account did not know',
      threat: 'whoever has an old device goes on as an admin',
      file: revoking,
      takeOut: [{ find: 'card.record.seq > entry.record.seq &&', replace: 'card.record.seq > 2 ** 52 &&' }],
      test: { file: viewTest, name: 'that a newer record lacks do nothing which the card with it did not know' },
    },
    {
      protection: 'A revoked device revokes no other',
      threat: 'an old device takes back what its account did, by a record from between',
      file: revoking,
      takeOut: [
        { find: 'if (!valid.some((other) => revokes(other, card))) valid.push(card)', replace: 'valid.push(card)' },
      ],
      test: { file: viewTest, name: 'that were revoked bring back no older record to revoke others' },
    },
    {
      protection: 'Who left and is added again has to consent again',
      threat: 'somebody is put back into a group with a card from before',
      file: members,
      takeOut: [
        {
          find: 'const isConsent = leaves.every((leave) => isBefore(leave, entry))',
          replace: 'const isConsent = true',
        },
      ],
      test: { file: viewTest, name: 'who left and are added again have not consented again' },
    },
    {
      protection: 'A group has 256 members at most',
      threat: 'an admin makes every message cost thousands of sessions',
      file: members,
      takeOut: [{ find: '.slice(0, MAX_MEMBERS)', replace: '' }],
      test: { file: viewTest, name: 'at most: of the lower roles those who came first' },
    },
    {
      protection: 'Only owners set the timer of a group',
      threat: 'an admin has everybody’s messages erased',
      file: view,
      takeOut: [
        {
          find: "scope.of('settings').filter((entry) => line.operations.has(entry))",
          replace: "scope.of('settings')",
        },
      ],
      test: { file: viewTest, name: 'name the group, and leave the timer to the owner' },
    },
    {
      protection: 'A sender chain that does not know who is out is not used',
      threat: 'a removed member reads on',
      file: view,
      takeOut: [{ find: 'exits: view.exits.filter(isUnseen)', replace: 'exits: []' }],
      test: {
        file: authoringTest,
        name: 'is a removal or a leave after its heads, and is known by one of what ended the same',
      },
    },
    {
      protection: 'An author in a group is a device of an account, not a device id',
      threat: 'a member lists the device of another as its own and speaks in their name, or silences them',
      file: 'lib/group/author.ts',
      takeOut: [{ find: 'primitives.sha256(gid, aid, did)', replace: 'primitives.sha256(gid, did)' }],
      test: {
        file: 'test/lib/chat/group/borrowed-device.test.ts',
        name: 'as its own, and says to have used up all numbers by it, leaves nothing of theirs out',
      },
    },
    {
      protection: 'A message of a group is known by its id from its own author alone',
      threat:
        'a member writes a message of the id of another one, which is then never shown, or can be changed by nobody',
      file: 'lib/group/author.ts',
      takeOut: [{ find: 'primitives.sha256(author, payloadId)', replace: 'primitives.sha256(payloadId)' }],
      test: {
        file: 'test/lib/chat/group/stolen-id.test.ts',
        name: 'after it leaves its author able to change and delete it',
      },
    },
    {
      protection: 'A member who is silent keeps nobody from writing to a group',
      threat: 'one account that never answers has all others refused by their own node',
      file: 'lib/chat/group/failing.ts',
      takeOut: [
        { find: 'if (outbox.length < MAX_AWAITED + MAX_AT_ONCE) return', replace: 'if (outbox.length < 1e9) return' },
      ],
      test: { file: 'test/lib/chat/group/silent-member.test.ts', name: 'keeps nobody from writing' },
    },
    {
      protection: 'An answer to a member is reckoned before it is read',
      threat: 'a burst of small questions is answered by gigabytes',
      file: 'lib/chat/group/frames.ts',
      takeOut: [
        {
          find: 'const reckoned = keys.length * MAX_FRAME_BYTES',
          replace: 'const reckoned = keys.length * MAX_FRAME_BYTES * 0',
        },
      ],
      test: {
        file: hostileAnswers,
        name: 'who asks many times at once is not answered before the first answer counts',
      },
    },
    {
      protection: 'Who has not consented gets no keys',
      threat: 'somebody reads a group who is shown as merely invited',
      file: 'lib/chat/group/keys.ts',
      takeOut: [{ find: 'if (!hasJoined(contact, person)) return', replace: '' }],
      test: { file: hostileAnswers, name: 'who was added and has not consented gets no keys' },
    },
    {
      protection: 'A member is believed a few times an hour that a lost life wrote more',
      threat: 'each small receipt of a made-up number has all that waits leave again for everybody',
      file: 'lib/chat/group/receipts.ts',
      takeOut: [{ find: 'if (fellow.ahead.length >= AHEAD_PER_HOUR) return false', replace: '' }],
      test: { file: hostileAnswers, name: 'who tells of messages that nobody wrote' },
    },
    {
      protection: 'A leave takes back what an owner gave, and nothing else',
      threat: 'a member writes leave after leave until the owner can write no operation any more',
      file: 'lib/group/view.ts',
      takeOut: [
        { find: '.filter((id) => !removed.has(id))', replace: '' },
        {
          find: 'const written = [...(ownerLine(scopeOf(graph))?.operations ?? [])]',
          replace: 'const written = graph.log.entries',
        },
      ],
      test: { file: hostileAnswers, name: 'writes nothing for each leave of a member who only calls itself an admin' },
    },
  ],
}
