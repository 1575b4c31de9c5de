import type { Part } from './protection.ts'

const contents = 'lib/conversation/group-contents.ts'
const contentsTest = 'test/lib/conversation/contents.test.ts'
const chain = 'lib/group/sender-chain.ts'
const chainTest = 'test/lib/group/sender-chain.test.ts'
const chains = 'lib/group/peer-chains.ts'
const frame = 'lib/group/group-frame.ts'
const open = 'lib/group/open-frame.ts'
const seal = 'lib/group/seal-frame.ts'
const framesTest = 'test/lib/group/frames.test.ts'
const topic = 'lib/group/topic.ts'
const topicTest = 'test/lib/group/topic.test.ts'

/** What is said to a group: who said it, to whom, and what it costs to read. */
export const groupFrames: Part = {
  title: 'Frames of a group',
  protections: [
    {
      protection: 'A frame of a group is signed under its chain',
      threat: 'any member writes in the name of another, since all have the keys of all chains',
      file: open,
      takeOut: [
        {
          find: "if (!verifySignature(primitives, chain.publicKey, 'gmsg', signed, parts.signature)) return refused('unauthentic')",
          replace: 'if (signed.length === 0) verifySignature(primitives, chain.publicKey, "gmsg", signed, signed)',
        },
      ],
      test: { file: framesTest, name: 'that another member made with the keys of the chain is refused' },
    },
    {
      protection: 'A sender chain is named after its group, account and device',
      threat: 'a member hands out the chain of another as its own',
      file: chain,
      takeOut: [{ find: 'primitives.sha256(gid, aid, did, publicKey)', replace: 'primitives.sha256(publicKey)' }],
      test: { file: framesTest, name: 'opens in no chain of another device, account or group' },
    },
    {
      protection: 'Key and signature of a frame are bound to group, account and device',
      threat: 'a frame is shown as said by somebody else, or in another group',
      file: chain,
      takeOut: [
        { find: 'return concat(lv(gid), lv(aid), lv(did), id, u32be(n))', replace: 'return concat(id, u32be(n))' },
      ],
      test: { file: framesTest, name: 'opens in no chain of another device, account or group' },
    },
    {
      protection: 'A frame of a group is committed to its key',
      threat: 'a member hands out two keys, and one frame says one thing to some and another to others',
      file: frame,
      takeOut: [{ find: 'if (!equalBytes(commit, frame.commit)) return null', replace: 'equalBytes(commit, key)' }],
      test: { file: framesTest, name: 'that was made to open under two keys is refused under the second' },
    },
    {
      protection: 'The signature is checked before a number costs anything',
      threat: 'any member makes all others hash a thousand times with each frame that it forges',
      file: open,
      takeOut: [
        {
          find: '  const context = frameContext(chain, n)\n',
          replace:
            '  const context = frameContext(chain, n)\n  if (n > chain.next) passOver(primitives, chain, chain.chainKey, chain.next, n)\n',
        },
      ],
      test: { file: framesTest, name: 'costs no hashing before its signature holds' },
    },
    {
      protection: 'A copy of a frame that was opened ends at its number',
      threat: 'the copies that gossip brings cost a signature each',
      file: open,
      takeOut: [{ find: "if (comparison === 'equal') return { kind: 'duplicate', n }", replace: '' }],
      test: { file: framesTest, name: 'no signature once its number was opened' },
    },
    {
      protection: 'Two frames of one number by one owner are told',
      threat: 'a device that is in two places, or that deceives, goes unnoticed',
      file: open,
      takeOut: [{ find: "if (comparison === 'other') return { kind: 'clone', n }", replace: '' }],
      test: {
        file: framesTest,
        name: 'of a number that was opened is a duplicate, or tells that its owner signed two',
      },
    },
    {
      protection: 'No number of a sender chain is higher than 499',
      threat: 'a member makes others store keys and hash without end',
      file: open,
      takeOut: [{ find: "if (n >= MAX_GROUP_CHAIN_FRAMES) return refused('limit')", replace: '' }],
      test: { file: framesTest, name: 'may pass over all others of its chain, and none has a higher number than that' },
    },
    {
      protection: 'The stored key of a skipped frame of a group opens that frame alone',
      threat: 'a frame is read as another number',
      file: open,
      takeOut: [
        {
          find: 'if (skipped === undefined || skipped.ref.n !== ref.n || !equalBytes(skipped.ref.headerKeyId, ref.headerKeyId)) {',
          replace: 'if (skipped === undefined) {',
        },
      ],
      test: { file: framesTest, name: 'that came late opens once, with the key of its own number' },
    },
    {
      protection: 'The header of a frame of a group has one length',
      threat: 'mailboxes see how many people write at a time',
      file: frame,
      takeOut: [
        {
          find: 'const plain = new Uint8Array(GROUP_HEADER_BYTES)',
          replace: 'const plain = new Uint8Array(5 + seen.length * FRAME_ID_BYTES)',
        },
      ],
      test: {
        file: framesTest,
        name: 'has the size of a bucket, whatever is in it and however much its author had seen',
      },
    },
    {
      protection: 'What a header does not use is zero',
      threat: 'two programs read one header in two ways',
      file: frame,
      takeOut: [{ find: ' || plain.subarray(end).some((byte) => byte !== 0)', replace: '' }],
      test: {
        file: framesTest,
        name: 'with a header or a padding that nobody writes is refused, though its owner signed it',
      },
    },
    {
      protection: 'The salt of a frame of a group depends on its text',
      threat: 'a machine that was cloned seals two texts under one key and nonce',
      file: seal,
      takeOut: [
        {
          find: 'random.bytes(SALT_RANDOM_BYTES), padded)',
          replace: 'random.bytes(SALT_RANDOM_BYTES), new Uint8Array())',
        },
      ],
      test: { file: framesTest, name: 'has another salt for another text' },
    },
    {
      protection: 'Nothing is sealed in a chain that was wiped',
      threat: 'a defect seals a message under a key of zeros that anybody has',
      file: seal,
      takeOut: [
        {
          find: "if (isZero(chainKey) || isZero(headerKey)) throw new TypeError('the chain was wiped')",
          replace: 'isZero(chainKey)',
        },
      ],
      test: { file: framesTest, name: 'is not sealed with what was wiped' },
    },
    {
      protection: 'A sender chain with keys of zeros is not taken',
      threat: 'what a member says can be read by everybody',
      file: chain,
      takeOut: [
        {
          find: "if (isZero(chainKey) || isZero(headerKey)) throw new ProtocolError('malformed', 'sender chain: keys of zeros')",
          replace: 'isZero(chainKey)',
        },
      ],
      test: { file: chainTest, name: 'is not taken with keys that protect nothing, or from its end' },
    },
    {
      protection: 'A sender chain with a key that proves nothing is not taken',
      threat: 'a key of small order lets anybody sign',
      file: chain,
      takeOut: [
        {
          find: "if (!isStrictPublicKey(publicKey)) throw new ProtocolError('unauthentic', 'sender chain: expected an Ed25519 key')",
          replace: 'isStrictPublicKey(publicKey)',
        },
      ],
      test: { file: chainTest, name: 'is not taken with keys that protect nothing, or from its end' },
    },
    {
      protection: 'A sender chain ends after 7 days',
      threat: 'who stole its keys reads for ever in a group that says little',
      file: chain,
      takeOut: [{ find: ' || now - chain.createdAt >= GROUP_CHAIN_LIFETIME_MS', replace: '' }],
      test: { file: chainTest, name: 'is spent after 500 frames or 7 days' },
    },
    {
      protection: 'A sender chain that is known is not set back',
      threat: 'a chain that is handed out again makes frames of before be shown again',
      file: chains,
      takeOut: [
        {
          find: 'if (chains.some(({ id }) => equalBytes(id, chain.id))) return { chains, dropped: [], dropSkipped: [] }',
          replace: 'equalBytes(chain.id, chain.id)',
        },
      ],
      test: { file: chainTest, name: 'stay as they are when a known one is handed out again' },
    },
    {
      protection: 'At most 4 chains of a device are kept in a group',
      threat: 'a member fills the disk with chains',
      file: chains,
      takeOut: [
        { find: 'i < MAX_DEVICE_CHAINS && ', replace: '' },
        {
          find: 'const isKept = ({ replacedAt }: PeerChain, i: number)',
          replace: 'const isKept = ({ replacedAt }: PeerChain)',
        },
        { find: 'chains.filter((chain, i) => !isKept(chain, i))', replace: 'chains.filter((chain) => !isKept(chain))' },
      ],
      test: { file: chainTest, name: 'are the newest 4, and what was passed over of an older one is forgotten' },
    },
    {
      protection: 'Keys of skipped frames of a group go after 16 days',
      threat: 'a thief of the disk finds keys of frames that were recorded long ago',
      file: chains,
      takeOut: [
        {
          find: 'const old = chain.skipped.filter(({ at }) => now - at > KEPT_MS)',
          replace: 'const old: typeof chain.skipped = []',
        },
      ],
      test: { file: chainTest, name: 'go 16 days after they were replaced, and keys of skipped frames after 16 days' },
    },
    {
      protection: 'The owner of a chain hands out copies of its keys',
      threat: 'whoever wipes what was sent wipes the chain',
      file: chain,
      takeOut: [{ find: 'chainKey: chain.chainKey.slice(),', replace: 'chainKey: chain.chainKey,' }],
      test: { file: chainTest, name: 'is handed out as it stands' },
    },
    {
      protection: 'Nobody but its author replaces a topic key',
      threat: 'a member keeps another away from the gossip of the group',
      file: topic,
      takeOut: [{ find: 'return told.byAuthor && !known.byAuthor ?', replace: 'return told !== known ?' }],
      test: { file: topicTest, name: 'are replaced by what the author of their operation says, and by nobody else' },
    },
    {
      protection: 'Made-up topic keys push out none that an author told',
      threat: 'a member keeps another away from the gossip of the group with sixteen announcements',
      file: topic,
      takeOut: [
        {
          find: 'if (hearsay < 0 && !told.byAuthor) return keys\n  return [...keys.toSpliced(Math.max(hearsay, 0), 1), told]',
          replace: 'return [...keys.slice(1), told]',
        },
      ],
      test: { file: topicTest, name: 'are at most 16, of which what others said goes first' },
    },
    {
      protection: 'A topic is another one each week',
      threat: 'who sees topics follows a group for ever',
      file: topic,
      takeOut: [{ find: 'primitives.hmac(key, u32be(week))', replace: 'primitives.hmac(key, u32be(week * 0))' }],
      test: { file: topicTest, name: 'follows from the key and the week' },
    },
    {
      protection: 'Operations in one payload have limits',
      threat: 'a member makes others read thousands of them at once',
      file: contents,
      takeOut: [
        {
          find: 'if (free < 0) throw malformed(`operations: at most ${MAX_GROUP_OPS_BYTES} bytes in all`)',
          replace: '',
        },
      ],
      test: { file: contentsTest, name: 'too many bytes of operations' },
    },
    {
      protection: 'What a member may want at once has limits',
      threat: 'one small payload makes others look up and send without end',
      file: contents,
      takeOut: [{ find: 'if (free < 0) throw malformed(`frames: at most ${MAX_WANTED_FRAMES} in all`)', replace: '' }],
      test: { file: contentsTest, name: 'too many frames wanted in all' },
    },
  ],
}
