import { describe, expect, test } from 'vitest'
import { createMesh, type SimulatedMesh } from '../../node/mesh/index.ts'
import { check } from '../../node/mesh/simulated/checker.ts'

/** A story so short that the process can be killed at each thing that it does outside of itself. */
interface Story {
  readonly name: string
  readonly contacts: boolean
  tell(mesh: SimulatedMesh): Promise<void>
}

const STORIES: readonly Story[] = [
  {
    name: 'two who know each other write three texts each way',
    contacts: true,
    async tell(mesh) {
      for (let i = 1; i <= 3; i++) {
        say(mesh, 'alice', 'bob', `a${i}`)
        say(mesh, 'bob', 'alice', `b${i}`)
        await mesh.advance(100)
      }
    },
  },
  {
    name: 'one adds the other by a link, is accepted, and both write',
    contacts: false,
    async tell(mesh) {
      const invite = mesh.people.get('alice')?.invite()
      await mesh.advance(1_000)
      const { link } = (await settledOr(invite)) ?? { link: null }
      if (link !== null) quietly(mesh.people.get('bob')?.contacts.add(link, { petname: 'alice', hello: 'b1' }))
      await mesh.advance(2_000)
      await accept(mesh)
      await mesh.advance(2_000)
      say(mesh, 'alice', 'bob', 'a1')
      say(mesh, 'bob', 'alice', 'b2')
      await mesh.advance(500)
    },
  },
  {
    name: 'two change, delete and react to what they wrote, and some of it is to go',
    contacts: true,
    async tell(mesh) {
      const changed = await sent(mesh, 'alice', 'bob', 'changed 1')
      const deleted = await sent(mesh, 'bob', 'alice', 'deleted 2')
      await sent(mesh, 'alice', 'bob', 'brief 3', { expires: 1_000 })
      await mesh.advance(100)
      if (changed !== null) quietly(mesh.people.get('alice')?.edit(changed, 'changed 4'))
      if (changed !== null) quietly(mesh.people.get('bob')?.react(changed, '👍'))
      if (deleted !== null) quietly(mesh.people.get('bob')?.delete(deleted))
      await mesh.advance(2_000)
    },
  },
]

/** A process that dies never answers, and one that starts may refuse. */
function quietly(work: Promise<unknown> | undefined): void {
  work?.catch(() => undefined)
}

function say(mesh: SimulatedMesh, from: string, to: string, text: string): void {
  quietly(mesh.people.get(from)?.send(to, text))
}

async function settledOr<T>(work: Promise<T> | undefined): Promise<T | null> {
  return Promise.race([work ?? null, new Promise<null>((resolve) => setImmediate(() => resolve(null)))]).catch(
    () => null,
  )
}

/** The id of what was accepted at once; null when the process died over it. */
async function sent(
  mesh: SimulatedMesh,
  from: string,
  to: string,
  text: string,
  options?: { expires?: number },
): Promise<string | null> {
  let id: string | null = null
  quietly(
    mesh.people
      .get(from)
      ?.send(to, text, options)
      .then((message) => {
        id = message.id
      }),
  )
  await mesh.atRest()
  return id
}

async function accept(mesh: SimulatedMesh): Promise<void> {
  const alice = mesh.people.get('alice')
  for (const request of (await alice?.contacts.requests()) ?? []) {
    quietly(alice?.contacts.accept(request.account, { petname: 'bob' }))
  }
  await mesh.atRest()
}

async function open(story: Story): Promise<SimulatedMesh> {
  const mesh = await createMesh({
    nodes: 2,
    network: 'simulated',
    contacts: story.contacts,
    seed: story.name,
    primitives: 'fast',
  })
  await mesh.settled()
  return mesh
}

/** Brings both back and lets them finish, then tells what is wrong. */
async function wrongAfter(mesh: SimulatedMesh, where: string): Promise<string[]> {
  const quietAt = mesh.now - mesh.began
  for (const name of ['alice', 'bob']) if (!mesh.people.has(name)) await mesh.start(name)
  await mesh.advance(60_000)
  await accept(mesh)
  await mesh.settled()
  // Longer than what was to go may lie around.
  await mesh.advance(10 * 60_000)
  const violations = await check(mesh, ['alice', 'bob'], mesh.now - mesh.began, quietAt)
  const wrong = violations.map(({ invariant, text }) => `${invariant}: ${text}`)
  const isTouched = mesh.history.happenings.some(({ kind }) => kind === 'edited' || kind === 'deleted')
  for (const [from, to] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    const accepted = mesh.history.happenings.flatMap((each) =>
      each.kind === 'accepted' && each.who === from && each.expires === undefined ? [each.text] : [],
    )
    const reader = mesh.person(to)
    const known = (await reader.contacts.list()).some(({ petname, state }) => petname === from && state === 'accepted')
    if (!known) continue
    const account = mesh.person(from).identity.account
    const shown = (await reader.messages(from)).filter((each) => each.from === account).map(({ text = '?' }) => text)
    if (new Set(shown).size !== shown.length) wrong.push(`${to} has a text of ${from} twice: ${shown.join()}`)
    if (!isTouched && shown.filter((text) => accepted.includes(text)).join() !== accepted.join()) {
      wrong.push(`${from} was promised ${accepted.join()} and ${to} has ${shown.join()}`)
    }
  }
  return wrong.map((each) => `${where}: ${each}`)
}

describe.each(STORIES)('$name: the process of one is killed', (story) => {
  test.each(['alice', 'bob'])(
    'just before and just after everything that %s does',
    { timeout: 240_000 },
    async (who) => {
      await using whole = await open(story)
      const before = whole.effects(who)
      await story.tell(whole)
      const effects = whole.effects(who) - before
      expect(effects).toBeGreaterThan(10)
      const wrong: string[] = []
      for (const moment of ['before', 'after'] as const) {
        for (let effect = 1; effect <= effects; effect++) {
          await using mesh = await open(story)
          mesh.crashAt(who, effect, moment)
          await story.tell(mesh)
          wrong.push(...(await wrongAfter(mesh, `${moment} effect ${effect} of ${effects}`)))
        }
      }
      expect(wrong).toEqual([])
    },
  )
})
