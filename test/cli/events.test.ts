import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { createClient } from '../../cli/client.ts'
import { createEventHub, type NumberedEvent, REMEMBERED_BYTES, REMEMBERED_EVENTS } from '../../cli/events.ts'
import { EVENTS } from '../../cli/schema/events.ts'
import type { EventForm } from '../../cli/schema/forms.ts'
import { bareName, checkType, typeOf } from '../../cli/validate.ts'
import { tryConnect } from '../../cli/socket-path.ts'
import type { Node, NodeEvent } from '../../node/api.ts'
import { line, rawClient, serve } from '../support/api-client.ts'
import { jsonLines, temporaryHome } from '../support/cli.ts'
import { createFakeNode } from '../support/fake-node.ts'
import { seededRandom } from '../support/random.ts'
import { seed } from '../support/seed.ts'

/** Whole numbers from 0 to below `limit`. */
function dice(): (limit: number) => number {
  const random = seededRandom(seed)
  return (limit) => Buffer.from(random.bytes(4)).readUInt32BE() % limit
}

const turn = (): Promise<void> => new Promise(setImmediate)

interface Told {
  readonly params?: NumberedEvent
  readonly result?: { resumed: boolean }
}

/** What a client makes of a connection that may end in the middle of a line: whole lines count, the rest never came. */
async function visit(path: string, since: string | undefined, stay: () => Promise<void>): Promise<Told[]> {
  const socket = connect({ path })
  socket.on('error', () => {})
  let text = ''
  socket.on('data', (chunk) => {
    text += String(chunk)
  })
  socket.write(line(1, 'events.subscribe', since === undefined ? {} : { since }))
  await stay()
  socket.destroy()
  await new Promise((resolve) => socket.once('close', resolve))
  return jsonLines(text.slice(0, text.lastIndexOf('\n') + 1)) as Told[]
}

test(`a client that reconnects 1,000 times misses no event and sees none twice (SEED=${seed})`, async () => {
  await using scope = await temporaryHome()
  const node = createFakeNode()
  await using server = await serve(scope.home, { node })
  const roll = dice()
  let emitted = 0
  const happen = (times: number): void => {
    for (let n = 0; n < times; n++) node.emit({ kind: 'published', seq: ++emitted, at: emitted })
  }
  const seen: number[] = []
  let cursor: string | undefined
  let snapshots = 0
  const take = ({ params }: Told): void => {
    if (params === undefined) return
    cursor = params.cursor
    if (params.event.kind === 'snapshot') snapshots += 1
    if (params.event.kind === 'published') seen.push(params.event.seq)
  }
  // the first visit has a cursor to go on from
  for (const told of await visit(server.socket, undefined, async () => {
    for (let n = 0; n < 50; n++) await turn()
  }))
    take(told)
  expect(snapshots).toBe(1)
  for (let visits = 0; visits < 1000; visits++) {
    happen(roll(4))
    const told = await visit(server.socket, cursor, async () => {
      for (let turns = roll(12); turns > 0; turns--) {
        happen(roll(3))
        await turn()
      }
    })
    for (const each of told) take(each)
  }
  using last = rawClient(server.socket)
  last.socket.write(line(1, 'events.subscribe', { since: cursor }))
  const rest = (await last.lines(1 + emitted - seen.length)) as Told[]
  for (const each of rest) take(each)
  expect(seen).toEqual(Array.from({ length: emitted }, (_, at) => at + 1))
  expect(snapshots).toBe(1)
})

