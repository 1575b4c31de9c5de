import type { Part } from './protection.ts'

const framing = 'node/network/framing.ts'
const framingTest = 'test/node/network/framing.test.ts'
const links = 'test/node/network/links.test.ts'
const store = 'node/network/slot-store.ts'
const storeTest = 'test/node/network/slot-store.test.ts'
const guard = 'node/network/guarded-datastore.ts'
const slots = 'node/network/slots.ts'
const gossipPeer = 'node/network/gossip-peer.ts'
const gossipRouter = 'node/network/gossip-router.ts'
const gossip = 'test/node/network/gossip.test.ts'
const gossiping = 'node/gossiping.ts'
const gossipingTest = 'test/node/gossiping.test.ts'
const answers = 'test/node/network/answers-protection.test.ts'

/** Streams, connections and the DHT. */
export const network: Part = {
  title: 'Network and DHT',
  protections: [
    {
      protection: 'A message of a link has 1 to 24576 bytes',
      threat: 'a stranger makes a node collect memory',
      file: framing,
      takeOut: [
        {
          find: 'if (length === 0 || length > maxBytes || prefix !== prefixBytes(length)) {',
          replace: 'if (prefix !== prefixBytes(length)) {',
        },
      ],
      test: { file: framingTest, name: 'refuses a length before any of its message arrived' },
    },
    {
      protection: 'The length of a message has its shortest form',
      threat: 'one stream is cut in two ways',
      file: framing,
      takeOut: [{ find: ' || prefix !== prefixBytes(length)) {', replace: ') {' }],
      test: { file: framingTest, name: 'a length in more bytes than needed' },
    },
    {
      protection: 'A stream is not read while what came is being handled',
      threat: 'a fast sender fills the memory of a slow reader',
      file: 'node/network/chat-stream.ts',
      takeOut: [{ find: "if (stream.readStatus === 'readable') stream.pause()", replace: '' }],
      test: { file: links, name: 'reads nothing more while its reader is busy, and its writer waits' },
    },
    {
      protection: 'The reader of a link pauses while the disk is behind',
      threat: 'a fast sender fills the memory with what is not written yet',
      file: 'node/driver.ts',
      takeOut: [
        {
          find: 'if (waiting.length < MAX_WAITING_WINDOWS && events.length < TURN_EVENTS * 4) return undefined',
          replace: 'if (waiting.length >= 0) return undefined',
        },
      ],
      test: {
        file: 'test/node/driver-protection.test.ts',
        name: 'whoever sends faster than the node handles it is made to wait, and may go on later',
      },
    },
    {
      protection: 'A link whose other end takes nothing is given up',
      threat: 'a peer that never reads fills the memory of the sender',
      file: 'node/network/chat-stream.ts',
      takeOut: [{ find: '  stream.maxWriteBufferLength = MAX_UNSENT_BYTES\n', replace: '' }],
      test: { file: links, name: 'is given up when its writer does not wait and its reader does not read' },
    },
    {
      protection: 'A reader that throws closes its link and nothing else',
      threat: 'a peer ends the process of another',
      file: 'node/network/chat-stream.ts',
      takeOut: [
        {
          find: "    } catch (cause) {\n      handlers.dropped(cause instanceof ProtocolError ? 'link-framing' : 'link-handler')\n      abort(new Error('the link could not be read', { cause }))\n    } finally {",
          replace: '    } finally {',
        },
      ],
      test: { file: links, name: 'survives a reader that throws as a closed link, not as an escape' },
    },
    {
      protection: 'A peer has at most four links',
      threat: 'a stranger opens streams without end',
      file: 'node/network/links.ts',
      takeOut: [
        { find: 'if (alike.length > MAX_LINKS_PER_PEER) alike[0]?.close()', replace: '' },
        {
          file: 'node/network/libp2p.ts',
          find: 'maxInboundStreams: MAX_CHAT_STREAMS,',
          replace: 'maxInboundStreams: 1e9,',
        },
      ],
      test: { file: links, name: 'has a few links at a time, however many it opens, and none of them is left behind' },
    },
    {
      protection: 'A peer that was blocked gets no connection',
      threat: 'who was blocked comes back',
      file: 'node/network/gater.ts',
      takeOut: [
        {
          find: 'const deny = (peer: PeerId): boolean => blocked.has(peer.toString())',
          replace: 'const deny = (peer: PeerId): boolean => blocked.has(`${peer.toString()}?`)',
        },
      ],
      test: { file: links, name: 'a blocked peer loses its link and comes back only when unblocked' },
    },
    {
      protection: 'One host has its share of connections',
      threat: 'one machine takes all places',
      file: 'node/network/gater.ts',
      takeOut: [
        {
          find: 'return host !== undefined && openFrom(host) >= maxConnectionsPerHost',
          replace: 'return host !== undefined && openFrom(host) >= 1e9 * maxConnectionsPerHost',
        },
      ],
      test: { file: links, name: 'one host gets its share of connections and no more' },
    },
    {
      protection: 'One host opens so many connections in a second',
      threat: 'one machine keeps a node busy with handshakes',
      file: 'node/network/libp2p.ts',
      takeOut: [
        {
          find: 'inboundConnectionThreshold: limits.inboundPerHostAndSecond,',
          replace: 'inboundConnectionThreshold: 1e9,',
        },
      ],
      test: { file: links, name: 'one host opens so many connections in a second and no more' },
    },
    {
      protection: 'Connections have a number above which idle ones go',
      threat: 'strangers take all descriptors of a node',
      file: 'node/network/libp2p.ts',
      takeOut: [{ find: 'maxConnections: limits.maxConnections,', replace: 'maxConnections: 1e9,' }],
      test: { file: links, name: 'a connection that carries a link is not closed to make room' },
    },
    {
      protection: 'Only addresses of IP and TCP are dialled',
      threat: 'a name in a record tells a resolver whom one looks for',
      file: 'node/network/addresses.ts',
      takeOut: [
        { find: "return form === 'ip4/tcp' || form === 'ip6/tcp' || form === 'memory'", replace: "return form !== ''" },
      ],
      test: { file: 'test/node/network/addresses.test.ts', name: '/dns4/example.org/tcp/5' },
    },
    {
      protection: 'What strangers say about others leads to plain addresses only',
      threat: 'a stranger makes a node dial names and relays',
      file: 'node/network/gater.ts',
      takeOut: [
        {
          find: 'filterMultiaddrForPeer: (_peer, address) => isPlainAddress(address),',
          replace: 'filterMultiaddrForPeer: (_peer, address) => isPlainAddress(address) || true,',
        },
      ],
      test: { file: answers, name: 'what strangers say about somebody else is no way to names and relays' },
    },
    {
      protection: 'A dial takes no other peer than the one it looks for',
      threat: 'whoever took over an address is taken for the contact',
      file: 'node/network/links.ts',
      takeOut: [
        {
          find: 'const address = withPeer(bytes, target.peer)',
          replace: 'const address = withoutPeer(withPeer(bytes, target.peer))',
        },
      ],
      test: { file: links, name: 'does not take another peer for the one it looks for' },
    },
    {
      protection: 'Every value of the DHT is checked before it is stored',
      threat: 'a node serves whatever anybody put there',
      file: store,
      takeOut: [
        {
          find: 'const facts = rules.check(key, value, now())\n    const known',
          replace: 'const facts = { rev: value.slice(0, 8), day: Math.floor(now() / DAY_MS) }\n    const known',
        },
      ],
      test: { file: storeTest, name: 'forged' },
    },
    {
      protection: 'A lower rev does not replace a higher one',
      threat: 'a replayed value leads to old addresses and prekeys',
      file: store,
      takeOut: [
        { find: "throw new ProtocolError('rolled-back', 'slot: a better value is here')", replace: '' },
        { find: "throw new ProtocolError('rolled-back', 'slot: a newer value was here before')", replace: '' },
      ],
      test: { file: storeTest, name: 'keeps the value with the higher rev, whatever comes later' },
    },
    {
      protection: 'The highest rev is remembered when its value is gone',
      threat: 'an old value comes back as soon as the newer one was crowded out',
      file: store,
      takeOut: [{ find: "throw new ProtocolError('rolled-back', 'slot: a newer value was here before')", replace: '' }],
      test: { file: storeTest, name: 'remembers the highest rev for three days when the value is gone' },
    },
    {
      protection: 'What a look-up showed counts as seen',
      threat: 'a node takes an older value than it has just read',
      file: store,
      takeOut: [
        {
          find: '      const facts = examine(key, value)\n      remember(key, facts.rev)\n      return facts',
          replace: '      return examine(key, value)',
        },
      ],
      test: { file: storeTest, name: 'what a look-up showed counts as seen' },
    },
    {
      protection: 'A value dies with its day, and when nobody renews it',
      threat: 'old addresses are served for ever',
      file: store,
      takeOut: [
        {
          find: 'return Math.abs(facts.day - Math.floor(at / DAY_MS)) > 1 || at - storedAt > RECORD_LIFETIME_MS',
          replace: 'return Math.abs(facts.day - Math.floor(at / DAY_MS)) > 1e9 + storedAt',
        },
      ],
      test: { file: storeTest, name: 'hands out nothing whose day is over or that was not renewed for two days' },
    },
    {
      protection: 'Values of others have a quota',
      threat: 'strangers fill the memory of a node',
      file: store,
      takeOut: [{ find: 'if (!ownKeys.has(key)) makeRoom(record.length, distance)', replace: '' }],
      test: { file: storeTest, name: 'never exceeds its quotas, and keeps the keys nearest to its own id' },
    },
    {
      protection: 'Strangers do not crowd out the own keys',
      threat: 'a node forgets its own slot',
      file: store,
      takeOut: [
        {
          find: 'if (entry.distance <= most || ownKeys.has(key)) continue',
          replace: 'if (entry.distance <= most) continue',
        },
      ],
      test: { file: storeTest, name: 'strangers cannot crowd out the own keys' },
    },
    {
      protection: 'Remembered revs are bounded',
      threat: 'strangers fill the memory of a node with numbers',
      file: store,
      takeOut: [{ find: 'if (revs.size > options.maxRecords * REVS_PER_RECORD) {', replace: 'if (revs.size > 1e9) {' }],
      test: {
        file: answers,
        name: 'strangers cannot make a node remember numbers without end: the oldest is forgotten',
      },
    },
    {
      protection: 'Keys of the DHT have one form',
      threat: 'a stranger stores under keys that nobody counts',
      file: guard,
      takeOut: [
        { find: 'if (!/^\\/sotto\\/[0-9a-f]{64}$/.test(text))\n    throw', replace: "if (text === '')\n    throw" },
      ],
      test: { file: storeTest, name: 'a public key record' },
    },
    {
      protection: 'The rows of the DHT go through the slot store',
      threat: 'the library stores older values over newer ones, without any quota',
      file: guard,
      takeOut: [{ find: 'if (key.startsWith(RECORDS)) return putRecord(key, value)', replace: '' }],
      test: { file: storeTest, name: 'takes, refuses and hands out records as the slot store says' },
    },
    {
      protection: 'A bounded number of peers is remembered',
      threat: 'a stranger fills the memory with peers that it mentions',
      file: guard,
      takeOut: [{ find: 'if (counts[kind] < MAX_PEER_ROWS) return', replace: 'return' }],
      test: { file: storeTest, name: 'remembers a bounded number of peers and never forgets the own' },
    },
    {
      protection: 'A bounded number of provider entries is taken',
      threat: 'a stranger fills the memory with entries that the library never drops',
      file: guard,
      takeOut: [
        {
          find: 'if (counts[kind] >= (kind === PROVIDERS ? MAX_PROVIDER_ROWS : MAX_OTHER_ROWS)) {',
          replace: 'if (counts[kind] >= 1e9) {',
        },
      ],
      test: { file: storeTest, name: 'takes a bounded number of provider entries' },
    },
    {
      protection: 'A reader checks every answer itself',
      threat: 'a DHT node answers with whatever it likes',
      file: slots,
      takeOut: [{ find: '      store.examine(key, value)\n', replace: '' }],
      test: { file: answers, name: 'gives nothing of what was forged or belongs elsewhere' },
    },
    {
      protection: 'A look-up asks several nodes',
      threat: 'one node near a key serves an old value',
      file: slots,
      takeOut: [
        {
          find: 'if (order >= 0 && ++agreeing >= GET_QUORUM) return',
          replace: 'if (order >= 0 && ++agreeing >= 1) return',
        },
      ],
      test: { file: answers, name: 'goes on to the newer value when the first node has an older one' },
    },
    {
      protection: 'Of several answers the best one is taken',
      threat: 'an old value wins by being the last to come',
      file: slots,
      takeOut: [{ find: '    if (order > 0) {\n', replace: '    if (order !== 0) {\n' }],
      test: { file: answers, name: 'does not give a worse value of the same number after the better one' },
    },
    {
      protection: 'A look-up ends with its signal',
      threat: 'a node that never answers holds a reader for ever',
      file: slots,
      takeOut: [
        {
          find: "await Promise.race([iterator.next().catch(() => 'failed' as const), aborted.promise])",
          replace: "await iterator.next().catch(() => 'failed' as const)",
        },
      ],
      test: { file: answers, name: 'ends with its signal although a node never answers' },
    },
    {
      protection: 'A stream of gossip is taken from admitted peers only',
      threat: 'anybody learns who is in which group, and speaks to it',
      file: gossipRouter,
      takeOut: [
        {
          find: '      const peer = peers.get(remotePeer.toString())\n',
          replace:
            '      const peer =\n        peers.get(remotePeer.toString()) ??\n        createGossipPeer({ id: remotePeer, own, topology, incoming, connection: () => undefined, dropped })\n',
        },
      ],
      test: { file: gossip, name: 'who is no member of any group any more is forgotten, and its streams end' },
    },
    {
      protection: 'A peer is told of the topics that it shares only',
      threat: 'a member of one group learns of all others, also of the one that it was removed from',
      file: gossipPeer,
      takeOut: [
        {
          find: 'const kept = aboutTopics(decodeRpc(withoutPrefix(data.subarray())), isShared)',
          replace: 'const kept = aboutTopics(decodeRpc(withoutPrefix(data.subarray())), () => true)',
        },
      ],
      test: { file: gossip, name: 'learns of the topics that it shares and of no other' },
    },
    {
      protection: 'What a peer says of topics that it does not share is not heard',
      threat: 'who knows the name of a topic takes part in it',
      file: gossipPeer,
      takeOut: [
        {
          find: 'const isShared = (topic: string): boolean => permitted.has(topic)',
          replace: 'const isShared = (topic: string): boolean => permitted.size > 0 || topic === ""',
        },
      ],
      test: { file: gossip, name: 'who is removed hears nothing more from that moment on' },
    },
    {
      protection: 'Gossip names nobody and is no longer than a frame can be',
      threat: 'a member fills the memory of others, or marks what it passes on',
      file: gossipPeer,
      takeOut: [{ find: 'const fine = isWellFormed(message) && own', replace: 'const fine = own' }],
      test: { file: gossip, name: 'hands over nothing that is too long, empty or names somebody' },
    },
    {
      protection: 'One message of a peer at a time waits for its verdict',
      threat: 'a member who sends too much fills the memory',
      file: gossipRouter,
      takeOut: [{ find: '      awaitRpcHandler: true,\n      awaitRpcMessageHandler: true,\n', replace: '' }],
      test: { file: gossip, name: 'waits while the verdict does, and then everything comes' },
    },
    {
      protection: 'Gossip is known again by its topic and its bytes',
      threat: 'a member of two groups has frames of the one taken for seen',
      file: gossipRouter,
      takeOut: [
        { find: 'primitives.sha256(utf8(topic), data)', replace: 'primitives.sha256(utf8(topic.slice(0, 0)), data)' },
      ],
      test: { file: gossip, name: 'of the same bytes in two groups is not the same' },
    },
    {
      protection: 'Who hands over what everybody would reject is heard no more',
      threat: 'a member keeps all others busy',
      file: gossipRouter,
      takeOut: [{ find: "if (verdict === 'reject') rejects.add(source.toString())", replace: '' }],
      test: { file: gossip, name: 'is not listened to any more after many messages that were rejected' },
    },
    {
      protection: 'Gossip that waits for a verdict is bounded in number',
      threat: 'many members together fill the memory',
      file: gossiping,
      takeOut: [{ find: 'if (waiting.size >= MAX_WAITING) {', replace: 'if (waiting.size < 0) {' }],
      test: { file: gossipingTest, name: 'waits in a crowd that has an end' },
    },
    {
      protection: 'A verdict that does not come is not waited for',
      threat: 'a frame that the machine forgets holds up everything of a member',
      file: gossiping,
      takeOut: [{ find: "          end('ignore')\n        })", replace: '        })' }],
      test: { file: gossipingTest, name: 'is ignored and counted when no verdict comes in time' },
    },
    {
      protection: 'A rendezvous node takes no links',
      threat: "everybody's first connection can be written to",
      file: 'node/network/libp2p.ts',
      takeOut: [{ find: "if (role === 'node') {", replace: 'if (role.length > 0) {' }],
      test: { file: 'test/network/rendezvous.test.ts', name: 'takes no links' },
    },
  ],
}
