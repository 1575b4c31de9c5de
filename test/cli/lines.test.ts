import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import '../support/seed.ts'
import { createLineReader, type Line } from '../../cli/lines.ts'

function read(chunks: readonly string[], maxBytes = 10): string[] {
  const next = createLineReader(maxBytes)
  const show = (line: Line): string => (line.kind === 'line' ? Buffer.from(line.bytes).toString('latin1') : '!')
  return chunks.flatMap((chunk) => next(Buffer.from(chunk, 'latin1'))).map(show)
}

test('lines come whole however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ab]{1,10}$/)), fc.array(fc.nat(12)), (lines, cuts) => {
      let rest = lines.map((line) => `${line}\n`).join('')
      const chunks = cuts.map((cut) => {
        const chunk = rest.slice(0, cut)
        rest = rest.slice(cut)
        return chunk
      })
      expect(read([...chunks, rest])).toEqual(lines)
    }),
  )
})

test('a line that is too long is reported once, skipped to its end, and the next is read', () => {
  expect(read(['12345678901', '2345', '67\nnext\n'])).toEqual(['!', 'next'])
  expect(read(['1234567890\n12345678901\nx\n'])).toEqual(['1234567890', '!', 'x'])
})

test('empty lines and a line without an end are nothing', () => {
  expect(read(['\n\n\na\n\nunfinished'.slice(0, 12)])).toEqual(['a'])
})
