import type { Part } from './protection.ts'

const handshake = 'lib/session/handshake.ts'
const handshakeTest = 'test/lib/session/handshake.test.ts'
const open = 'lib/session/open.ts'
const clones = 'test/lib/session/clones.test.ts'
const limits = 'test/lib/session/limits.test.ts'
const ratchet = 'test/lib/session/ratchet.test.ts'
const stolen = 'test/lib/session/stolen-handshake-protection.test.ts'
const frames = 'test/lib/session/frames-protection.test.ts'
const memory = 'test/lib/chat/memory-protection.test.ts'
const pq = 'lib/session/pq-step.ts'
const pqTest = 'test/lib/session/pq-step.test.ts'

/** Handshake and ratchet: what a frame has to be before anything of it counts. */
export const sessions: Part = {
  title: 'Handshake and ratchet',
  protections: [
    {
      protection: 'The transcript names the account, device, identity key and prekey that it is for',
      threat: 'a handshake with one device is passed on to another',
      file: handshake,
      takeOut: [{ find: 'concat(aid, did, ik, primitives.sha256(prekey))', replace: 'new Uint8Array()' }],
      test: { file: handshakeTest, name: 'does not open with another prekey, device, account or identity key' },
    },
    {
      protection: 'The head of a prefix is part of the transcript',
      threat: 'parts of a handshake are exchanged on their way',
      file: handshake,
      takeOut: [
        {
          find: 'let state = mixHash(primitives, startHandshake(primitives, peer), head)',
          replace: 'let state = startHandshake(primitives, peer)',
        },
        {
          find: 'let state = mixHash(primitives, startHandshake(primitives, responder), parts.head)',
          replace: 'let state = startHandshake(primitives, responder)',
        },
      ],
      test: { file: handshakeTest, name: 'does not open when any part was changed' },
    },
    {
      protection: 'The identity key of the responder is agreed with',
      threat: 'who stole prekeys alone reads who calls',
      file: handshake,
      takeOut: [
        {
          find: 'state = mixSecret(primitives, state, agreed(primitives, ephemeral, holdPublic(peer.ik)))',
          replace: '',
        },
        { find: 'state = mixSecret(primitives, state, agreed(primitives, own.ik, ephemeral))', replace: '' },
      ],
      test: { file: stolen, name: 'and has none of the identity key reads nothing' },
    },
    {
      protection: 'The X25519 half of the prekey is agreed with',
      threat: 'recorded first messages open for who steals the identity key later',
      file: handshake,
      takeOut: [
        { find: 'state = mixSecret(primitives, state, agreed(primitives, ephemeral, spk))', replace: '' },
        { find: 'state = mixSecret(primitives, state, agreed(primitives, prekey.dh, ephemeral))', replace: '' },
      ],
      test: { file: stolen, name: 'and has none of the X25519 prekey reads nothing' },
    },
    {
      protection: 'ML-KEM enters the handshake',
      threat: 'a quantum computer opens recorded first messages',
      file: handshake,
      takeOut: [
        { find: 'state = mixSecret(primitives, state, encapsulated.secret)', replace: '' },
        { find: 'state = mixSecret(primitives, state, secret)', replace: '' },
      ],
      test: { file: stolen, name: 'and breaks X25519 but not ML-KEM reads nothing' },
    },
    {
      protection: 'The identity key of the initiator is agreed with',
      threat: 'anybody begins sessions in the name of anybody',
      file: handshake,
      takeOut: [
        {
          find: 'state = mixSecret(primitives, sealed.state, agreed(primitives, own.ik, spk))',
          replace: 'state = sealed.state',
        },
        {
          find: 'const state = mixSecret(primitives, opened.transcript, agreed(primitives, opened.prekey, identity))',
          replace: 'const state = opened.transcript',
        },
      ],
      test: {
        file: handshakeTest,
        name: 'does not go on with an initiator whose identity key the record does not name',
      },
    },
    {
      protection: 'An agreement that gives nothing ends the handshake',
      threat: 'a key of small order makes the secret known to everybody',
      file: handshake,
      takeOut: [
        {
          find: "if (secret === null) throw new ProtocolError('unauthentic', 'a key agreement gave nothing')\n  return secret",
          replace: 'return secret ?? new Uint8Array(32)',
        },
      ],
      test: { file: handshakeTest, name: 'refuses keys that agree on nothing' },
    },
    {
      protection: 'The ML-KEM key in a prefix is canonical',
      threat: 'a crafted key weakens the first answer',
      file: handshake,
      takeOut: [
        {
          find: "if (!isEncapsulationKey(encapsulationKey)) throw malformed('the ML-KEM key in the prefix is not canonical')",
          replace: '',
        },
      ],
      test: { file: handshakeTest, name: 'refuses an identity that is well sealed but not well formed' },
    },
    {
      protection: 'The account record in a prefix has at most 768 bytes',
      threat: 'a stranger hands over what is parsed before anything is proved',
      file: handshake,
      takeOut: [
        {
          find: "asBytes(identity[0], 'account record', { max: MAX_ACCOUNT_RECORD_BYTES })",
          replace: "asBytes(identity[0], 'account record')",
        },
      ],
      test: { file: handshakeTest, name: 'refuses an identity that is well sealed but not well formed' },
    },
    {
      protection: 'The sealed identity has at most 2048 bytes',
      threat: 'a stranger chooses how much is decrypted for him',
      file: 'lib/session/prefix.ts',
      takeOut: [{ find: 'if (sealed > MAX_SEALED_IDENTITY_BYTES) {', replace: 'if (sealed > 1e9) {' }],
      test: { file: handshakeTest, name: 'is refused when it claims a longer identity than there can be' },
    },
    {
      protection: 'A prefix has one suite and no flags',
      threat: 'a downgrade that nobody has thought of yet',
      file: 'lib/session/prefix.ts',
      takeOut: [
        {
          find: 'if (message[0] !== PREFIX_TYPE || message[1] !== SUITE || message[2] !== FLAGS) {',
          replace: 'if (message[0] !== PREFIX_TYPE) {',
        },
      ],
      test: { file: handshakeTest, name: 'is refused with another type, suite or flag' },
    },
    {
      protection: "The first answer mixes in the initiator's identity key",
      threat: 'who stole prekeys reads and writes beyond chain 0',
      file: 'lib/session/chain-keys.ts',
      takeOut: [{ find: 'input.auth === undefined ? ABSENT : lv(input.auth)', replace: 'ABSENT' }],
      test: {
        file: 'test/lib/session/authentication.test.ts',
        name: 'cannot be read by who stole the prekey and poses as the initiator',
      },
    },
    {
      protection: 'ML-KEM secrets enter the root key',
      threat: 'a quantum computer follows a recorded conversation from a stolen state on',
      file: 'lib/session/chain-keys.ts',
      takeOut: [{ find: 'input.pq === undefined ? ABSENT : lv(input.pq)', replace: 'ABSENT' }],
      test: { file: pqTest, name: 'another secret on one side closes the chain' },
    },
    {
      protection: 'The salt of a frame depends on its plaintext',
      threat: 'a cloned machine whose random source repeats seals two texts under one key',
      file: 'lib/session/chain-keys.ts',
      takeOut: [
        {
          find: 'primitives.hmac(secret, concat(random16, primitives.sha256(padded)))',
          replace: 'primitives.hmac(secret, random16)',
        },
      ],
      test: {
        file: ratchet,
        name: 'never seals two texts under one key, even when a snapshot repeats the random source',
      },
    },
    {
      protection: 'A chain key moves forward',
      threat: 'keys taken today open the messages before',
      file: 'lib/session/chain-keys.ts',
      takeOut: [
        {
          find: 'return primitives.hmac(chainKey, TWO)',
          replace: 'return primitives.hmac(chainKey, TWO) && chainKey.slice()',
        },
      ],
      test: { file: frames, name: 'that are held after a frame open none of those before' },
    },
    {
      protection: 'A state moves only when the body of a frame is authentic',
      threat: 'a forged body makes the true frame unreadable',
      file: open,
      takeOut: [
        {
          find: 'wipe(...passed.keys.map(({ key }) => key))\n    return refused({ ...session, skips }, payloads)',
          replace:
            'return refused({ ...session, skips, recv: { ...skipTo(recv, header.n, now), chainKey: passed.chainKey } }, payloads)',
        },
      ],
      test: { file: frames, name: 'with a forged body leaves a state in which the true one opens' },
    },
    {
      protection: 'A frame has at most 16 KiB',
      threat: 'the work on a frame has no bound',
      file: 'lib/session/frame.ts',
      takeOut: [{ find: ' || frame.length > MAX_FRAME_BYTES', replace: '' }],
      test: { file: ratchet, name: 'drops a frame that is longer than any may be' },
    },
    {
      protection: 'A frame holds at most 32 payloads',
      threat: 'one frame is thousands of events',
      file: 'lib/session/payloads.ts',
      takeOut: [{ find: "'payloads', { max: MAX_PAYLOADS })", replace: "'payloads')" }],
      test: { file: frames, name: 'of more than 32 payloads is refused, though it is well sealed' },
    },
    {
      protection: 'A side seals at most 500 frames in a chain',
      threat: 'a header key is used without end, and lost frames cannot be passed over any more',
      file: 'lib/session/seal.ts',
      takeOut: [{ find: 'if (send.n >= MAX_CHAIN_FRAMES) {', replace: 'if (send.n >= 1e9) {' }],
      test: { file: ratchet, name: 'seals at most 500 frames in a chain, and goes on when the peer turns it' },
    },
    {
      protection: 'One frame passes over at most 1000 others',
      threat: 'a contact makes one frame cost millions of key derivations',
      file: 'lib/session/skipping.ts',
      takeOut: [{ find: 'if (count > MAX_SKIPPED_PER_FRAME) return null', replace: '' }],
      test: { file: limits, name: 'exactly 1000 open, 1001 are dropped' },
    },
    {
      protection: 'At most 2000 frames are passed over in a minute',
      threat: 'a contact keeps the processor and the disk busy with gaps',
      file: 'lib/session/skipping.ts',
      takeOut: [{ find: 'if (used > MAX_SKIPPED_PER_MINUTE) return null', replace: '' }],
      test: { file: limits, name: 'at most 2000 are passed over in a minute, whether the bodies hold or not' },
    },
    {
      protection: 'What a forged body would have passed over counts too',
      threat: 'frames with wrong bodies cost work that no limit sees',
      file: open,
      takeOut: [
        {
          find: 'wipe(...passed.keys.map(({ key }) => key))\n    return refused({ ...session, skips }, payloads)',
          replace: 'return refused(session, payloads)',
        },
      ],
      test: { file: limits, name: 'at most 2000 are passed over in a minute, whether the bodies hold or not' },
    },
    {
      protection: 'At most 2000 keys of skipped frames are stored per session',
      threat: 'a contact fills the disk with keys',
      file: 'lib/session/kept-chains.ts',
      takeOut: [{ find: 'let skippedRoom = MAX_STORED_SKIPPED', replace: 'let skippedRoom = 1e9' }],
      test: { file: limits, name: 'at most 2000 are stored, and the oldest chain loses its own first' },
    },
    {
      protection: 'Keys of skipped frames go after 16 days',
      threat: 'a thief of the disk finds keys of frames that were recorded long ago',
      file: 'lib/session/kept-chains.ts',
      takeOut: [
        { find: 'if (now - run.at > KEPT_MS || from >= run.to) continue', replace: 'if (from >= run.to) continue' },
      ],
      test: { file: limits, name: 'are forgotten after 16 days' },
    },
    {
      protection: 'At most 64 closed chains are kept',
      threat: 'every frame is tried with header keys without end',
      file: 'lib/session/kept-chains.ts',
      takeOut: [{ find: ' && i < MAX_KEPT_CHAINS', replace: '' }],
      test: { file: limits, name: 'keep the header keys of at most 64 chains that were left' },
    },
    {
      protection: 'At most 4096 salts of opened frames are kept',
      threat: 'the row of a session grows with every frame',
      file: 'lib/session/kept-chains.ts',
      takeOut: [{ find: 'let saltRoom = MAX_KEPT_SALTS', replace: 'let saltRoom = 1e9' }],
      test: { file: limits, name: 'is bounded, however long a hostile peer makes its chain' },
    },
    {
      protection: 'The stored key of a skipped frame opens that frame alone',
      threat: 'a frame is read as another number',
      file: open,
      takeOut: [
        {
          find: 'if (skipped === undefined || skipped.ref.n !== n || !equalBytes(skipped.ref.headerKeyId, ref.headerKeyId)) {',
          replace: 'if (skipped === undefined) {',
        },
      ],
      test: { file: limits, name: 'ask for their row, take no other, and open once' },
    },
    {
      protection: 'Another frame of an opened number is a clone',
      threat: 'two machines speak as one device and nobody is told',
      file: open,
      takeOut: [{ find: "if (comparison === 'other') return { kind: 'clone', reason: 'other-frame' }", replace: '' }],
      test: {
        file: clones,
        name: 'another frame of an opened number is a clone, in the current chain and in a closed one',
      },
    },
    {
      protection: 'The same frame again is a duplicate, not a clone',
      threat: 'whoever replays a frame raises an alarm',
      file: 'lib/session/received-chain.ts',
      takeOut: [
        {
          find: "return equalBytes(kept, salt.subarray(0, KEPT_SALT_BYTES)) ? 'equal' : 'other'",
          replace: "return 'other'",
        },
      ],
      test: {
        file: clones,
        name: 'the same frame again is a duplicate, in the current chain, a closed one and a skipped place',
      },
    },
    {
      protection: 'A chain with another ratchet key or another chain before it is a clone',
      threat: 'a state that was rolled back across a turn goes unnoticed',
      file: open,
      takeOut: [
        {
          find: "if (!equalBytes(header.r, chain.r) || header.pn !== chain.pn) return { kind: 'clone', reason: 'other-chain' }",
          replace: '',
        },
      ],
      test: { file: clones, name: 'a roll-back across a turn, with another ratchet key in the same chain, is a clone' },
    },
    {
      protection: 'A chain that goes on after it was left is a clone',
      threat: 'a rolled back state goes unnoticed',
      file: open,
      takeOut: [{ find: "if (chain !== session.recv) return { kind: 'clone', reason: 'past-the-end' }", replace: '' }],
      test: { file: clones, name: 'a chain that goes on after it was closed is a clone' },
    },
    {
      protection: 'A chain that turns out shorter than what was received of it is a clone',
      threat: 'a rolled back state goes unnoticed',
      file: open,
      takeOut: [{ find: "if (header.pn < received) return { kind: 'clone', reason: 'chain-cut' }", replace: '' }],
      test: { file: clones, name: 'a new chain that says the one before was shorter than what came of it is a clone' },
    },
    {
      protection: 'Frames of chain 1 have a type of their own',
      threat: 'a frame is cut at the wrong place',
      file: open,
      takeOut: [
        {
          find: 'parts.answer === (index === 1) ? openHeader(primitives, headerKey, id, parts) : null',
          replace: 'index > -1 ? openHeader(primitives, headerKey, id, parts) : null',
        },
      ],
      test: { file: ratchet, name: 'does not open a frame whose type is not that of its chain' },
    },
    {
      protection: 'Only a confirmed initiator offers a PQ step',
      threat: 'who stole prekeys puts in a key of his own',
      file: pq,
      takeOut: [
        {
          find: "if (pq.kind !== 'resting' || !session.confirmed) return null",
          replace: "if (pq.kind !== 'resting') return null",
        },
      ],
      test: { file: pqTest, name: 'is offered by the initiator only, and only when it knows the responder' },
    },
    {
      protection: 'An offer in chain 0 is ignored',
      threat: 'who stole prekeys puts in a key of his own',
      file: pq,
      takeOut: [
        {
          find: "if (chain === 0 || pq.kind !== 'expecting') return session",
          replace: "if (pq.kind !== 'expecting') return session",
        },
      ],
      test: { file: pqTest, name: 'an offer that is answered, over or out of the unconfirmed chain changes nothing' },
    },
    {
      protection: 'A chain that claims a PQ step has its secret',
      threat: 'a step that one side did not make breaks the session',
      file: 'lib/session/receive-step.ts',
      takeOut: [
        {
          find: "if (pq.kind !== 'answering' || pq.k !== header.pq) return 'missing-pq'\n  return { rootInput: { pq: pq.secret }, pq: { kind: 'expecting', k: followingStep(pq.k) } }",
          replace:
            "if (pq.kind !== 'answering') return { rootInput: {}, pq }\n  return { rootInput: { pq: pq.secret }, pq: { kind: 'expecting', k: followingStep(pq.k) } }",
        },
      ],
      test: { file: pqTest, name: 'a chain whose secret is not held is dropped and opens once it is' },
    },
    {
      protection: 'A link proof says whose side it is of',
      threat: 'a proof is reflected to the one who made it',
      file: 'lib/session/link-proof.ts',
      takeOut: [{ find: 'Uint8Array.of(side)', replace: 'Uint8Array.of(0)' }],
      test: {
        file: 'test/lib/session/link-proof.test.ts',
        name: 'is another one for every other side, key, peer and nonce',
      },
    },
    {
      protection: 'A link proof is over both nonces',
      threat: 'a recorded proof opens another link',
      file: 'lib/session/link-proof.ts',
      takeOut: [{ find: ', dialerNonce, listenerNonce)\n', replace: ')\n' }],
      test: {
        file: 'test/lib/session/link-proof.test.ts',
        name: 'is another one for every other side, key, peer and nonce',
      },
    },
    {
      protection: 'A link proof is over both PeerIds',
      threat: 'a proof is passed on to another link',
      file: 'lib/session/link-proof.ts',
      takeOut: [{ find: ', lv(dialer), lv(listener)', replace: '' }],
      test: {
        file: 'test/lib/session/link-proof.test.ts',
        name: 'is another one for every other side, key, peer and nonce',
      },
    },
    {
      protection: 'The keys that open chain 1 go when it opened',
      threat: 'a thief of the state reads the first answer',
      file: open,
      takeOut: [{ find: '    opening: null,\n', replace: '' }],
      test: {
        file: 'test/lib/session/session-codec.test.ts',
        name: 'the ML-KEM key and the identity key are out of the row once chain 1 opened',
      },
    },
    {
      protection: 'Secrets of a session that moved on are overwritten',
      threat: 'a copy of the memory holds keys of messages that are long read',
      file: 'lib/chat/session-entry.ts',
      takeOut: [
        { find: '  wipeReplaced(before, session)\n', replace: '  wipeReplaced(session, session)\n  void before\n' },
      ],
      test: { file: memory, name: 'keys of a session that were moved forward are overwritten in memory' },
    },
    {
      protection: 'Secrets of a session that was dropped are overwritten',
      threat: 'a copy of the memory holds keys of conversations that are over',
      file: 'lib/chat/sessions.ts',
      takeOut: [{ find: '  wipeSession(entry.session)\n', replace: '' }],
      test: { file: memory, name: 'keys of a session that was dropped are overwritten in memory' },
    },
    {
      protection: 'A session that was wiped seals nothing',
      threat: 'what is sealed from zeros opens for everybody',
      file: 'lib/session/seal.ts',
      takeOut: [
        {
          find: "if (isZero(session.rootKey) || isZero(send.chainKey)) throw new TypeError('the session was wiped')",
          replace: '',
        },
      ],
      test: { file: frames, name: 'of a session that was wiped seal nothing, neither in its chain nor in the next' },
    },
    {
      protection: 'Message keys are overwritten after their use',
      threat: 'a copy of the memory opens what was just sent',
      file: 'lib/session/seal.ts',
      takeOut: [{ find: 'wipe(secret, key, padded)', replace: '' }],
      test: { file: frames, name: 'of a frame are overwritten when it was sealed' },
    },
    {
      protection: 'Message keys are overwritten after a frame was opened',
      threat: 'a copy of the memory opens what was just read',
      file: open,
      takeOut: [{ find: '  wipe(key)\n', replace: '' }],
      test: { file: frames, name: 'of a frame are overwritten when it was opened' },
    },
    {
      protection: 'The parts of a stored session belong together',
      threat: 'a damaged row becomes a session that nobody had',
      file: 'lib/session/session-codec.ts',
      takeOut: [
        {
          find: "if (!isCoherent(session)) throw malformed('the parts of the session do not belong together')",
          replace: '',
        },
      ],
      test: {
        file: 'test/lib/session/session-codec.test.ts',
        name: 'is refused when its parts do not belong together',
      },
    },
  ],
}
