import { describe, expect, it } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import {
  decodeOperation,
  encodeOperation,
  isSignedBy,
  type Operation,
  type OperationBody,
  operationId,
  signOperation,
} from '../../../lib/group/operation.ts'
import { type Content, OPERATION_KINDS } from '../../../lib/group/operation-content.ts'
import { decode, encode, type WireValue } from '../../../lib/wire.ts'
import { NOW, PREKEY, someone } from '../../support/groups.ts'
import { primitivesUnderTest } from '../../support/random.ts'

const id = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

describe.each(primitivesUnderTest)('an operation ($name)', (primitives) => {
  const who = someone(`signs by ${primitives.name}`, primitives)
  const [device] = who.devices
  if (device === undefined) throw new Error('no device')
  const base: OperationBody = {
    gid: id(9),
    parents: [id(1), id(2)],
    previous: id(3),
    account: who.key.publicKey,
    did: device.named.did,
    lamport: 7,
    content: { kind: 'leave' },
    sentAt: NOW,
  }
  const contents: readonly Content[] = [
    { kind: 'add', account: id(4), role: 'member' },
    { kind: 'add', account: id(4), role: 'admin' },
    { kind: 'card', record: who.record, prekey: PREKEY, route: null },
    { kind: 'card', record: who.record, prekey: PREKEY, route: new Uint8Array(512) },
    { kind: 'remove', adds: Array.from({ length: 64 }, (_, i) => id(i)) },
    { kind: 'leave' },
    { kind: 'transfer', account: id(5) },
    { kind: 'info', name: '🙂'.repeat(16) },
    { kind: 'settings', timer: 2 ** 32 - 1 },
  ]
  const create: OperationBody = {
    ...base,
    gid: new Uint8Array(),
    parents: [],
    previous: new Uint8Array(),
    lamport: 0,
    content: { kind: 'create', name: 'us', record: who.record, salt: new Uint8Array(16) },
  }

  it('of every kind is read as it was written, and its id is the hash of its bytes', () => {
    const bodies = [create, ...contents.map((content) => ({ ...base, content }))]
    expect(new Set(bodies.map(({ content }) => content.kind)).size).toBe(Object.keys(OPERATION_KINDS).length)
    for (const body of bodies) {
      const operation = signOperation(primitives, device.key, body)
      expect(operation).toMatchObject(body)
      expect(decodeOperation(operation.bytes)).toEqual(operation)
      expect(encodeOperation(operation)).toEqual(operation.bytes)
      expect(operationId(primitives, operation.bytes)).toBe(
        Buffer.from(primitives.sha256(operation.bytes)).toString('hex'),
      )
      expect(isSignedBy(primitives, device.named.dsk, operation)).toBe(true)
      expect(isSignedBy(primitives, who.key.publicKey, operation)).toBe(false)
    }
  })

  const refused: readonly (readonly [string, Partial<OperationBody>])[] = [
    ['seventeen parents', { parents: Array.from({ length: 17 }, (_, i) => id(i + 10)) }],
    ['parents in no order', { parents: [id(2), id(1)] }],
    ['one parent twice', { parents: [id(1), id(1)] }],
    ['the own previous among the parents', { previous: id(2) }],
    ['no parent at all', { parents: [], previous: new Uint8Array() }],
    ['no lamport', { lamport: 0 }],
    ['no group', { gid: new Uint8Array() }],
    ['half a group id', { gid: new Uint8Array(16) }],
    ['a lamport of more than 32 bits', { lamport: 2 ** 32 }],
    ['a time after the year 9999', { sentAt: 253_402_300_800_000 }],
    ['a create operation with parents', { ...create, parents: [id(1)] }],
    ['a create operation of a group', { ...create, gid: id(9) }],
    ['a name of 65 bytes', { content: { kind: 'info', name: `${'🙂'.repeat(16)}a` } }],
    ['no name', { content: { kind: 'info', name: '' } }],
    ['a removal of nothing', { content: { kind: 'remove', adds: [] } }],
    ['a removal of 65', { content: { kind: 'remove', adds: Array.from({ length: 65 }, (_, i) => id(i)) } }],
    ['a timer beyond 32 bits', { content: { kind: 'settings', timer: 2 ** 32 } }],
    [
      'a route of 513 bytes',
      { content: { kind: 'card', record: who.record, prekey: PREKEY, route: new Uint8Array(513) } },
    ],
    [
      'a prekey that is none',
      { content: { kind: 'card', record: who.record, prekey: new Uint8Array(9), route: null } },
    ],
    ['an account of 31 bytes', { content: { kind: 'add', account: new Uint8Array(31), role: 'member' } }],
  ]

  it.each(refused)('with %s is not made and not read', (_what, change) => {
    const body = { ...base, ...change }
    const good = signOperation(primitives, device.key, base)
    expect(() => signOperation(primitives, device.key, body)).toThrow(TypeError)
    expect(() => decodeOperation(encodeOperation({ ...good, ...body }))).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    )
  })

  it('of another kind or version is of a newer program, and one with more fields of none', () => {
    const { bytes, signature } = signOperation(primitives, device.key, base)
    const fields = decode(bytes.subarray(0, -64), 4096) as readonly WireValue[]
    const changed = (at: number, value: WireValue): Uint8Array =>
      concat(encode(fields.map((field, i) => (i === at ? value : field))), signature)
    expect(() => decodeOperation(changed(0, 2))).toThrow(expect.objectContaining({ code: 'newer-version' }))
    expect(() => decodeOperation(changed(8, 9))).toThrow(expect.objectContaining({ code: 'newer-version' }))
    expect(() => decodeOperation(changed(8, 0))).toThrow(expect.objectContaining({ code: 'malformed' }))
    const more = concat(encode([...fields, null]), signature)
    expect(() => decodeOperation(more)).toThrow(expect.objectContaining({ code: 'malformed' }))
  })

  it('is read up to 4096 bytes', () => {
    const operation: Operation = signOperation(primitives, device.key, { ...base, content: contents[3] as Content })
    expect(operation.bytes.length).toBeLessThan(3_000)
    expect(() => decodeOperation(new Uint8Array(4097))).toThrow(/at most 4096/)
  })
})
