import type { Part } from './protection.ts'

const admission = 'lib/chat/admission.ts'
const hostile = 'test/lib/chat/hostile.test.ts'
const confirmation = 'test/lib/chat/confirmation.test.ts'

/** Who is heard at all: prefixes, requests, and which sessions stay. */
export const admissions: Part = {
  title: 'Requests and sessions',
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
      protection: 'Who sends 16 prefixes in a minute that open nothing loses the link',
      threat: 'a stranger makes a node run handshakes without end',
      file: 'lib/chat/incoming.ts',
      takeOut: [{ find: 'if (++toll.refused > MAX_REFUSED) {', replace: 'if (++toll.refused > 1e9) {' }],
      test: { file: hostile, name: 'a link on which nothing but rubbish comes is closed' },
    },
    {
      protection: 'On a link that is not proved only frames of whose prefix opened there are read',
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
      file: 'lib/chat/weak.ts',
      takeOut: [
        { find: 'if (entry.session.confirmed || isAnnounced(contact, entry)) {', replace: 'if (entry !== null) {' },
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
          find: ' && payloads.reduce((sum, { length }) => sum + length, 0) <= MAX_WEAK_BYTES',
          replace: '',
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
        { find: "if (before?.row.state === 'blocked') return turnAway(machine, 'from somebody blocked')", replace: '' },
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
      takeOut: [{ find: "if (!isHeard(contact)) return turnAway(machine, 'gen too low')\n", replace: '' }],
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
  ],
}
