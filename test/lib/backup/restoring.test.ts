import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../lib/bytes.ts'
import type { Reply } from '../../../lib/chat/events.ts'
import type { BackupItem } from '../../../lib/backup/items.ts'
import { backUp, randomOf, restore, rowsOf } from '../../support/backups.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'
import { shown } from '../../support/shown.ts'

const HOUR = 3_600_000

function pair(seed: string): { world: World; alice: Someone; bob: Someone } {
  const world = createWorld(seed)
  const [alice, bob] = [world.person('alice'), world.person('bob')]
  world.advance(2_000)
  acquaint(world, alice, bob)
  world.advance(60_000)
  return { world, alice, bob }
}

function idOf(reply: Reply): string {
  if (reply.kind !== 'message') throw new Error(`expected a message, got ${JSON.stringify(reply)}`)
  return toHex(reply.id)
}

function lose(world: World, who: Someone): void {
  who.online = false
  who.restart()
  world.advance(60_000)
}

const alerts = (who: Someone) => who.events.flatMap((event) => (event.kind === 'alert' ? [event.alert] : []))
/** What everybody sees of a conversation. */
const seen = (who: Someone, other: Someone) =>
  shown(who, other).map(({ id, text, kind, state, edited, reactions, replyTo, expiresAt }) => ({
    ...{ id, text, kind, state, edited, reactions, replyTo, expiresAt },
  }))
/** How often a message was told to the person. */
const told = (who: Someone, id: string): number =>
  who.events.filter((event) => event.kind === 'message' && toHex(event.id) === id).length

/** A conversation with one of everything. */
function talk(world: World, alice: Someone, bob: Someone): void {
  const [toBob, toAlice] = [alice.contact(bob), bob.contact(alice)]
  const first = idOf(say(alice, bob, 'helo'))
  const second = idOf(say(bob, alice, 'hi'))
  world.advance(5_000)
  alice.command({ kind: 'edit', contact: toBob, message: fromHex(first), text: 'hello' })
  bob.command({ kind: 'react', contact: toAlice, message: fromHex(first), emoji: '👍' })
  alice.command({ kind: 'react', contact: toBob, message: fromHex(second), emoji: '🙂' })
  alice.command({ kind: 'send', contact: toBob, text: 'an answer', replyTo: fromHex(second) })
  const gone = idOf(say(alice, bob, 'never said'))
  world.advance(5_000)
  alice.command({ kind: 'delete', contact: toBob, message: fromHex(gone) })
  bob.command({ kind: 'send', contact: toAlice, text: 'for a day', expires: 24 * HOUR })
  bob.command({ kind: 'send', contact: toAlice, text: 'for a minute', expires: 60_000 })
  world.advance(5_000)
  bob.command({ kind: 'read', contact: toAlice })
  say(bob, alice, 'unread')
  world.advance(5_000)
}

