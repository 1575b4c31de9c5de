import type { Part } from './protection.ts'

const incoming = 'lib/conversation/incoming.ts'
const incomingTest = 'test/lib/conversation/incoming.test.ts'
const contents = 'lib/conversation/contents.ts'
const contentsTest = 'test/lib/conversation/contents.test.ts'

/** Numbers, receipts and what a payload may say. */
export const conversation: Part = {
  title: 'Payloads, counters and receipts',
  protections: [
    {
      protection: 'A payload has at most 14 KiB',
      threat: 'a payload that nobody could have sent is stored',
      file: 'lib/conversation/payload.ts',
      takeOut: [{ find: 'maxBytes: MAX_PAYLOAD_BYTES', replace: 'maxBytes: 1e9' }],
      test: {
        file: 'test/lib/conversation/sizes-protection.test.ts',
        name: 'a payload of 14 KiB is read, and one of a byte more is not',
      },
    },
    {
      protection: 'What is not durable has no number',
      threat: 'a receipt takes the number of a message',
      file: 'lib/conversation/payload.ts',
      takeOut: [
        {
          find: '} else if (payload.counter !== 0 || payload.previousHash.length > 0 || payload.lamport !== 0) {',
          replace: '} else if (payload.kind === 0) {',
        },
      ],
      test: { file: 'test/lib/conversation/payload.test.ts', name: 'a numbered typing' },
    },
    {
      protection: 'A time can be shown',
      threat: 'a contact sends a date that ends the program that shows it',
      file: 'lib/conversation/payload.ts',
      takeOut: [{ find: "asUint(items[7], 'sent-at', MAX_TIME_MS)", replace: "asUint(items[7], 'sent-at')" }],
      test: { file: 'test/lib/conversation/payload.test.ts', name: 'a time that no calendar shows' },
    },
    {
      protection: 'A text has at most 8 KiB',
      threat: 'a message fills the screen and the disk',
      file: contents,
      takeOut: [
        { find: "      text: asText(text, 'text', MAX_TEXT_BYTES)", replace: "      text: asText(text, 'text', 1e9)" },
      ],
      test: { file: contentsTest, name: 'a text over the limit in bytes' },
    },
    {
      protection: 'A claimed name has at most 64 bytes',
      threat: 'a stranger chooses how large his entry in a list is',
      file: contents,
      takeOut: [
        { find: "asText(name, 'claimed name', MAX_CLAIMED_NAME_BYTES)", replace: "asText(name, 'claimed name', 1e9)" },
      ],
      test: { file: contentsTest, name: 'a claimed name over the limit' },
    },
    {
      protection: 'A receipt has at most 256 ranges',
      threat: 'one receipt costs a walk through all messages many times',
      file: contents,
      takeOut: [
        {
          find: 'if (free < 0) throw malformed(`receipt: at most',
          replace: 'if (free < -1e9) throw malformed(`receipt: at most',
        },
      ],
      test: { file: contentsTest, name: 'a receipt of too many ranges in all' },
    },
    {
      protection: 'A request for gaps names at most 1024 counters',
      threat: 'one request makes an author send everything again',
      file: contents,
      takeOut: [
        {
          find: 'if (free < 0) throw malformed(`gap-request: at most',
          replace: 'if (free < -1e15) throw malformed(`gap-request: at most',
        },
      ],
      test: { file: contentsTest, name: 'gaps of too many counters in all' },
    },
    {
      protection: 'A number that was seen is not shown again',
      threat: 'a message that is sent twice is shown twice',
      file: incoming,
      takeOut: [{ find: 'if (hasCounter(state.seen, counter)) {', replace: 'if (counter < 0) {' }],
      test: { file: incomingTest, name: 'knows a duplicate, recent or old' },
    },
    {
      protection: 'Another payload of a known number is a conflict',
      threat: 'a message of an author who went back in time is acknowledged and lost',
      file: incoming,
      takeOut: [
        {
          find: "known === null || equalBytes(known, hash) ? { kind: 'seen' } : { kind: 'conflict', highest }",
          replace: "known === null || known.length > 0 ? { kind: 'seen' } : { kind: 'conflict', highest }",
        },
      ],
      test: { file: incomingTest, name: 'tells a device that went back in time from a duplicate' },
    },
    {
      protection: 'A break of the chain of hashes is noted',
      threat: 'an author rewrites what came before',
      file: incoming,
      takeOut: [{ find: "before) ? 'ok' : 'broken'", replace: "before) ? 'ok' : 'unknown'" }],
      test: { file: incomingTest, name: 'says when the chain does not fit' },
    },
    {
      protection: 'At most 2048 ranges of an author are remembered',
      threat: 'a contact that leaves holes makes every write larger',
      file: incoming,
      takeOut: [
        { find: 'const seen = closeLowest(added, MAX_SEEN_RANGES)', replace: 'const seen = closeLowest(added, 1e9)' },
      ],
      test: { file: incomingTest, name: 'an author that leaves holes without end loses the lowest one' },
    },
    {
      protection: 'At most so many missing counters are asked for at a time',
      threat: 'a contact that claims a high number makes a reader ask for 2^40',
      file: incoming,
      takeOut: [{ find: 'const first = Math.max(from, to - left + 1)', replace: 'const first = from' }],
      test: {
        file: incomingTest,
        name: 'asks for the latest first, and never for more than the limit, whatever the author claims',
      },
    },
    {
      protection: 'A lamport stops at its limit',
      threat: 'one message with the highest clock ends a conversation',
      file: 'lib/conversation/outgoing.ts',
      takeOut: [
        {
          find: 'lamport: Math.min(Math.max(state.lamport, seenLamport) + 1, MAX_LAMPORT),',
          replace: 'lamport: Math.max(state.lamport, seenLamport) + 1,',
        },
      ],
      test: {
        file: 'test/lib/conversation/outgoing.test.ts',
        name: 'a lamport at its limit stops there instead of ending the conversation',
      },
    },
    {
      protection: 'A jump ends at half of the counters',
      threat: 'a contact that claims a roll-back takes all numbers',
      file: 'lib/conversation/outgoing.ts',
      takeOut: [
        {
          find: "if (counter > MAX_JUMP) throw new ProtocolError('limit', `jump: at most to ${MAX_JUMP}, got ${counter}`)",
          replace: '',
        },
      ],
      test: {
        file: 'test/lib/conversation/outgoing.test.ts',
        name: 'no peer can make an author jump to where the counters end',
      },
    },
    {
      protection: 'A receipt for what was never sent says nothing',
      threat: 'messages of tomorrow count as delivered',
      file: 'lib/conversation/delivery.ts',
      takeOut: [
        { find: 'const nowRead = clipRanges(read, highestCounter)', replace: 'const nowRead = read' },
        {
          find: 'unionRanges(clipRanges(delivered, highestCounter), nowRead)',
          replace: 'unionRanges(delivered, nowRead)',
        },
      ],
      test: { file: 'test/lib/conversation/delivery.test.ts', name: 'never mark what was not sent' },
    },
    {
      protection: 'At most 2048 ranges of deliveries are remembered',
      threat: 'a contact that acknowledges every other message makes every write larger',
      file: 'lib/conversation/delivery.ts',
      takeOut: [
        {
          find: 'if (next.delivered.length > MAX_DELIVERY_RANGES || next.read.length > MAX_DELIVERY_RANGES) {',
          replace: 'if (next.read.length < 0) {',
        },
      ],
      test: {
        file: 'test/lib/conversation/delivery.test.ts',
        name: 'in too many pieces are refused and leave the state as it was',
      },
    },
    {
      protection: 'What is due as receipts is bounded',
      threat: 'a contact that sends holes makes every write larger',
      file: 'lib/conversation/due-receipts.ts',
      takeOut: [
        {
          find: 'unionRanges(known.delivered, entry.delivered).slice(-MAX_DUE_RANGES)',
          replace: 'unionRanges(known.delivered, entry.delivered)',
        },
        {
          find: 'unionRanges(known.read, entry.read).slice(-MAX_DUE_RANGES)',
          replace: 'unionRanges(known.read, entry.read)',
        },
      ],
      test: {
        file: 'test/lib/conversation/due-receipts.test.ts',
        name: 'what may be due is bounded, however many pieces and devices there are',
      },
    },
  ],
}