test(`after a restart comes a new snapshot, from which a client finds what it missed (SEED=${seed})`, async () => {
  await using scope = await temporaryHome()
  const node = createFakeNode()
  const roll = dice()
  const sent: string[] = []
  const receive = (times: number): void => {
    for (let n = 0; n < times; n++) sent.push(node.receive('bob', `${sent.length}`).text ?? '')
  }
  const seen = new Map<string, string>()
  let cursor: string | undefined
  for (let run = 0; run < 40; run++) {
    await using server = await serve(scope.home, { node })
    receive(roll(5))
    for (let visits = 1 + roll(3); visits > 0; visits--) {
      await using client = createClient(await socketOf(server.socket))
      const ended = new AbortController()
      let first = true
      let wanted = roll(5)
      receive(1)
      for await (const { cursor: at, event } of client.events({
        signal: ended.signal,
        ...(cursor !== undefined && { since: cursor }),
      })) {
        // another run cannot be resumed, and a place of this one can
        if (first) expect(event.kind === 'snapshot').toBe(cursor === undefined || !isOfRun(cursor, at))
        first = false
        if (event.kind === 'snapshot') {
          for (const { id, text } of await client.call('message.list', { who: 'bob', last: 10_000 })) {
            seen.set(id, text ?? '')
          }
        }
        if (event.kind === 'message') seen.set(event.message.id, event.message.text ?? '')
        cursor = at
        if (wanted-- <= 0) ended.abort()
        else receive(1)
      }
    }
    receive(roll(5))
  }
  await using server = await serve(scope.home, { node })
  await using client = createClient(await socketOf(server.socket))
  for await (const { event } of client.events({ signal: new AbortController().signal, since: cursor ?? '' })) {
    expect(event.kind).toBe('snapshot')
    for (const { id, text } of await client.call('message.list', { who: 'bob', last: 10_000 })) seen.set(id, text ?? '')
    break
  }
  expect([...seen.values()].sort()).toEqual([...sent].sort())
})

function isOfRun(a: string, b: string): boolean {
  return a.split('-')[0] === b.split('-')[0]
}

async function socketOf(path: string): Promise<NonNullable<Awaited<ReturnType<typeof tryConnect>>>> {
  const socket = await tryConnect(path)
  if (socket === undefined) throw new Error('nobody answers')
  return socket
}

/** A subscriber that collects what it is told. */
function collect(): {
  told: NumberedEvent[]
  reasons: string[]
  push(line: Uint8Array): void
  ended(reason: string): void
  signal: AbortSignal
} {
  const told: NumberedEvent[] = []
  const reasons: string[] = []
  return {
    told,
    reasons,
    push: (bytes) => told.push(JSON.parse(Buffer.from(bytes).toString()) as NumberedEvent),
    ended: (reason) => reasons.push(reason),
    signal: new AbortController().signal,
  }
}

const encode = (event: NumberedEvent): Uint8Array => Buffer.from(JSON.stringify(event))

async function settled(): Promise<void> {
  for (let n = 0; n < 20; n++) await turn()
}

test('every event of a node has the fields of the schema and no others', async () => {
  const node = createFakeNode()
  await using hub = createEventHub(node, encode)
  const all = collect()
  hub.subscribe(all)
  await settled()
  const message = node.receive('bob', 'hi')
  const contact = await node.contacts.resolve('bob')
  const { id, conversation } = message
  const happenings: NodeEvent[] = [
    { kind: 'change', message },
    { kind: 'gone', conversation, id },
    { kind: 'request', contact },
    { kind: 'alert', contact, alert: 'new device' },
    { kind: 'group-alert', group: 'a'.repeat(64), account: contact.account, alert: 'cloned device' },
    { kind: 'typing', contact, active: true },
    { kind: 'mailbox', mailbox: { mailbox: '12D3KooWX', state: 'refused', contacts: 1, reason: 'quota' } },
    { kind: 'published', seq: 1, at: 1 },
    { kind: 'revoked', at: 1 },
  ]
  for (const event of happenings) node.emit(event)
  await node.contacts.remove((await node.contacts.add('sotto:x', { petname: 'carol' })).account)
  node.reach((await node.send('bob', 'ho')).id, 'delivered')
  const { group } = await node.groups.create('trip', ['bob'])
  await node.send(group, 'hello')
  await node.groups.leave(group)
  await node.groups.decline(group)
  await settled()
  const forms: Readonly<Record<string, EventForm>> = EVENTS
  for (const { event } of all.told) {
    const fields = Object.entries(forms[event.kind]?.fields ?? {})
    expect(Object.keys(event).sort()).toEqual(['kind', ...fields.map(([name]) => bareName(name).name)].sort())
    for (const [name, field] of fields) checkType(typeOf(field), Reflect.get(event, name))
  }
  expect([...new Set(all.told.map(({ event }) => event.kind))].sort()).toEqual(Object.keys(EVENTS).sort())
})

