import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PROOF_TYPE } from '../lib/chat/proofs.ts'
import { CONTROL_CODES } from '../lib/conversation/control.ts'
import { FIRST_EPHEMERAL_KIND, KINDS } from '../lib/conversation/payload.ts'
import { GROUP_FRAME_TYPE } from '../lib/group/group-frame.ts'
import { RANGES } from '../lib/rows.ts'
import { ANSWER_TYPE, FRAME_TYPE } from '../lib/session/frame.ts'
import { PREFIX_TYPE } from '../lib/session/prefix.ts'
import { constantIn, exportsOf, plain, tableRows, written } from './support/protocol-text.ts'
import { read, root, sourceFiles } from './support/source-tree.ts'

const text = read('docs/protocol.md')
const constants = tableRows(text, 'name', 'value', 'unit', 'where').map((row) => row.map(plain))

describe('docs/protocol.md', () => {
  it.each(constants.map(([name, value, , where]) => ({ name, value, where })))(
    'gives $name of $where as it is',
    async ({ name = '', value, where = '' }) => {
      expect(value).toBe(written(await constantIn(where, name)))
    },
  )

  it('has every number that lib exports in its table of constants, once', async () => {
    const listed = constants.map(([name, , , where]) => `${where} ${name}`)
    expect(listed.filter((entry, i) => listed.indexOf(entry) !== i)).toEqual([])
    const exported: string[] = []
    for (const file of sourceFiles('lib')) {
      if (/^lib\/(?:index|[\w/]+\/index)\.ts$/.test(file)) continue
      for (const [name, value] of Object.entries(await exportsOf(file))) {
        const declared = new RegExp(`^export const ${name}\\b`, 'm').test(read(file))
        if (declared && /^[A-Z][A-Z0-9_]*$/.test(name) && written(value)) exported.push(`${file} ${name}`)
      }
    }
    expect(exported.filter((entry) => !listed.includes(entry) && entry.split(' ')[1] !== 'NO_COUNTERS')).toEqual([])
  })

  it('names every kind of payload and control with its number, and no other', () => {
    const numbered = (rows: string[][]) =>
      Object.fromEntries(rows.map(([number, name]) => [plain(name), Number(number)]))
    const kinds = numbered(tableRows(text, 'kind', 'name', 'content'))
    expect(kinds).toEqual(KINDS)
    expect(numbered(tableRows(text, 'code', 'control', 'argument'))).toEqual(CONTROL_CODES)
    expect(text).toContain(`1…255. Below ${FIRST_EPHEMERAL_KIND} durable`)
  })

  it('names every message of a link by its first byte', () => {
    const types = tableRows(text, 'first byte', 'message', 'section').map(([type]) => Number(type))
    expect(types).toEqual([PREFIX_TYPE, FRAME_TYPE, ANSWER_TYPE, PROOF_TYPE, GROUP_FRAME_TYPE])
  })

  it('names every label that the code hashes, signs or derives with, and no other', () => {
    const literal = /['"`](sotto\/1 [^'"`\\$]*)/g
    const code = ['lib', 'node'].flatMap(sourceFiles).flatMap((file) => {
      const withoutComments = read(file).replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '')
      return [...withoutComments.matchAll(literal)].map((match) => match[1] ?? '')
    })
    const used = [...new Set(code)].sort()
    const listed = tableRows(text, 'label', 'in').map(([label]) => plain(label).slice(1, -1))
    expect(listed.toSorted()).toEqual(used)
    const quoted = [...text.matchAll(/"(sotto\/1 [^"]*)"/g)].map((match) => match[1] ?? '')
    expect([...new Set(quoted)].sort()).toEqual(used)
  })

  it('names every type of signature, and no other', () => {
    const [declaration = ''] = /type SignatureType =[^\n]+/.exec(read('lib/crypto/signed.ts')) ?? []
    const types = [...declaration.matchAll(/'(\w+)'/g)].map((match) => match[1])
    expect(tableRows(text, 'signature type', 'signs').map(([type]) => plain(type))).toEqual(types)
    const used = ['lib', 'node'].flatMap(sourceFiles).map(read).join('\n')
    for (const [type, signs] of tableRows(text, 'signature type', 'signs')) {
      const signed = new RegExp(`(?:[sS]igned(?:Message)?|sign)\\([^)]*'${plain(type)}'`).test(used)
      expect([plain(type), signed], 'built or reserved').toEqual([plain(type), signs !== 'reserved'])
    }
  })

  it('gives the points of small order that the predicate refuses', () => {
    const points = text.match(/\b[0-9a-f]{64}\b/g) ?? []
    expect(points).toHaveLength(5)
    for (const point of points) expect(read('lib/crypto/ed25519.ts')).toContain(`'${point}'`)
  })

  it('names every range at rest with its kind', () => {
    const ranges = tableRows(text, 'range', 'key', 'value', 'kind').map(([range, , , kind]) => [plain(range), kind])
    expect(Object.fromEntries(ranges)).toEqual(RANGES)
  })

  it('names every frozen file, and its fields are explained beside it', () => {
    const files = readdirSync(join(root, 'test/vectors')).filter((name) => name.endsWith('.json'))
    expect(
      tableRows(text, 'file', 'shows', 'section')
        .map(([file]) => plain(file))
        .sort(),
    ).toEqual(files.sort())
    const explained = [...read('test/vectors/README.md').matchAll(/^## ([\w-]+\.json)/gm)].map(
      (match) => match[1] ?? '',
    )
    expect(explained.sort()).toEqual(files)
  })

  it('has the sections that its table of contents and its text name', () => {
    const headings = [...text.matchAll(/^## (\d+)\. (.+)$/gm)].map(([, number, title]) => `${number}. ${title}`)
    const contents = [...text.matchAll(/^(\d+)\. \[(.+)\]\(#(.+)\)$/gm)]
    expect(contents.map(([, number, title]) => `${number}. ${title}`)).toEqual(headings)
    expect(contents.map(([, , , anchor]) => anchor)).toEqual(
      headings.map((heading) => heading.toLowerCase().replaceAll(/[.,]/g, '').replaceAll(' ', '-')),
    )
    const named = [...text.matchAll(/\bsections? (\d+)/g)].map((match) => Number(match[1]))
    expect(named.filter((number) => number < 1 || number > headings.length)).toEqual([])
  })
})
