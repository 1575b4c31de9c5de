import type { Part } from './protection.ts'

const ed25519 = 'lib/crypto/ed25519.ts'
const ed25519Test = 'test/lib/crypto/ed25519.test.ts'
const wire = 'lib/wire.ts'
const wireTest = 'test/lib/wire.test.ts'

/** What is decided about bytes and signatures before anybody asks what they mean. */
export const cryptography: Part = {
  title: 'Encoding and cryptography',
  protections: [
    {
      protection: 'Input is measured before it is decoded',
      threat: 'a huge value takes the memory of its reader',
      file: wire,
      takeOut: [
        {
          find: 'if (bytes.length > maxBytes) throw malformed(`at most ${maxBytes} bytes, got ${bytes.length}`)',
          replace: '',
        },
      ],
      test: { file: wireTest, name: 'refuses what is longer than the cap' },
    },
    {
      protection: 'Arrays nest at most 8 deep',
      threat: 'a few bytes exhaust the stack of a decoder',
      file: wire,
      takeOut: [{ find: 'if (remaining.length > MAX_NESTING) throw', replace: 'if (remaining.length > 1e9) throw' }],
      test: { file: wireTest, name: 'refuses deep nesting before it builds anything' },
    },
    {
      protection: 'Numbers and lengths have their shortest form',
      threat: 'a signed value is written another way and counts as another one',
      file: wire,
      takeOut: [{ find: '  strict: true,', replace: '  strict: false,' }],
      test: { file: wireTest, name: 'an integer that is longer than needed' },
    },
    {
      protection: 'Maps, tags and negative numbers do not exist',
      threat: 'two readers take one value for two things',
      file: wire,
      takeOut: [
        {
          find: "if (major === 1 || major === 5 || major === 6) throw malformed('no negative integers, maps or tags here')",
          replace: '',
        },
      ],
      test: { file: wireTest, name: 'a negative integer' },
    },
    {
      protection: 'Text is well-formed UTF-8',
      threat: 'two byte strings become one text',
      file: wire,
      takeOut: [{ find: 'checkUtf8(bytes.subarray(at, end))', replace: '' }],
      test: { file: wireTest, name: 'text that is not UTF-8' },
    },
    {
      protection: 'A value has exactly the fields of its version',
      threat: 'fields are smuggled past a signature check of an older reader',
      file: wire,
      takeOut: [
        {
          find: 'if (fields.length < expected.fields || !mayFollow(further, expected.added ?? [])) {',
          replace: 'if (fields.length > 1e9) {',
        },
      ],
      test: { file: wireTest, name: 'tells a newer version from a wrong one' },
    },
    {
      protection: 'The type of a value is checked',
      threat: 'a value is taken for one of another kind',
      file: wire,
      takeOut: [
        { find: 'if (items[1] !== expected.type) throw malformed(`expected type ${expected.type}`)', replace: '' },
      ],
      test: { file: wireTest, name: 'tells a newer version from a wrong one' },
    },
    {
      protection: 'A signature names its type',
      threat: 'a signature under one kind of record is used for another',
      file: 'lib/crypto/signed.ts',
      takeOut: [{ find: 'return concat(PREFIXES[type], bytes)', replace: 'return bytes' }],
      test: { file: 'test/lib/crypto/signed.test.ts', name: 'a signature of one type verifies as that type only' },
    },
    {
      protection: 'Signatures by keys of small order are refused',
      threat: 'one signature holds for every message',
      file: ed25519,
      takeOut: [
        {
          find: 'return isBelow(y, P) && !SMALL_ORDER_Y.some((small) => small.every((byte, i) => byte === y[i]))',
          replace: 'return isBelow(y, P)',
        },
      ],
      test: { file: ed25519Test, name: 'key of small order' },
    },
    {
      protection: 'Points are canonical',
      threat: 'two nodes disagree about one signature',
      file: ed25519,
      takeOut: [{ find: 'return isBelow(y, P) && !SMALL', replace: 'return !SMALL' }],
      test: { file: ed25519Test, name: 'non-canonical key' },
    },
    {
      protection: 'The commitment R is checked like a key',
      threat: 'two nodes disagree about one signature',
      file: ed25519,
      takeOut: [{ find: '    isStrictEncoding(signature.subarray(0, 32)) &&\n', replace: '' }],
      test: { file: ed25519Test, name: 'nonce point of small order' },
    },
    {
      protection: 'S is below the order of the group',
      threat: 'whoever has a signature makes a second one of it',
      file: ed25519,
      takeOut: [{ find: '    isReducedScalar(signature.subarray(32)) &&\n', replace: '' }],
      test: { file: ed25519Test, name: 'S + L' },
    },
    {
      protection: 'The equation holds without the cofactor',
      threat: 'the two implementations disagree about one signature',
      file: 'lib/crypto/portable.ts',
      takeOut: [
        {
          find: 'return equalBytes(Point.BASE.multiplyUnsafe(s).add(minusA.multiplyUnsafe(k)).toBytes(), r)',
          replace:
            'return Point.BASE.multiplyUnsafe(s).add(minusA.multiplyUnsafe(k)).subtract(Point.fromBytes(r)).clearCofactor().is0()',
        },
      ],
      test: { file: ed25519Test, name: 'a key with a torsion part: only the equ' },
    },
    {
      protection: 'A key with a torsion part is no account key',
      threat: 'one account has several names, and can be found under all of them',
      file: ed25519,
      takeOut: [{ find: 'return point?.isTorsionFree() ? point : null', replace: 'return point' }],
      test: {
        file: 'test/lib/identity/account.test.ts',
        name: 'are refused when the key is of small order, has a torsion part',
      },
    },
    {
      protection: 'A blinded key signs with a nonce prefix of its own',
      threat: 'two signatures under two blinded keys give the account key away',
      file: 'lib/crypto/blinding.ts',
      takeOut: [
        {
          find: 'const prefix = primitives.sha512(BLIND_PREFIX, expanded.subarray(32), publicKey).slice(0, 32)',
          replace: 'const prefix = expanded.slice(32)',
        },
      ],
      test: { file: 'test/lib/crypto/blinding.test.ts', name: 'one message under two blinded keys has two nonces' },
    },
    {
      protection: 'An ML-KEM key has coefficients below q only',
      threat: 'a crafted key tells something about what is encapsulated to it',
      file: 'lib/crypto/encapsulation-key.ts',
      takeOut: [
        { find: 'if (((bytes[i] as number) | ((middle & 15) << 8)) >= Q) return false', replace: '' },
        { find: 'if (((middle >> 4) | ((bytes[i + 2] as number) << 4)) >= Q) return false', replace: '' },
      ],
      test: {
        file: 'test/lib/crypto/primitives.test.ts',
        name: 'a key of the wrong size or with a coefficient ≥ q is refused',
      },
    },
    {
      protection: 'The padding ends in its mark',
      threat: 'a plaintext that nobody padded is taken for a message',
      file: 'lib/crypto/padding.ts',
      takeOut: [
        {
          find: 'return padded[end] === 0x80 ? padded.subarray(0, end) : null',
          replace: 'return padded.subarray(0, Math.max(end, 0))',
        },
      ],
      test: { file: 'test/lib/crypto/padding.test.ts', name: 'what no padding ends is refused at every length' },
    },
    {
      protection: 'Frames have a few sizes',
      threat: 'the length of a message shows in its frame',
      file: 'lib/crypto/padding.ts',
      takeOut: [
        { find: 'return FRAME_BUCKETS.find((size) => size >= length) ?? padme(length)', replace: 'return length' },
      ],
      test: { file: 'test/lib/crypto/padding.test.ts', name: 'frames have few sizes' },
    },
    {
      protection: 'The last piece of a stream says that it is the last',
      threat: 'a backup that was cut off passes for a whole one',
      file: 'lib/crypto/stream.ts',
      takeOut: [{ find: 'nonce[11] = isLast ? 1 : 0', replace: 'nonce[11] = 0' }],
      test: {
        file: 'test/lib/crypto/stream.test.ts',
        name: 'is refused when it is cut off anywhere, also between pieces',
      },
    },
    {
      protection: 'A piece of a stream opens at its own place only',
      threat: 'pieces of a backup change places, come twice or are left out',
      file: 'lib/crypto/stream.ts',
      takeOut: [{ find: 'new DataView(nonce.buffer).setUint32(7, piece)', replace: 'void piece' }],
      test: { file: 'test/lib/crypto/stream.test.ts', name: 'is refused when its pieces changed places' },
    },
  ],
}