test('an absence that is too long costs a snapshot, and a shorter one does not', async () => {
  const node = createFakeNode()
  await using hub = createEventHub(node, encode)
  const all = collect()
  hub.subscribe(all)
  for (let seq = 1; seq <= REMEMBERED_EVENTS + 1; seq++) node.emit({ kind: 'published', seq, at: 0 })
  await settled()
  const [, first, second] = all.told
  const back = collect()
  expect(hub.subscribe(back, second?.cursor)).toBe(true)
  expect(back.told).toEqual(all.told.slice(3))
  expect(hub.subscribe(collect(), first?.cursor)).toBe(true)
  node.emit({ kind: 'published', seq: 0, at: 0 })
  await settled()
  const late = collect()
  expect(hub.subscribe(late, first?.cursor)).toBe(false)
  await settled()
  expect(late.told.map(({ event }) => event.kind)).toEqual(['snapshot'])
})

test('events of many bytes are remembered for a shorter time', async () => {
  const node = createFakeNode()
  await using hub = createEventHub(node, encode)
  const all = collect()
  hub.subscribe(all)
  await settled()
  const count = 100
  for (let n = 0; n < count; n++) node.receive('bob', 'x'.repeat((2 * REMEMBERED_BYTES) / count))
  await settled()
  const messages = all.told.filter(({ event }) => event.kind === 'message')
  expect(messages).toHaveLength(count)
  expect(hub.subscribe(collect(), messages[0]?.cursor)).toBe(false)
  expect(hub.subscribe(collect(), messages.at(-1)?.cursor)).toBe(true)
})

test('what happens while a snapshot is made comes behind it; a snapshot that fell behind is made anew', async () => {
  const node = createFakeNode()
  let asked = 0
  const overtaken: Node = {
    ...node,
    status: async () => {
      asked += 1
      for (let seq = 1; seq <= (asked === 1 ? REMEMBERED_EVENTS + 1 : 3); seq++) {
        node.emit({ kind: 'published', seq: asked * 10_000 + seq, at: 0 })
      }
      await settled()
      return node.status()
    },
  }
  await using hub = createEventHub(overtaken, encode)
  const all = collect()
  hub.subscribe(all)
  await settled()
  await settled()
  await settled()
  expect(asked).toBe(2)
  const seqs = all.told.map(({ event }) => (event.kind === 'published' ? event.seq : event.kind))
  expect(seqs).toEqual(['snapshot', 20_001, 20_002, 20_003])
})

test('when the node lost events, subscribers are told and a cursor of before leads to a snapshot', async () => {
  const node = createFakeNode()
  let fail = Promise.withResolvers<void>()
  const losing: Node = {
    ...node,
    async *events(options) {
      const failing = fail.promise.then(() => Promise.reject(new Error('too slow')))
      failing.catch(() => {})
      const events = node.events(options)[Symbol.asyncIterator]()
      for (;;) {
        const next = await Promise.race([events.next(), failing])
        if (next.done === true) return
        yield next.value
      }
    },
  }
  await using hub = createEventHub(losing, encode)
  const all = collect()
  hub.subscribe(all)
  await settled()
  node.emit({ kind: 'published', seq: 1, at: 0 })
  await settled()
  const { cursor } = all.told.at(-1) as NumberedEvent
  expect(hub.subscribe(collect(), cursor)).toBe(true)
  const failed = fail
  fail = Promise.withResolvers<void>()
  failed.resolve()
  await settled()
  expect(all.reasons).toEqual(['some events were lost; subscribe again'])
  const again = collect()
  expect(hub.subscribe(again, cursor)).toBe(false)
  await settled()
  node.emit({ kind: 'published', seq: 2, at: 0 })
  await settled()
  expect(again.told.map(({ event }) => event.kind)).toEqual(['snapshot', 'published'])
})
