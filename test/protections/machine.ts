import type { Part } from './protection.ts'

const admission = 'lib/chat/admission.ts'
const hostile = 'test/lib/chat/hostile.test.ts'
const confirmation = 'test/lib/chat/confirmation.test.ts'
const devices = 'test/lib/chat/devices.test.ts'
const rollBack = 'test/lib/chat/roll-back.test.ts'

/** The machine: who is heard, who is answered, and what may leave. */
export const machine: Part = {
  title: 'Sessions, contacts and links',
  protections: [
    {
      protection: 'A prefix that was dealt with opens nothing again',
      threat: 'a replayed request of somebody who was declined or blocked asks again',
      file: 'lib/chat/incoming.ts',
      takeOut: [
        { find: 'const seen = machine.prefixes.get(toHex(hash))', replace: "const seen = machine.prefixes.get('')" },
      ],
      test: { file: hostile, name: 'meets the frames of a request that was declined' },
    },
    {
      protection: 'A prefix is forgotten when its prekey is gone',
      threat: 'what is remembered of strangers grows for ever',
      file: 'lib/chat.ts',
      takeOut: [{ find: 'if (until > machine.now) continue', replace: 'if (until > 0) continue' }],
      test: {
        file: 'test/lib/chat/bounds-protection.test.ts',
        name: 'who was blocked is no row for ever: a prefix is forgotten when no prekey opens it any more',
      },
    },
    {
      protection: 'A prefix that has a session runs no second handshake',
      threat: 'a replayed prefix makes sessions without end',
      file: 'lib/chat/incoming.ts',
      takeOut: [{ find: 'equalBytes(session.prefixHash, hash))', replace: 'equalBytes(session.prefixHash, prefix))' }],
      test: { file: 'test/lib/chat/admission-protection.test.ts', name: 'that comes again and again is one session' },
    },
    {
      protection: 'A link on which 16 prefixes opened nothing is closed',
      threat: 'a stranger makes a node run handshakes without end',
      file: 'lib/chat/incoming.ts',
      takeOut: [{ find: 'if (++toll.refused > MAX_REFUSED) {', replace: 'if (++toll.refused > 1e9) {' }],
      test: { file: hostile, name: 'a link on which nothing but rubbish comes is closed' },
    },
    {
      protection: 'On a link that is not proved only answers to what went out over it are read',
      threat: 'a stranger has every frame tried with the keys of every contact',
      file: 'lib/chat/incoming.ts',
      takeOut: [
        {
          find: 'link.bound ?? link.expected ?? contactFrom(machine, link)',
          replace: 'link.bound ?? link.expected ?? machine.contacts.values().next().value ?? null',
        },
      ],
      test: {
        file: 'test/lib/chat/proofs-protection.test.ts',
        name: 'of nobody is no way for the frames of a contact',
      },
    },
    {
      protection: 'Content of chain 0 is held until the sender is confirmed',
      threat: 'who stole prekeys writes into a conversation',
      file: 'lib/chat/incoming.ts',
      takeOut: [
        {
          find: 'holdWeak(machine, contact, entry, first.payloads)',
          replace: 'applyPayloads(machine, contact, entry, { payloads: first.payloads, chain: 0 })',
        },
        {
          find: '    holdWeak(machine, contact, entry, result.payloads)\n',
          replace: '    applyPayloads(machine, contact, entry, result)\n',
        },
      ],
      test: {
        file: hostile,
        name: 'writes nothing into the conversation in the name of a contact, and takes no number of theirs',
      },
    },
    {
      protection: 'At most 8 payloads and 16 KiB are held before confirmation',
      threat: 'a stranger fills the row of a session',
      file: 'lib/chat/weak.ts',
      takeOut: [
        {
          find: 'if (entry.weak.length < MAX_WEAK_PAYLOADS && size <= MAX_WEAK_BYTES) entry.weak',
          replace: 'if (size > 0) entry.weak',
        },
      ],
      test: { file: hostile, name: 'what is held before confirmation is bounded' },
    },
    {
      protection: 'A request shows at most 1024 bytes of its text',
      threat: 'a stranger fills the list of requests',
      file: 'lib/chat/weak.ts',
      takeOut: [
        {
          find: 'updateRow(machine, contact, { hello: preview(content.text) })',
          replace: 'updateRow(machine, contact, { hello: content.text })',
        },
      ],
      test: { file: hostile, name: 'what is held before confirmation is bounded' },
    },
    {
      protection: 'Payloads of a known contact are not looked at before confirmation',
      threat: 'who stole prekeys changes the name or secret of a contact',
      file: 'lib/chat/weak.ts',
      takeOut: [{ find: "if (contact.row.state === 'requested') guarded", replace: 'guarded' }],
      test: {
        file: 'test/lib/chat/admission-protection.test.ts',
        name: 'changes neither the name nor the secret of a contact',
      },
    },
    {
      protection: 'A pending contact is accepted only when its session is confirmed',
      threat: 'who stole prekeys answers a request in the name of who was asked',
      file: admission,
      takeOut: [
        {
          find: '  contact.sessions.push(entry)\n',
          replace:
            "  contact.sessions.push(entry)\n  if (contact.row.state === 'pending') contact.row = { ...contact.row, state: 'accepted' }\n",
        },
      ],
      test: { file: hostile, name: 'cannot make a pending contact accepted' },
    },
    {
      protection: 'Who is blocked opens no session',
      threat: 'who was blocked goes on writing',
      file: admission,
      takeOut: [
        { find: "if (known?.row.state === 'blocked') return turnAway(machine, 'from somebody blocked')", replace: '' },
      ],
      test: { file: 'test/lib/chat/admission-protection.test.ts', name: 'of somebody who is blocked opens no session' },
    },
    {
      protection: 'The own account opens no session',
      threat: 'a copy of the own device talks to it as if it were a contact',
      file: admission,
      takeOut: [{ find: "throw new ProtocolError('unauthentic', 'a session from the own account')", replace: '' }],
      test: {
        file: 'test/lib/chat/admission-protection.test.ts',
        name: 'in the name of the own account makes nobody a contact',
      },
    },
    {
      protection: 'A session is kept only when its first frame opens',
      threat: 'anybody asks in the name of anybody',
      file: admission,
      takeOut: [
        {
          find: "if (first.kind !== 'opened') throw new ProtocolError('unauthentic', 'the first frame does not open')",
          replace:
            "if (first.kind !== 'opened') return { contact: known ?? addContact(machine, newContactRow(initiator.record.account, '', 'requested', machine.now)), entry: newEntry(session, machine.now, machine.now), first: { kind: 'opened', session, payloads: [], chain: 0, n: 0, addSkipped: [], dropSkipped: [] } }",
        },
      ],
      test: {
        file: 'test/lib/chat/admission-protection.test.ts',
        name: 'whose frame does not open leaves nobody behind',
      },
    },
    {
      protection: 'At most 200 requests wait',
      threat: 'strangers fill the disk and the list of requests',
      file: admission,
      takeOut: [
        { find: 'if (waiting.length < MAX_REQUESTS) return true', replace: 'if (waiting.length < 1e9) return true' },
      ],
      test: {
        file: hostile,
        name: 'two hundred requests wait, and one who was invited takes the place of the oldest of the others',
      },
    },
    {
      protection: 'Who was invited takes the place of who was not',
      threat: 'strangers who fill all places keep out those who were invited',
      file: admission,
      takeOut: [
        {
          find: 'if (!payloads.some((bytes) => isInvited(machine, bytes))) return false',
          replace: 'if (payloads.length >= 0) return false',
        },
      ],
      test: {
        file: hostile,
        name: 'two hundred requests wait, and one who was invited takes the place of the oldest of the others',
      },
    },
    {
      protection: 'Six sessions of a contact are admitted in an hour',
      threat: 'a contact keeps a node busy with handshakes',
      file: admission,
      takeOut: [
        {
          find: "if (known.admitted.length >= SESSIONS_PER_HOUR) return turnAway(machine, 'too many sessions')",
          replace: '',
        },
      ],
      test: { file: hostile, name: 'six sessions an hour are admitted, and no seventh' },
    },
    {
      protection: 'A session exceeds the confirmed ones in its gen',
      threat: 'a session that was restored from an old disk becomes the one that nobody sends on',
      file: admission,
      takeOut: [
        {
          find: 'if (opened.gen <= highest) return refuseGen(machine, link, known, first.session, highest)',
          replace: '',
        },
      ],
      test: { file: confirmation, name: 'at a higher gen after one side forgot how far it was' },
    },
    {
      protection: 'A gen is at most 26 hours ahead',
      threat: 'who stole prekeys begins a session that no later one exceeds',
      file: admission,
      takeOut: [
        {
          find: "if (opened.gen > machine.now + GEN_AHEAD_MS)\n    throw new ProtocolError('out-of-date', 'a session from more than a day ahead')",
          replace: '',
        },
      ],
      test: {
        file: 'test/lib/chat/admission-protection.test.ts',
        name: 'that is more than 26 hours ahead is refused, and one of 25 hours is not',
      },
    },
    {
      protection: 'A gen that a contact demands is at most 26 hours ahead',
      threat: 'a contact pushes the generations where nobody gets to',
      file: 'lib/chat/applying.ts',
      takeOut: [
        {
          find: "if (control.gen > machine.now + GEN_AHEAD_MS)\n        throw new ProtocolError('out-of-date', 'a gen from more than a day ahead')",
          replace: '',
        },
      ],
      test: { file: 'test/lib/chat/bounds-protection.test.ts', name: 'cannot demand a gen that nobody gets to' },
    },
    {
      protection: 'A gen that was too low is answered to accepted contacts only',
      threat: 'a stranger learns that a session exists',
      file: admission,
      takeOut: [
        { find: "if (contact.row.state !== 'accepted') return turnAway(machine, 'gen too low')\n", replace: '' },
      ],
      test: {
        file: 'test/lib/chat/admission-protection.test.ts',
        name: 'that is too low gets no answer when its sender was not accepted',
      },
    },
    {
      protection: 'A gen is believed when its session is confirmed',
      threat: 'who stole prekeys pushes the generations of the real two ahead',
      file: admission,
      takeOut: [
        {
          find: '  contact.sessions.push(entry)\n',
          replace:
            '  contact.sessions.push(entry)\n  contact.row = { ...contact.row, lastGen: Math.max(contact.row.lastGen, opened.gen) }\n',
        },
      ],
      test: {
        file: 'test/lib/chat/admission-protection.test.ts',
        name: 'of a session that nobody confirmed does not count',
      },
    },
    {
      protection: 'A confirmed session is preferred to an unconfirmed one of a higher gen',
      threat: 'who stole prekeys becomes the session that is sent on',
      file: 'lib/chat/session-entry.ts',
      takeOut: [
        { find: 'if (a.session.confirmed !== b.session.confirmed) return a.session.confirmed ? -1 : 1\n', replace: '' },
      ],
      test: { file: hostile, name: 'does not become the session that is sent on, nor the link' },
    },
    {
      protection: 'Three confirmed and two unconfirmed sessions are kept',
      threat: 'sessions of a contact grow without bound',
      file: 'lib/chat/session-entry.ts',
      takeOut: [
        {
          find: '...confirmed.slice(MAX_CONFIRMED), ...unconfirmed.slice(0, -MAX_UNCONFIRMED), ...old',
          replace: '...old',
        },
      ],
      test: { file: confirmation, name: 'as the fourth beside three confirmed ones, of which the oldest goes' },
    },
    {
      protection: 'Unconfirmed sessions do not displace confirmed ones',
      threat: 'who stole prekeys pushes the true session out',
      file: 'lib/chat/session-entry.ts',
      takeOut: [
        {
          find: 'return [...new Set([...confirmed.slice(MAX_CONFIRMED), ...unconfirmed.slice(0, -MAX_UNCONFIRMED), ...old])]',
          replace:
            'return [...new Set([...entries.toSorted((a, b) => b.session.gen - a.session.gen).slice(3), ...old])]',
        },
      ],
      test: {
        file: 'test/lib/chat/admission-protection.test.ts',
        name: 'does not push the true session out, however many it begins',
      },
    },
    {
      protection: 'Of unconfirmed sessions those that came last are kept',
      threat: 'two forged ones of a high gen keep every honest one out',
      file: 'lib/chat/session-entry.ts',
      takeOut: [
        {
          find: 'const unconfirmed = entries.filter((entry) => !entry.session.confirmed)',
          replace: 'const unconfirmed = sorted.filter((entry) => !entry.session.confirmed).toReversed()',
        },
      ],
      test: { file: hostile, name: 'keeps nobody from a new session by the highest generations' },
    },
    {
      protection: 'A session goes 16 days after it was last sent on',
      threat: 'a thief of the disk finds states of long ago',
      file: 'lib/chat/session-entry.ts',
      takeOut: [
        {
          find: 'const old = sorted.slice(1).filter((entry) => entry.sendingAt + SESSION_KEPT_MS < now)',
          replace: 'const old = sorted.slice(1).filter((entry) => entry.sendingAt + SESSION_KEPT_MS < 0 * now)',
        },
      ],
      test: {
        file: 'test/lib/chat/keeping.test.ts',
        name: 'go sixteen days after they were last sent on, with the keys of what never came',
      },
    },
    {
      protection: 'Content leaves in confirmed sessions only',
      threat: 'what is written goes to who stole the prekeys of the other side',
      file: 'lib/chat/delivering.ts',
      takeOut: [
        {
          find: "const isConfirmed = state === 'accepted' && current.session.confirmed",
          replace: "const isConfirmed = state === 'accepted'",
        },
      ],
      test: {
        file: 'test/lib/chat/records-protection.test.ts',
        name: 'content is not sealed in a session that is not confirmed, though the link is proved',
      },
    },
    {
      protection: 'Content waits for the news of the other side',
      threat: 'a side that went back in time uses numbers again, and a message is lost',
      file: 'lib/chat/delivering.ts',
      takeOut: [
        {
          find: "contact.heard === 'news' && !contact.row.unconfirmedDevice",
          replace: '!contact.row.unconfirmedDevice',
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
          find: "contact.heard === 'news' && !contact.row.unconfirmedDevice &&",
          replace: "contact.heard === 'news' &&",
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
          find: "  count(machine, `frame: clone, ${reason}`)\n  if (contact.row.state !== 'accepted') return\n",
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
      file: 'lib/chat/authoring.ts',
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
      protection: 'A proof of somebody who was not accepted is not answered',
      threat: 'a requester learns that the request arrived',
      file: 'lib/chat/binding.ts',
      takeOut: [
        {
          find: "if (contact.row.state !== 'accepted' && contact.row.state !== 'pending') return false\n",
          replace: '',
        },
        { find: "if (session.role === 'responder' && !session.confirmed) continue\n", replace: '' },
      ],
      test: {
        file: 'test/lib/chat/proofs-protection.test.ts',
        name: 'by somebody who was not accepted is not answered',
      },
    },
    {
      protection: 'A session that is not confirmed proves no link',
      threat: 'who stole prekeys is given the link of a contact',
      file: 'lib/chat/binding.ts',
      takeOut: [{ find: "if (session.role === 'responder' && !session.confirmed) continue\n", replace: '' }],
      test: { file: hostile, name: 'does not become the session that is sent on, nor the link' },
    },
    {
      protection: 'A proof is compared again when a session is confirmed',
      threat: 'a contact whose proof came first is never taken for themselves',
      file: 'lib/chat/incoming.ts',
      takeOut: [{ find: '  proveLate(machine, contact)\n', replace: '' }],
      test: {
        file: 'test/lib/chat/proofs-protection.test.ts',
        name: 'is proved by a session that was confirmed after its proof came',
      },
    },
    {
      protection: 'At most 8 proofs are looked at on a link',
      threat: 'a stranger makes a node compare without end',
      file: 'lib/chat/binding.ts',
      takeOut: [{ find: ' || ++toll.proofs > MAX_PROOFS', replace: '' }],
      test: { file: 'test/lib/chat/proofs-protection.test.ts', name: 'behind eight wrong ones is not looked at' },
    },
    {
      protection: 'A proof that a dialler gets is compared with whom it dialled',
      threat: 'a contact takes the link that was meant for another',
      file: 'lib/chat/binding.ts',
      takeOut: [
        {
          find: 'link.dialer ? (link.expected === null ? [] : [link.expected]) : machine.contacts.values()',
          replace: 'machine.contacts.values()',
        },
      ],
      test: {
        file: 'test/lib/chat/proofs-protection.test.ts',
        name: 'of one contact does not answer a dial for another',
      },
    },
    {
      protection: 'A link begins with a nonce of 32 bytes',
      threat: 'a stranger talks to a node that cannot know to whom',
      file: 'lib/chat/links.ts',
      takeOut: [{ find: 'if (bytes.length !== NONCE_BYTES) {', replace: 'if (bytes.length < 0) {' }],
      test: { file: 'test/lib/chat/proofs-protection.test.ts', name: 'bytes instead of a nonce is closed' },
    },
    {
      protection: 'A link on which nobody proves anything is closed',
      threat: 'strangers who say nothing hold the places of others',
      file: 'lib/chat/links.ts',
      takeOut: [{ find: 'else setTimer(machine, `proof:${id}`, machine.now + UNPROVED_MS)', replace: '' }],
      test: {
        file: 'test/lib/chat/strangers.test.ts',
        name: 'a link on which nobody proves anything is closed after a minute',
      },
    },
    {
      protection: 'Who was dialled and does not prove themselves is left',
      threat: 'who took over an address keeps a contact from being looked for elsewhere',
      file: 'lib/chat/links.ts',
      takeOut: [
        {
          find: '    setTimer(machine, `proof:${id}`, machine.now + UNPROVED_MS)\n    return\n',
          replace: '    return\n',
        },
      ],
      test: {
        file: 'test/lib/chat/proofs-protection.test.ts',
        name: 'to where a contact was, on which nobody proves to be them, is left and looked for anew',
      },
    },
    {
      protection: 'A request is met with silence until the user accepts it',
      threat: 'a stranger learns that a node is there and who reads',
      file: 'lib/chat/delivering.ts',
      takeOut: [{ find: "if (state !== 'accepted' && state !== 'pending') return\n", replace: '' }],
      test: { file: hostile, name: 'is all that a stranger, a request, one who is blocked and a broken one hear' },
    },
    {
      protection: 'The same answer leaves at most twice a second',
      threat: 'a replayed frame makes a node send without end',
      file: 'lib/chat/sealing.ts',
      takeOut: [{ find: ' || Math.abs(machine.now - link.droveAt) < DRIVE_APART_MS', replace: '' }],
      test: {
        file: hostile,
        name: 'a replayed message of a session makes the answer leave once, not a frame each time',
      },
    },
    {
      protection: 'Receipts are repeated at most once in ten seconds',
      threat: 'frames that a network doubles answer each other for ever',
      file: 'lib/chat/receipts.ts',
      takeOut: [
        { find: 'if (Math.abs(machine.now - contact.receiptsAgainAt) < RECEIPTS_APART_MS) return\n', replace: '' },
      ],
      test: {
        file: 'test/scenarios/hostile/amplification.test.ts',
        name: 'is not answered for ever: what one text sets off comes to an end',
      },
    },
    {
      protection: 'Declining remembers the prefix',
      threat: 'who was declined asks again with the same bytes',
      file: 'lib/chat/commands.ts',
      takeOut: [
        {
          find: "if (contact.row.state !== 'requested') return refused('wrong-state', 'there is no request of theirs')\n  for (const entry of [...contact.sessions]) dropSession(machine, contact, entry, true)",
          replace:
            "if (contact.row.state !== 'requested') return refused('wrong-state', 'there is no request of theirs')\n  for (const entry of [...contact.sessions]) dropSession(machine, contact, entry, false)",
        },
      ],
      test: { file: hostile, name: 'meets the frames of a request that was declined' },
    },
    {
      protection: 'Blocking replaces the contact secret',
      threat: 'who was blocked goes on finding the addresses',
      file: 'lib/chat/commands.ts',
      takeOut: [{ find: '    replaceContactSecret(machine)\n', replace: '' }],
      test: {
        file: 'test/lib/chat/keeping.test.ts',
        name: 'who is blocked is not told the new contact secret; everybody else is',
      },
    },
    {
      protection: 'Blocking closes the links',
      threat: 'who was blocked stays connected',
      file: 'lib/chat/commands.ts',
      takeOut: [
        {
          find: "if (link.bound === contact || link.expected === contact) machine.effects.push({ kind: 'close', link: link.id })",
          replace: '',
        },
      ],
      test: { file: 'test/lib/chat/proofs-protection.test.ts', name: 'of somebody who is blocked is closed at once' },
    },
    {
      protection: 'The public slot shows no address unless the user wants it',
      threat: 'who knows an account finds out where its owner is',
      file: 'lib/chat/publishing.ts',
      takeOut: [
        { find: "machine.options.publicMode !== 'reachable'", replace: "machine.options.publicMode === 'off'" },
      ],
      test: {
        file: 'test/lib/chat/records-protection.test.ts',
        name: 'the public slot leads nowhere unless the user wants to be reachable',
      },
    },
    {
      protection: 'Numbers of records and slots are written down before they leave',
      threat: 'two values of one number are signed after a crash',
      file: 'lib/chat/publishing.ts',
      takeOut: [{ find: '  savePublications(machine)\n  machine.effects', replace: '  machine.effects' }],
      test: {
        file: 'test/lib/chat/records-protection.test.ts',
        name: 'a record number is used once, also after a crash and with a clock that went back',
      },
    },
    {
      protection: 'A request lives two weeks',
      threat: 'requests that nobody answers stay for ever',
      file: 'lib/chat/requests.ts',
      takeOut: [{ find: 'row.since + REQUEST_MS <= now\n', replace: 'row.since + REQUEST_MS < 0 * now\n' }],
      test: {
        file: 'test/lib/chat/requests.test.ts',
        name: 'is gone where it was received, and whoever sends it again gets silence',
      },
    },
    {
      protection: 'A petname cannot look like an account',
      threat: 'a contact is taken for another by its name',
      file: 'lib/chat/commands.ts',
      takeOut: [
        {
          find: "if (name.startsWith('sotto1')) return refused('invalid', 'a petname cannot look like an account')\n",
          replace: '',
        },
      ],
      test: { file: 'test/lib/chat/bounds-protection.test.ts', name: 'cannot look like an account' },
    },
    {
      protection: 'No petname is given twice',
      threat: 'a message goes to another than was meant',
      file: 'lib/chat/commands.ts',
      takeOut: [
        {
          find: "return taken ? refused('invalid', 'this petname is taken') : name",
          replace: "return taken && name === '' ? refused('invalid', 'this petname is taken') : name",
        },
      ],
      test: { file: 'test/lib/chat/bounds-protection.test.ts', name: 'is given to one person' },
    },
    {
      protection: 'Expired privates of prekeys leave the store',
      threat: 'recorded first messages open for a thief who comes late',
      file: 'lib/chat/own.ts',
      takeOut: [
        { find: 'if (!isPrekeyErasable(pair, machine.now, true)) continue', replace: 'if (pair.expires > 0) continue' },
      ],
      test: {
        file: 'test/lib/chat/records-protection.test.ts',
        name: 'privates of prekeys are gone eight days after they expired',
      },
    },
    {
      protection: 'Bad input from outside is a counted drop',
      threat: 'a peer ends the process of another',
      file: 'lib/chat/machine.ts',
      takeOut: [
        {
          find: '    if (!(error instanceof ProtocolError)) throw error\n    count(machine, `${what}: ${error.code}`)',
          replace: '    throw error',
        },
      ],
      test: { file: hostile, name: 'is all that a stranger, a request, one who is blocked and a broken one hear' },
    },
  ],
}
