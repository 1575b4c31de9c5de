import type { Socket } from 'node:net'
import { EventEmitter } from 'node:events'
import { InvalidArgumentError } from 'commander'
import { concat, utf8 } from '../../../lib/bytes.ts'
import { type ApiContext, isMethod } from '../../../cli/api.ts'
import { createClient } from '../../../cli/client.ts'
import { parseDuration, parseMoment } from '../../../cli/duration.ts'
import { parseConfig } from '../../../cli/config.ts'
import { CliError } from '../../../cli/errors.ts'
import { createLineReader } from '../../../cli/lines.ts'
import { formatLogLine, readLogLine } from '../../../cli/log-lines.ts'
import { checkAddress } from '../../../cli/options.ts'
import { answer } from '../../../cli/rpc.ts'
import { createRunningSettings } from '../../../cli/running-settings.ts'
import { isSettingKey, parseSetting } from '../../../cli/settings.ts'
import { METHODS } from '../../../cli/schema/methods.ts'
import { checkType } from '../../../cli/validate.ts'
import { createFakeNode } from '../../support/fake-node.ts'
import type { Outcome, Target } from '../target.ts'

const call = (method: string, params?: unknown): Uint8Array =>
  utf8(JSON.stringify({ jsonrpc: '2.0', id: 1, method, ...(params === undefined ? {} : { params }) }))
const textOf = (input: Uint8Array): string => new TextDecoder().decode(input)
const isUsage = (error: unknown): boolean => error instanceof CliError && error.code === 'usage'

/** A fresh node now and then, so that what was sent does not pile up. */
let answered = 0
let context: ApiContext = contextOf()
function contextOf(): ApiContext {
  return {
    node: createFakeNode(),
    signal: AbortSignal.timeout(1),
    stop: () => {},
    settings: createRunningSettings([], async () => ({})),
    waits: () => {},
    subscribe: () => false,
  }
}

/** Whether a result is what the schema says of the method that was called. */
function keepsToSchema(input: Uint8Array, reply: object): Outcome {
  const { method } = JSON.parse(textOf(input)) as { method: string }
  try {
    if (isMethod(method)) checkType(METHODS[method].result, Reflect.get(reply, 'result'))
    return 'accepted'
  } catch (error) {
    return utf8(String(error))
  }
}

function eventLine(cursor: string, event: object): Uint8Array {
  return utf8(`${JSON.stringify({ jsonrpc: '2.0', method: 'event', params: { cursor, event } })}\n`)
}

/** As much of a socket as a client uses. */
function fakeSocket(): Socket & { readonly ended: boolean } {
  const socket = Object.assign(new EventEmitter(), {
    ended: false,
    write: () => true,
    destroy() {
      socket.ended = true
    },
  })
  return socket as unknown as Socket & { readonly ended: boolean }
}

