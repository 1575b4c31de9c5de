import type { Part } from './protection.ts'

const devices = 'test/lib/chat/devices.test.ts'
const rollBack = 'test/lib/chat/roll-back.test.ts'
const switches = 'test/lib/chat/switches.test.ts'

/** What accepted people and their devices may do, and what of it the user hears. */
export const contacts: Part = {
  title: 'Contacts and their devices',
  protections: [
    {
      protection: 'Content leaves in confirmed sessions only',
      threat: 'what is written goes to who stole the prekeys of the other side',
      file: 'lib/chat/delivering.ts',
      takeOut: [
        {
          find: 'const isConfirmed = isHeard(contact) && current.session.confirmed',
          replace: 'const isConfirmed = isHeard(contact)',
        },
      ],
      test: {
        file: 'test/scenarios/mailbox.test.ts',
        name: 'gets nothing of what is written to somebody who has not shown yet who they are',
      },
    },
    {
      protection: 'Content waits for the news of the other side',
      threat: 'a side that went back in time uses numbers again, and a message is lost',
      file: 'lib/chat/delivering.ts',
      takeOut: [
        {
          find: "const heard = contact.link === null || contact.heard === 'news'",
          replace: 'const heard = true',
        },
      ],
      test: {
        file: 'test/lib/chat/bounds-protection.test.ts',
        name: 'seals nothing new before it has heard what the other side has of it',
      },
    },
    {
      protection: 'Content to a verified contact with a new device waits for the user',
      threat: 'who stole an account reads what is meant for its owner',
      file: 'lib/chat/delivering.ts',
      takeOut: [
        {
          find: '    !contact.row.unconfirmedDevice &&\n',
          replace: '',
        },
      ],
      test: { file: devices, name: 'gets nothing there before the user has looked, if they are verified' },
    },
    {
      protection: 'A new device is told to the user',
      threat: 'somebody else takes the place of a contact unseen',
      file: 'lib/chat/pins.ts',
      takeOut: [{ find: "alert(machine, contact, 'new device')", replace: '' }],
      test: { file: devices, name: 'is announced, is reached there, and the old device is nobody any more' },
    },
    {
      protection: 'Sessions of a device that is listed no more are dropped',
      threat: 'a revoked device goes on reading',
      file: 'lib/chat/sessions.ts',
      takeOut: [
        {
          find: 'if (!hasDevice(contact.row, entry.session.peerDid)) dropSession(machine, contact, entry, true)',
          replace: '',
        },
      ],
      test: { file: devices, name: 'is announced, is reached there, and the old device is nobody any more' },
    },
    {
      protection: 'A new account key is told to the user',
      threat: 'a changed identity passes unseen',
      file: 'lib/chat/pins.ts',
      takeOut: [{ find: "alert(machine, contact, 'identity changed')", replace: '' }],
      test: { file: devices, name: 'a session by the next account key is an alert of its own' },
    },
    {
      protection: 'A session that replaces another unannounced is told to the user',
      threat: 'somebody else goes on in the place of a contact unseen',
      file: 'lib/chat/incoming.ts',
      takeOut: [{ find: "alert(machine, contact, 'secure session restarted')", replace: '' }],
      test: {
        file: devices,
        name: 'a session that replaces another without being announced in it is an alert for the other side',
      },
    },
    {
      protection: 'Two records of one number are told, and no session begins',
      threat: 'a stolen key speaks for a contact unseen',
      file: 'lib/chat/sessions.ts',
      takeOut: [
        {
          find: 'if (isEquivocated(row) || isStarting(machine, contact)) return',
          replace: 'if (isStarting(machine, contact)) return',
        },
      ],
      test: { file: 'test/lib/chat/records-protection.test.ts', name: 'keep this side from beginning a session' },
    },
    {
      protection: 'A session by a record that contradicts the pinned one is refused',
      threat: 'a stolen account key begins sessions with devices of its own',
      file: 'lib/chat/pins.ts',
      takeOut: [{ find: "throw new ProtocolError('rolled-back', 'two account records of one number')", replace: '' }],
      test: { file: 'test/lib/chat/records-protection.test.ts', name: 'keep the other side from beginning one' },
    },
    {
      protection: 'A session by an older record than the pinned one is refused',
      threat: 'a revoked device begins a session by the record that still lists it',
      file: 'lib/chat/pins.ts',
      takeOut: [
        {
          find: "if (pinned.kind === 'older') throw new ProtocolError('rolled-back', 'an account record older than the known one')",
          replace: '',
        },
      ],
      test: {
        file: 'test/lib/chat/records-protection.test.ts',
        name: 'a record that was replaced begins no session any more',
      },
    },
    {
      protection: 'A session by a device that the account does not list is refused',
      threat: 'an old device of an account begins sessions',
      file: 'lib/chat/pins.ts',
      takeOut: [
        {
          find: "if (device === null) throw new ProtocolError('unauthentic', 'a device that its account does not list')\n  return { record, device, contact }",
          replace: 'return { record, device: device ?? (pinned.pin.record.devices[0] as AccountDevice), contact }',
        },
      ],
      test: {
        file: 'test/lib/chat/admission-protection.test.ts',
        name: 'by a device that its account does not list is refused',
      },
    },
    {
      protection: 'A contact who names another hash for a known number is an equivocation',
      threat: 'a DHT that shows two people two records is found out by neither',
      file: 'lib/chat/pins.ts',
      takeOut: [
        {
          find: 'if (content.accountSeq === known.record.seq && !equalBytes(content.accountHash, known.hash)) {',
          replace: 'if (content.accountSeq < 0) {',
        },
      ],
      test: {
        file: 'test/lib/chat/records-protection.test.ts',
        name: 'of which a contact speaks are told to the user',
      },
    },
    {
      protection: 'A clone is told to the user',
      threat: 'a copied device is found out by nobody',
      file: 'lib/chat/incoming.ts',
      takeOut: [{ find: "if (!entry.cloned) alert(machine, contact, 'cloned device')", replace: '' }],
      test: {
        file: rollBack,
        name: 'is told to the other user as a clone, once, when it goes on in a chain that was left',
      },
    },
    {
      protection: 'A clone is told once',
      threat: 'an alert that comes without end is switched off',
      file: 'lib/chat/incoming.ts',
      takeOut: [
        {
          find: "if (!entry.cloned) alert(machine, contact, 'cloned device')",
          replace: "alert(machine, contact, 'cloned device')",
        },
      ],
      test: {
        file: 'test/lib/chat/bounds-protection.test.ts',
        name: 'is told to the user of the other side once, however often it shows',
      },
    },
    {
      protection: 'Nobody but an accepted contact raises the alarm of a clone',
      threat: 'a stranger makes a node tell what it knows, and its user look at nothing',
      file: 'lib/chat/incoming.ts',
      takeOut: [
        {
          find: '  count(machine, `frame: clone, ${reason}`)\n  if (!isHeard(contact)) return\n',
          replace: '  count(machine, `frame: clone, ${reason}`)\n',
        },
      ],
      test: {
        file: 'test/lib/chat/admission-protection.test.ts',
        name: 'two frames of one number by somebody who was not accepted raise no alarm and get no answer',
      },
    },
    {
      protection: 'A jump that a contact demands is bounded',
      threat: 'a contact that claims a roll-back takes all numbers',
      file: 'lib/chat/authoring.ts',
      takeOut: [
        {
          find: "if (counter > MAX_JUMP) throw new ProtocolError('limit', 'a jump beyond every counter')",
          replace: '',
        },
      ],
      test: {
        file: 'test/lib/chat/bounds-protection.test.ts',
        name: 'cannot make this side jump to where the numbers end, nor stop it by trying',
      },
    },
    {
      protection: 'A receipt for what never left makes the author jump',
      threat: 'a side that went back in time sends what counts as known',
      file: 'lib/chat/authoring.ts',
      takeOut: [{ find: 'if (told > highest) {', replace: 'if (told < 0) {' }],
      test: {
        file: 'test/lib/chat/bounds-protection.test.ts',
        name: 'jumps past a number that it never used and the other side has',
      },
    },
    {
      protection: 'A request for gaps reads back at most 256 messages',
      threat: 'one frame makes a node read and seal its whole history',
      file: 'lib/chat/gap-answers.ts',
      takeOut: [
        {
          find: 'Math.min(gap.to, contact.head.outgoing.counter)]], MAX_GAP_ANSWERS))',
          replace: 'Math.min(gap.to, contact.head.outgoing.counter)]], 1e9))',
        },
        { find: '.slice(0, MAX_GAP_ANSWERS)', replace: '' },
      ],
      test: {
        file: 'test/lib/chat/bounds-protection.test.ts',
        name: 'gets at most 256 messages again for one request',
      },
    },
    {
      protection: 'A frame carries one durable payload at most',
      threat: 'a contact writes more than its limits count',
      file: 'lib/chat/applying.ts',
      takeOut: [
        { find: "else if (++durable > 1) count(machine, 'payload: a second durable one in a frame')\n", replace: '' },
      ],
      test: { file: 'test/lib/chat/bounds-protection.test.ts', name: 'writes one message in a frame' },
    },
    {
      protection: 'At most 1024 frames of a contact wait for the disk',
      threat: 'a contact fills the memory while the disk is slow',
      file: 'lib/chat/held.ts',
      takeOut: [
        {
          find: 'else if (contact.held.length < MAX_HELD) contact',
          replace: 'else if (contact.held.length < 1e9) contact',
        },
      ],
      test: {
        file: 'test/lib/chat/bounds-protection.test.ts',
        name: 'has at most 1024 frames wait behind one that asks the disk',
      },
    },
    {
      protection: 'A message that is known by its id is not shown under another number',
      threat: 'a side that went back in time shows its messages twice',
      file: 'lib/chat/applying.ts',
      takeOut: [
        {
          find: 'if (place !== null) applyKnown(machine, contact, did, payload, bytes)',
          replace: 'if (place !== null) applyNew(machine, contact, did, payload, bytes)',
        },
      ],
      test: { file: rollBack, name: 'shows nobody twice what was waiting in the old state and had arrived since' },
    },
    {
      protection: 'At most 10000 messages wait for a contact',
      threat: 'a contact who never answers fills the memory',
      file: 'lib/chat/authoring.ts',
      takeOut: [{ find: 'return contact.outbox.length < MAX_OUTBOX', replace: 'return contact.outbox.length < 1e9' }],
      test: {
        file: 'test/lib/chat/queue.test.ts',
        name: 'ten thousand messages wait for somebody who is away, and no more',
      },
    },
    {
      protection: 'What was read while receipts were off is never told',
      threat: 'a contact learns later when it was read, though the user did not want it',
      file: 'lib/chat/receipts.ts',
      takeOut: [{ find: 'contact.row.receipts ? tellableRead(state) : NO_COUNTERS', replace: 'state.read' }],
      test: {
        file: switches,
        name: 'never tell later what was read while they were off, on whatever link and after whatever loss',
      },
    },
    {
      protection: 'That somebody writes is shown to begin at most once a second',
      threat: 'a contact keeps the user interface and every client busy',
      file: 'lib/chat/typing.ts',
      takeOut: [
        {
          find: 'if (Math.abs(machine.now - typing.since) < TYPING_SHOWN_APART_MS) {',
          replace: 'if (machine.now < 0) {',
        },
      ],
      test: { file: switches, name: 'of somebody who begins and ends all the time is shown to begin once a second' },
    },
    {
      protection: 'Typing leaves half of a chain of frames to messages',
      threat: 'who only watches somebody write takes away the frames that messages need',
      file: 'lib/chat/typing.ts',
      takeOut: [{ find: '(session.send?.n ?? 0) >= MAX_TYPING_FRAMES', replace: 'session.send === null' }],
      test: { file: switches, name: 'leaves the greater part of a chain of frames for messages' },
    },
    {
      protection: 'The slot of an invite that ended tells no address',
      threat: 'whoever has the link finds this node for two more days',
      file: 'lib/chat/own-slots.ts',
      takeOut: [{ find: 'hidden: !holds(invite, machine.now)', replace: 'hidden: false' }],
      test: { file: switches, name: 'leads here until it is revoked, also after a restart, and then to no address' },
    },
    {
      protection: 'An invite for one person ends with the first who is accepted',
      threat: 'a link that went further than it should lets others in',
      file: 'lib/chat/commands.ts',
      takeOut: [
        { find: 'if (useInvite(machine, contact.row.cameBy)) schedule(machine)', replace: '' },
        { file: 'lib/chat/applying.ts', find: '&& useInvite(machine, content.invite)', replace: '&& false' },
      ],
      test: { file: switches, name: 'for one person ends when that one is accepted, and not before' },
    },
    {
      protection: 'The prefixes of somebody who was removed stay remembered',
      threat: 'whoever recorded the start of an old session brings the contact back as a request',
      file: 'lib/chat/removing.ts',
      takeOut: [
        { find: 'dropSession(machine, contact, entry, true)', replace: 'dropSession(machine, contact, entry, false)' },
      ],
      test: {
        file: 'test/lib/chat/removing.test.ts',
        name: 'does not come back when the start of an old session of theirs is repeated',
      },
    },
    {
      protection: 'An account that was made again signs above what the network holds',
      threat: 'two records of one number make every contact refuse it, or a lost device stays valid',
      file: 'lib/chat/learning-numbers.ts',
      takeOut: [{ find: 'signAbove(machine, record.seq)', replace: '' }],
      test: {
        file: 'test/lib/chat/recovering.test.ts',
        name: 'signs above everything that the network holds of it before it publishes, though its clock is behind',
      },
    },
    {
      protection: 'A device looks what lies in its slot before it replaces it',
      threat:
        'an old machine that comes back hides the list that revoked it behind its own, and contacts believe the one or the other',
      file: 'lib/chat/publishing.ts',
      takeOut: [
        { find: 'if (isNew(machine)) publish(', replace: 'if (isNew(machine) || machine.now > 0) publish(' },
        { find: '  if (isFirst && !isNew(machine)) lookAtToday(machine)\n', replace: '', file: 'lib/chat.ts' },
      ],
      test: {
        file: 'test/lib/chat/revoked.test.ts',
        name: 'publishes nothing over the newer records when it comes back after days',
      },
    },
    {
      protection: 'A list of devices is renewed only after the network took it once',
      threat: 'a lost device that was away for a month signs above the list that revoked it, and has the account back',
      file: 'lib/chat/own.ts',
      takeOut: [{ find: 'if (own.publications.last === null || isRevoked(machine) || ', replace: 'if (' }],
      test: {
        file: 'test/lib/chat/revoked.test.ts',
        name: 'does not sign above the list that revoked it when its own is due to be renewed',
      },
    },
    {
      protection: 'The links of a device that was replaced are let go',
      threat: 'a machine that was lost and runs on keeps what is meant for the one that replaced it',
      file: 'lib/chat/pins.ts',
      takeOut: [{ find: '  letLinksGo(machine, contact)\n}', replace: '}' }],
      test: {
        file: 'test/lib/backup/restoring.test.ts',
        name: 'shows and sends nothing twice while the old machine runs on, from an older backup too',
      },
    },
    {
      protection: 'What another device wrote before is known by its id',
      threat: 'a restored backup sends again what had arrived, and it is shown twice',
      file: 'lib/chat/applying.ts',
      takeOut: [{ find: '(counter === 1 && isFirstDevice(contact, did))', replace: 'counter === 1' }],
      test: {
        file: 'test/lib/backup/restoring.test.ts',
        name: 'delivers what waited when the backup was made, once, though the lost machine delivered it as well',
      },
    },
  ],
}
