import { describe, expect, test } from 'vitest'
import { VERBS } from '../../cli/verbs.ts'
import { type Answered, asExpected, play, readScenes, rewrite } from '../support/transcripts.ts'

// local times are printed; the transcripts were written in Greenwich
process.env['TZ'] = 'UTC'

const scenes = readScenes()

/** Nothing in what any command prints moves a cursor, sets a title or hides. */
const COMMANDS_TERMINAL = /[\0-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/
const needsNode = [0, 1, 2, 3, 130]
const needsHome = [0, 1, 2, 130]

/** How every command can end. A command that ends in a way that is not here, or never in one that is, fails the table. */
const ENDS: Readonly<Record<string, readonly number[]>> = {
  init: [0, 1, 2],
  passphrase: [0, 1, 2],
  backup: needsHome,
  restore: needsHome,
  up: [0, 1, 2],
  down: needsNode.filter((code) => code !== 1),
  status: [0, 2, 3, 130],
  logs: [0, 2, 3, 130],
  group: needsNode,
  config: needsHome,
  id: [0, 1, 2, 130],
  devices: [0, 2, 3, 130],
  invite: needsHome,
  add: needsNode,
  contacts: needsHome,
  requests: needsHome,
  accept: needsNode,
  decline: needsNode,
  block: needsNode,
  unblock: needsNode,
  rename: needsNode,
  verify: needsHome,
  remove: needsNode,
  send: [0, 1, 2, 4, 130],
  chat: needsNode,
  log: [0, 1, 2, 3, 130],
  edit: needsNode,
  delete: needsNode,
  react: needsNode,
  read: needsNode,
  mailbox: needsNode,
  mesh: needsHome,
  bootstrap: [0, 1, 2],
  completion: [0, 2],
}

const isJson = ({ argv }: Answered['step']): boolean => argv.includes('--json')
const verbOf = ({ argv }: Answered['step']): string =>
  argv.find((word) => VERBS.some(({ name }) => name === word)) ?? ''

describe.each(scenes.map((scene) => [`${scene.file.replace('.txt', '')}: ${scene.title}`, scene] as const))(
  '%s',
  (_, scene) => {
    test('every command answers as written', async () => {
      const answered = await play(scene)
      // UPDATE=1 writes what came; look at it before it is kept
      if (process.env['UPDATE'] === '1') return rewrite(scene, answered)
      for (const { step, output, code } of answered) {
        const line = `sotto ${step.argv.join(' ')}`
        expect([line, ...asExpected(step.expected, output), code]).toEqual([line, ...step.expected, step.code])
        expect(output.filter((each) => COMMANDS_TERMINAL.test(each))).toEqual([])
        // the log of a node stays text
        const data = isJson(step) ? output.filter((each) => !/^! (?!\{)/.test(each)) : []
        for (const each of data) expect(JSON.parse(each.replace(/^! /, ''))).toMatchObject({ schemaVersion: 1 })
      }
    })
  },
)

describe('the transcripts', () => {
  const steps = scenes.flatMap(({ parts }) => parts.filter((part) => typeof part !== 'string'))

  test('have every command', () => {
    expect(Object.keys(ENDS).sort()).toEqual(VERBS.map(({ name }) => name).sort())
  })

  test.each(VERBS.map(({ name }) => name))('have every end of %s, for people and as JSON', (verb) => {
    const of = (json: boolean): number[] => {
      const codes = steps.filter((step) => verbOf(step) === verb && isJson(step) === json).map(({ code }) => code)
      return [...new Set(codes)].sort((a, b) => a - b)
    }
    expect({ text: of(false), json: of(true) }).toEqual({ text: ENDS[verb], json: ENDS[verb] })
  })
})