describe('a restored device', () => {
  test('shows the conversation as it was: edits, deletions, reactions, answers, states and times', async () => {
    const { world, alice, bob } = pair('whole')
    talk(world, alice, bob)
    const before = seen(alice, bob)
    const items = await backUp(world, alice)
    lose(world, alice)
    const again = restore(world, 'alice again', items)
    expect(again.account).toEqual(alice.account)
    expect(again.chat.self.did).not.toEqual(alice.chat.self.did)
    // a minute has passed
    expect(seen(again, bob)).toEqual(before.filter(({ text }) => text !== 'for a minute'))
    expect(before).toHaveLength(7)
    const { row } = again.person(bob) ?? {}
    expect(row).toMatchObject({ state: 'accepted', petname: 'bob' })
    world.advance(24 * HOUR)
    expect(seen(again, bob).map(({ text }) => text)).not.toContain('for a day')
  })

  test('finds its contacts by itself, and both can write', async () => {
    const { world, alice, bob } = pair('meets')
    talk(world, alice, bob)
    const items = await backUp(world, alice)
    lose(world, alice)
    const again = restore(world, 'alice again', items)
    world.advance(120_000)
    expect(alerts(bob)).toContain('new device')
    expect(alerts(bob)).not.toContain('two records of one number')
    say(bob, again, 'welcome back')
    say(again, bob, 'here I am')
    world.advance(60_000)
    expect(again.texts(bob).slice(-2).sort()).toEqual(['>here I am', 'welcome back'])
    expect(bob.texts(again).slice(-2).sort()).toEqual(['>welcome back', 'here I am'])
    expect(shown(again, bob).at(-1)).toMatchObject({ state: expect.stringMatching(/delivered|read/) as string })
    // what they do to old messages is still done to the same ones
    const first = shown(again, bob).find(({ text }) => text === 'hello')
    again.command({ kind: 'edit', contact: again.contact(bob), message: fromHex(first?.id ?? ''), text: 'once more' })
    world.advance(60_000)
    expect(shown(bob, again).find(({ id }) => id === first?.id)).toMatchObject({ text: 'once more' })
  })

  test('delivers what waited when the backup was made, once, though the lost machine delivered it as well', async () => {
    for (const delivered of [false, true]) {
      const { world, alice, bob } = pair(`waits ${delivered}`)
      say(alice, bob, 'first')
      world.advance(5_000)
      bob.online = false
      bob.restart()
      world.advance(1_000)
      const id = idOf(say(alice, bob, 'waits'))
      alice.command({ kind: 'edit', contact: alice.contact(bob), message: fromHex(id), text: 'waits, changed' })
      world.advance(1_000)
      const items = await backUp(world, alice)
      if (delivered) {
        bob.online = true
        bob.restart()
        world.advance(HOUR)
        expect(told(bob, id)).toBe(1)
      }
      lose(world, alice)
      bob.online = true
      bob.restart()
      const again = restore(world, 'alice again', items)
      expect(seen(again, bob).at(-1)).toMatchObject({ id, text: 'waits, changed', state: 'queued' })
      world.advance(HOUR)
      expect(shown(bob, again).map(({ text }) => text)).toEqual(['first', 'waits, changed'])
      expect(shown(again, bob).at(-1)).toMatchObject({ id, state: 'delivered' })
      expect(told(bob, id)).toBe(1)
      expect(again.person(bob)?.waiting).toBe(0)
    }
  })

  test('shows nothing twice that contacts send again, and says what it lost', async () => {
    const { world, alice, bob } = pair('resent')
    // her receipts are lost: he sends all of it again
    world.faults.deliver = (_from, to) => to === alice
    const before = idOf(say(bob, alice, 'before'))
    world.advance(20_000)
    expect(told(alice, before)).toBe(1)
    const items = await backUp(world, alice)
    world.faults.deliver = () => true
    world.advance(60_000)
    const lost = idOf(say(bob, alice, 'after the backup'))
    world.advance(60_000)
    lose(world, alice)
    say(bob, alice, 'while she was away')
    const again = restore(world, 'alice again', items)
    world.advance(1_000)
    // what he may send her again takes its time
    world.faults.deliver = (from) => from !== again
    world.advance(60_000)
    world.faults.deliver = () => true
    world.advance(HOUR)
    const texts = again.texts(bob)
    expect(texts.filter((text) => text === 'before')).toHaveLength(1)
    expect(texts).toContain('while she was away')
    expect(told(again, before)).toBe(0)
    // he still has it, and what is not 16 days old is asked for
    expect(told(again, lost)).toBeLessThanOrEqual(1)
    if (!texts.includes('after the backup')) expect(shown(again, bob).at(-1)).toMatchObject({ missing: 1 })
    else expect(texts.filter((text) => text === 'after the backup')).toHaveLength(1)
  })

  test('shows and sends nothing twice while the old machine runs on, from an older backup too', async () => {
    const { world, alice, bob } = pair('both run')
    say(alice, bob, 'one')
    world.advance(5_000)
    const older = await backUp(world, alice)
    say(alice, bob, 'two')
    say(bob, alice, 'three')
    world.advance(5_000)
    await backUp(world, alice)
    const again = restore(world, 'alice again', older)
    world.advance(120_000)
    say(again, bob, 'from the new')
    say(alice, bob, 'from the old')
    world.advance(24 * HOUR)
    const texts = bob.texts(again)
    expect(new Set(texts).size).toBe(texts.length)
    expect(texts).toEqual(expect.arrayContaining(['one', 'two', '>three', 'from the new']))
    expect(texts).not.toContain('from the old')
    const own = again.texts(bob)
    expect(new Set(own).size).toBe(own.length)
  })

  test('has to be confirmed by who had verified it before anything is written to it', async () => {
    const { world, alice, bob } = pair('verified')
    bob.command({ kind: 'confirm', contact: bob.contact(alice) })
    alice.command({ kind: 'confirm', contact: alice.contact(bob) })
    const items = await backUp(world, alice)
    lose(world, alice)
    const again = restore(world, 'alice again', items)
    expect(again.person(bob)?.row).toMatchObject({ verified: 'number', unconfirmedDevice: false })
    world.advance(120_000)
    expect(bob.person(alice)?.row).toMatchObject({ verified: 'number', unconfirmedDevice: true })
    say(bob, alice, 'is it you?')
    world.advance(600_000)
    expect(again.texts(bob)).toEqual([])
    bob.command({ kind: 'confirm', contact: bob.contact(alice) })
    world.advance(600_000)
    expect(again.texts(bob)).toEqual(['is it you?'])
  })

  test('knows whom it asked, who asked, whom it blocked, and its links', async () => {
    const { world, alice, bob } = pair('people')
    const [carol, dave, eve] = [world.person('carol'), world.person('dave'), world.person('eve')]
    world.advance(2_000)
    acquaint(world, alice, carol)
    alice.command({ kind: 'block', contact: alice.contact(carol) })
    const link = alice.command({ kind: 'invite', addresses: [] })
    if (link.kind !== 'invite') throw new Error('expected a link')
    world.advance(10_000)
    dave.command({ kind: 'add', link: link.link, petname: 'alice', hello: 'Dave here' })
    const eves = eve.command({ kind: 'invite', addresses: [] })
    world.advance(10_000)
    alice.command({ kind: 'add', link: eves.kind === 'invite' ? eves.link : '', petname: 'eve', hello: 'Alice here' })
    world.advance(10_000)
    alice.command({ kind: 'configure', contact: alice.contact(bob), receipts: false, expires: HOUR })
    const items = await backUp(world, alice)
    lose(world, alice)
    const again = restore(world, 'alice again', items)
    const states = () => [carol, dave, eve, bob].map((other) => again.person(other)?.row.state)
    expect(states()).toEqual(['blocked', 'requested', 'pending', 'accepted'])
    expect(again.person(dave)?.row.hello).toBe('Dave here')
    expect(again.person(bob)?.row).toMatchObject({ receipts: false, expires: HOUR })
    world.advance(120_000)
    again.command({ kind: 'accept', contact: again.contact(dave), petname: 'dave' })
    eve.command({ kind: 'accept', contact: eve.contact(again), petname: 'alice' })
    world.advance(HOUR)
    expect(states()).toEqual(['blocked', 'accepted', 'accepted', 'accepted'])
    say(again, dave, 'hello Dave')
    say(dave, again, 'hello Alice')
    world.advance(HOUR)
    expect(dave.texts(again)).toContain('hello Dave')
    expect(again.texts(dave)).toContain('hello Alice')
    // her link still leads to her
    const frank = world.person('frank')
    world.advance(10_000)
    frank.command({ kind: 'add', link: link.link, petname: 'alice', hello: 'Frank here' })
    world.advance(60_000)
    expect(again.person(frank)?.row.state).toBe('requested')
  })

  test('can be backed up and restored again', async () => {
    const { world, alice, bob } = pair('again and again')
    talk(world, alice, bob)
    const before = seen(alice, bob)
    const one = rowsOf(await backUp(world, alice), randomOf('one'), world.now)
    const first = restore(world, 'first', await backUp(world, alice))
    expect(seen(first, bob)).toEqual(before)
    const second = restore(world, 'second', await backUp(world, first))
    expect(seen(second, bob)).toEqual(before)
    const places = (rows: Iterable<{ range: string; key: Uint8Array }>) =>
      [...rows]
        .filter(({ range }) => range === 'place' || range === 'message')
        .map(({ range, key }) => range + toHex(key))
    expect(places(second.rows.values()).sort()).toEqual(places(one).sort())
  })

  test('has nothing of the device: no session, no prekey, no frame, no key of a message', async () => {
    const { world, alice, bob } = pair('secrets')
    talk(world, alice, bob)
    lose(world, bob)
    say(alice, bob, 'waits')
    world.advance(1_000)
    const items = await backUp(world, alice)
    const kinds = new Set(items.map(({ kind }) => kind))
    expect([...kinds].sort()).toEqual(
      ['account', 'contact', 'end', 'expiry', 'invite', 'message', 'places'].filter((kind) =>
        kinds.has(kind as BackupItem['kind']),
      ),
    )
    const text = items
      .map((item) => JSON.stringify(item, (_, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value)))
      .join('')
    const secrets = [...alice.rows.values()].filter(({ range }) =>
      ['session', 'prekey', 'skipped', 'drive', 'prefix'].includes(range),
    )
    expect(secrets.length).toBeGreaterThan(1)
    for (const { value } of secrets) expect(text).not.toContain(toHex(value ?? new Uint8Array()).slice(0, 200))
    const rows = rowsOf(items, randomOf('rows'), world.now)
    expect(rows.filter(({ range }) => ['session', 'skipped', 'drive', 'prefix', 'stored'].includes(range))).toEqual([])
    const own = new Set([...alice.rows.values()].filter(({ range }) => range === 'prekey').map(({ key }) => toHex(key)))
    const prekeys = rows.filter(({ range }) => range === 'prekey')
    expect(prekeys).toHaveLength(1)
    expect(prekeys.some(({ key }) => own.has(toHex(key)))).toBe(false)
  })
})