/** What comes over the local socket and the command line. */
export const localTargets: readonly Target[] = [
  {
    name: 'api-lines',
    covers: ['cli/lines.ts#createLineReader'],
    seeds: [utf8('one\ntwo\n\nthree\n'), utf8(`${'x'.repeat(70)}\nshort\n`)],
    text: true,
    loose: 'empty lines are no lines, and what is too long is skipped',
    run(input) {
      const of = (chunks: readonly Uint8Array[]): string => {
        const read = createLineReader(64)
        const lines = chunks.flatMap((chunk) => read(chunk))
        return lines.map((line) => (line.kind === 'line' ? Buffer.from(line.bytes).toString('hex') : '-')).join(' ')
      }
      const middle = input.length >> 1
      const expected = textOfLines(input)
      const same = of([input]) === expected && of([input.subarray(0, middle), input.subarray(middle)]) === expected
      return same ? 'accepted' : utf8('other lines in other chunks')
    },
  },
  {
    name: 'api-call',
    covers: ['cli/rpc.ts#answer', 'cli/validate.ts#readParams', 'cli/validate.ts#checkType', 'cli/api.ts#isMethod'],
    refusesSeeds: 'what is asked for is not there',
    seeds: Object.entries(METHODS).map(([method, { example }]) => call(method, example)),
    text: true,
    dear: true,
    loose: 'a call has an answer and no form',
    refuses: () => false,
    async run(input): Promise<Outcome> {
      if (++answered % 500 === 0) context = contextOf()
      const reply = await answer(input, context)
      if (reply === undefined) return 'accepted'
      const value: unknown = JSON.parse(reply)
      const isAnswer = typeof value === 'object' && value !== null && 'jsonrpc' in value
      if (!isAnswer || reply.trimEnd().includes('\n')) return utf8('no line of JSON')
      return 'error' in value ? 'refused' : keepsToSchema(input, value)
    },
  },
  {
    name: 'api-answer',
    covers: ['cli/client.ts#createClient'],
    refusesSeeds: 'some answers are refusals',
    seeds: [
      utf8('{"jsonrpc":"2.0","id":1,"result":{"a":1}}\n'),
      utf8('{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no","data":{"code":"timeout"}}}\n'),
      utf8('{"jsonrpc":"2.0","method":"closed","params":{"reason":"late"}}\n'),
    ],
    text: true,
    dear: true,
    loose: 'what answers is trusted to be a node, not to be right',
    refuses: () => false,
    async run(input): Promise<Outcome> {
      const socket = fakeSocket()
      const client = createClient(socket)
      const reply = client.call('node.status', {}).then(
        () => 'result',
        (error: unknown) => (error instanceof Error ? error.name : 'unknown'),
      )
      socket.emit('data', Buffer.from(input))
      socket.emit('close')
      const kind = await reply
      return kind === 'result' ? 'accepted' : kind === 'NodeError' || kind === 'CliError' ? 'refused' : utf8(kind)
    },
  },
  {
    name: 'log-line',
    covers: ['cli/log-lines.ts#readLogLine'],
    seeds: [
      '{"level":"info","time":1795278759368,"n":1,"said":"line"}',
      '{"level":"warn","time":-1,"component":"libp2p","said":"\\u001b[31m"}',
      '(node:7) last words',
    ].map((text) => utf8(text)),
    text: true,
    loose: 'every text is a line',
    run(input) {
      const shown = formatLogLine(readLogLine(textOf(input)))
      // a terminal gets one line with nothing in it that moves the cursor
      return /[\u0000-\u001f\u007f-\u009f]/.test(shown) ? utf8(shown) : 'accepted'
    },
  },
  {
    name: 'api-events',
    covers: ['cli/client.ts#createClient'],
    refusesSeeds: 'the node may end the connection',
    seeds: [
      eventLine('5f3a09c12b7d4e80-1', { kind: 'published', seq: 1, at: 1 }),
      concat(eventLine('5f3a09c12b7d4e80-2', { kind: 'later' }), eventLine('5f3a09c12b7d4e80-3', { kind: 'gone' })),
      utf8('{"jsonrpc":"2.0","method":"closed","params":{"reason":"late"}}\n'),
    ],
    text: true,
    dear: true,
    loose: 'what answers is trusted to be a node, not to be right',
    refuses: () => false,
    async run(input): Promise<Outcome> {
      const socket = fakeSocket()
      const client = createClient(socket)
      const followed = (async () => {
        for await (const { cursor, event } of client.events({ signal: AbortSignal.timeout(1000) })) {
          if (typeof cursor !== 'string' || typeof event.kind !== 'string') return 'no event'
        }
        return 'ended'
      })().catch((error: unknown) => (error instanceof Error ? error.name : 'unknown'))
      socket.emit('data', Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"result":{}}\n'), Buffer.from(input)]))
      // the client takes what has come before it sees the end
      await new Promise(setImmediate)
      socket.emit('close')
      const kind = await followed
      return kind === 'NodeError' || kind === 'CliError' ? 'refused' : utf8(kind)
    },
  },
  {
    name: 'duration',
    covers: ['cli/duration.ts#parseDuration'],
    seeds: ['500ms', '10s', '5m', '2h', '30d', '3650d'].map((text) => utf8(text)),
    text: true,
    loose: 'zeros may lead',
    refuses: isUsage,
    run(input) {
      const duration = parseDuration(textOf(input))
      return Number.isSafeInteger(duration) && duration >= 0 ? 'accepted' : utf8(String(duration))
    },
  },
  {
    name: 'setting',
    covers: ['cli/settings.ts#parseSetting'],
    seeds: [
      'listen /ip4/0.0.0.0/tcp/0,/ip6/::1/tcp/4001',
      'bootstrap /ip4/192.0.2.1/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN',
      'delivery outbox',
      'public reachable',
      'history 30d',
      'typing off',
    ].map((text) => utf8(text)),
    text: true,
    loose: 'it is read back as the value that the file keeps',
    refuses: isUsage,
    run(input) {
      const [key = '', ...rest] = textOf(input).split(' ')
      if (!isSettingKey(key)) return 'refused'
      const kept = JSON.stringify({ [key]: parseSetting(key, rest.join(' ')) })
      return JSON.stringify({ [key]: parseConfig(utf8(kept))[key] }) === kept
        ? 'accepted'
        : utf8(`another than ${kept}`)
    },
  },
  {
    name: 'moment',
    covers: ['cli/duration.ts#parseMoment'],
    seeds: ['2h', '2026-08-01', '2026-08-01T12:00', '2026-08-01T12:00:00Z'].map((text) => utf8(text)),
    text: true,
    loose: 'dates have many forms',
    refuses: isUsage,
    run(input) {
      const moment = parseMoment(textOf(input), 1_800_000_000_000)
      return Number.isSafeInteger(moment) ? 'accepted' : utf8(String(moment))
    },
  },
  {
    name: 'address-text',
    covers: ['cli/options.ts#checkAddress'],
    seeds: [utf8('/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWabc')],
    text: true,
    loose: 'the network reads it in full',
    refuses: (error) => error instanceof InvalidArgumentError,
    run(input) {
      for (const use of ['listen', 'bootstrap', 'announce'] as const) checkAddress(textOf(input), use)
      return 'accepted'
    },
  },
]

/** What the reader of lines of at most 64 bytes should give. */
function textOfLines(input: Uint8Array): string {
  const lines: Uint8Array[] = []
  let start = 0
  for (let at = 0; at <= input.length; at++) {
    const ended = at < input.length && input[at] === 0x0a
    if (!ended && at < input.length) continue
    const line = input.subarray(start, at)
    // what has no end yet is a line only when it is too long already
    if (line.length > 64) lines.push(new Uint8Array(0))
    else if (ended && line.length > 0) lines.push(concat(line))
    start = at + 1
  }
  return lines.map((line) => (line.length === 0 ? '-' : Buffer.from(line).toString('hex'))).join(' ')
}
