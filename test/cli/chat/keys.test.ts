import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import '../../support/seed.ts'
import { createKeyDecoder, type Key, MAX_PASTE_LENGTH, typedText } from '../../../cli/chat/keys.ts'

function decode(text: string | Uint8Array, sizes: readonly number[] = [], bracketed = true): Key[] {
  const decoder = createKeyDecoder({ bracketed })
  const bytes = Buffer.from(text)
  const keys: Key[] = []
  let at = 0
  for (const size of [...sizes, bytes.length]) {
    keys.push(...decoder.push(bytes.subarray(at, at + size)))
    at += size
  }
  return keys
}

/** Texts in a row as one, since how the bytes came decides where one ends. */
function joined(keys: readonly Key[]): Key[] {
  const all: Key[] = []
  for (const key of keys) {
    const last = all.at(-1)
    if (key.kind === 'text' && last?.kind === 'text') all.splice(-1, 1, { kind: 'text', text: last.text + key.text })
    else all.push(key)
  }
  return all
}

test.each([
  ['\x1b[A', 'up'],
  ['\x1bOD', 'left'],
  ['\x1b[1;5C', 'word-right'],
  ['\x1bb', 'word-left'],
  ['\x1b[3~', 'delete'],
  ['\x7f', 'backspace'],
  ['\r', 'enter'],
  ['\x1b\r', 'newline'],
  ['\x03', 'interrupt'],
  ['\x1a', 'suspend'],
])('%j is %s', (bytes, name) => {
  expect(decode(bytes)).toEqual([{ kind: 'key', name }])
})

test.each(['\x1b[99;99u', '\x1b]11;rgb:0/0/0\x07', '\x1bP1$r0m\x1b\\', '\x1b[?1;2c', '\0', '\x1b[200', '\x1b'])(
  '%j is no key and no text',
  (bytes) => {
    expect(decode(bytes)).toEqual([])
  },
)

test('an Escape that nothing follows is forgotten, and what comes later is read as it is', () => {
  const decoder = createKeyDecoder({ bracketed: true })
  expect(decoder.push(Buffer.from('\x1b'))).toEqual([])
  expect(decoder.waiting).toBe(true)
  decoder.flush()
  expect(decoder.push(Buffer.from('[A'))).toEqual([{ kind: 'text', text: '[A' }])
})

test('a paste is one text, whatever is in it, and Enter behind it is a key', () => {
  expect(decode('\x1b[200~/quit\r\n\x03\x1b[31mred\ta\x1b[201~\r')).toEqual([
    { kind: 'paste', text: '/quit\n[31mred\ta' },
    { kind: 'key', name: 'enter' },
  ])
})

test('a paste that is too long is named and not taken, and the next key is read', () => {
  const keys = decode(`\x1b[200~${'x'.repeat(MAX_PASTE_LENGTH + 1)}\x1b[201~y`, [1000, 1000])
  expect(keys).toEqual([{ kind: 'too-long' }, { kind: 'text', text: 'y' }])
})

test('a terminal that does not mark pastes: a line end with more behind it is one, one alone is Enter', () => {
  expect(decode('one\rtwo\r', [], false)).toEqual([{ kind: 'paste', text: 'one\ntwo\n' }])
  expect(decode('one\r', [], false)).toEqual([
    { kind: 'text', text: 'one' },
    { kind: 'key', name: 'enter' },
  ])
})

test('the same bytes are the same keys, however they are cut', () => {
  const part = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('\x1b[A', '\x1b[1;5C', '\r', '\x1b[200~a\rb\x1b[201~', '\x7f', 'ü', '👩‍👩‍👧', '\x1b]0;x\x07'),
  )
  fc.assert(
    fc.property(fc.array(part), fc.array(fc.integer({ min: 1, max: 5 })), (parts, sizes) => {
      const text = parts.join('')
      expect(joined(decode(text, sizes))).toEqual(joined(decode(text)))
    }),
  )
})

test('any bytes give keys and never a control character in a text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (bytes, bracketed) => {
      for (const key of decode(bytes, [], bracketed)) {
        if (key.kind === 'text' || key.kind === 'paste') expect(typedText(key.text)).toBe(key.text)
      }
    }),
  )
})
