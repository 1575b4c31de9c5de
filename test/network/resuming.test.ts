import { expect, test } from 'vitest'
import type { Caller } from '../../cli/client.ts'
import type { NumberedEvent } from '../../cli/events.ts'
import { linkOf, LOOPBACK, openScene } from '../support/processes.ts'

/** The next event of a new connection, and what the node says of the cursor. */
async function firstEvent(caller: Caller, since?: string): Promise<NumberedEvent> {
  const signal = AbortSignal.timeout(20_000)
  for await (const event of caller.events({ signal, ...(since !== undefined && { since }) })) return event
  throw new Error('there was no event')
}

test('a cursor outlives connections and not the process, and a key outlives both', async () => {
  await using scene = await openScene()
  const [ada, bob] = await Promise.all([scene.settle('ada'), scene.settle('bob')])
  const link = await linkOf(bob)
  const node = await ada.up(['--listen', LOOPBACK])
  const before = await ada.connect()
  const snapshot = await firstEvent(before)
  expect(snapshot.event.kind).toBe('snapshot')
  await before.call('contact.add', { link, petname: 'bob' })
  const sent = await before.call('message.send', { who: 'bob', text: 'once', key: 'k' })
  const again = await ada.connect()
  const { cursor, event } = await firstEvent(again, snapshot.cursor)
  expect(event).toMatchObject({ kind: 'contact', contact: { petname: 'bob' } })

  await node.signal('SIGKILL')
  await ada.up(['--listen', LOOPBACK])
  const after = await ada.connect()
  const first = await firstEvent(after, cursor)
  expect(first.event).toMatchObject({ kind: 'snapshot', contacts: [{ petname: 'bob' }] })
  expect((await after.call('message.send', { who: 'bob', text: 'twice', key: 'k' })).id).toBe(sent.id)
  expect(await after.call('message.list', { who: 'bob' })).toMatchObject([{ id: sent.id, text: 'once' }])
})
