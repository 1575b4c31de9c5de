import type { Part } from './protection.ts'

const hostile = 'test/lib/chat/hostile.test.ts'

/** Whose a link is, who is answered, and what is kept of it. */
export const links: Part = {
  title: 'Links and answers',
  protections: [
    {
      protection: 'A proof of somebody who was not accepted is not answered',
      threat: 'a requester learns that the request arrived',
      file: 'lib/chat/binding.ts',
      takeOut: [
        {
          find: 'if (!isSought(contact)) return false\n',
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
      protection: "At most 8 proofs of a peer that are nobody's are looked at in a minute",
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
      takeOut: [{ find: 'if (!isSought(contact)) return\n', replace: '' }],
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
          find: "    return { kind: 'done' }\n  }\n  for (const entry of [...contact.sessions]) dropSession(machine, contact, entry, true)",
          replace:
            "    return { kind: 'done' }\n  }\n  for (const entry of [...contact.sessions]) dropSession(machine, contact, entry, false)",
        },
      ],
      test: { file: hostile, name: 'meets the frames of a request that was declined' },
    },
    {
      protection: 'Blocking replaces the contact secret',
      threat: 'who was blocked goes on finding the addresses',
      file: 'lib/chat/removing.ts',
      takeOut: [{ find: '  replaceContactSecret(machine)\n', replace: '' }],
      test: {
        file: 'test/lib/chat/keeping.test.ts',
        name: 'who is blocked is not told the new contact secret; everybody else is',
      },
    },
    {
      protection: 'Blocking closes the links',
      threat: 'who was blocked stays connected',
      file: 'lib/chat/removing.ts',
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
      file: 'lib/chat/own-slots.ts',
      takeOut: [{ find: "publicMode !== 'reachable'", replace: "publicMode === 'off'" }],
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
        {
          find: 'if (!isPrekeyErasable(pair, machine.now, drained)) continue',
          replace: 'if (pair.expires > 0) continue',
        },
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
