import { describe, expect, test } from 'vitest'
import { createMesh, type SimulatedMesh } from '../../../node/mesh/index.ts'
import { concat, utf8 } from '../../../lib/bytes.ts'
import { check } from '../../../node/mesh/simulated/checker.ts'
import { insideOf } from '../../../node/mesh/simulated/inside.ts'
import { CANARY, createWatch } from '../../../node/mesh/simulated/watch.ts'
import { native } from '../../../node/crypto.ts'

const PEOPLE = ['alice', 'bob'] as const

/** Two who wrote each other, and a moment at which everything is calm. */
async function afterTalk(spoil: (mesh: SimulatedMesh) => void | Promise<void> = () => undefined): Promise<string[]> {
  await using mesh = await createMesh({ nodes: PEOPLE, network: 'simulated', contacts: true, primitives: 'fast' })
  await mesh.settled()
  const began = mesh.now
  for (const text of ['one', 'two', 'three']) await mesh.person('alice').send('bob', `${CANARY} ${text}`)
  await mesh.settled()
  await spoil(mesh)
  return (await check(mesh, PEOPLE, mesh.now - began)).map(({ invariant, text }) => `${invariant}: ${text}`)
}

describe('the checker', () => {
  test('has nothing to say when all is well', async () => expect(await afterTalk()).toEqual([]))

  test('misses what was promised and is not there (I1)', async () => {
    const found = await afterTalk(({ history }) =>
      history.tell({ kind: 'accepted', who: 'alice', to: 'bob', id: 'f00', text: 'gone' }),
    )
    expect(found).toContain('I1: alice to bob: "gone" was accepted and is not there')
  })

  test('misses what a disk forgot that nobody said went back (I1)', async () => {
    const found = await afterTalk(async (mesh) => {
      mesh.crash('bob')
      const { at, rows } = await mesh.disk('bob').snapshot()
      await mesh.disk('bob').rollBack({ at, rows: rows.filter(({ range }) => range !== 'message') })
      await mesh.start('bob').catch(() => undefined)
      await mesh.advance(60_000)
    })
    expect(found.some((each) => /^I[17]: /.test(each))).toBe(true)
  })

  test('sees what is shown twice (I2)', async () => {
    const found = await afterTalk(({ history }) => {
      const shown = history.happenings.find(({ kind }) => kind === 'shown')
      if (shown !== undefined) history.tell(shown)
    })
    expect(found).toEqual([`I2: alice to bob: "${CANARY} one" was shown twice`])
  })

  test('sees another order than the one in which it was accepted (I3)', async () => {
    const found = await afterTalk(({ history }) => {
      const first = history.happenings.find(({ kind }) => kind === 'accepted')
      if (first !== undefined) history.tell(first)
    })
    expect(found).toEqual([`I3: alice to bob: "${CANARY} one" stands before what was written earlier`])
  })

  test('hears of a start that failed (I7) and of what was thrown (I9)', async () => {
    const found = await afterTalk((mesh) => {
      mesh.history.tell({ kind: 'start-failed', who: 'bob', why: 'no reason' })
      ;(mesh.errors as unknown[]).push(new Error('thrown'))
    })
    expect(found).toEqual(['I7: bob did not start: no reason', 'I9: a handler threw Error: thrown'])
  })

  test('counts what grows (I8)', async () => {
    const found = await afterTalk((mesh) => {
      const { load } = mesh
      mesh.load = (name) => ({ timers: 1_000, links: load(name)?.links ?? 0 })
    })
    expect(found).toEqual([
      'I8: alice has 1000 timers, expected at most 36',
      'I8: bob has 1000 timers, expected at most 36',
    ])
  })

  test('sees plaintext in a log, on a disk, in a slot and on the wire (I5)', () => {
    const watch = createWatch()
    const text = Buffer.from(`${CANARY} secret`)
    watch.sent('alice', 'bob', text)
    watch.published('alice', text)
    watch.written('alice', [{ range: 'message', key: Buffer.from('k'), value: text }])
    watch.logged('alice', { text: `${CANARY} secret` }, 'a line')
    expect(watch.violations).toEqual([
      'I5: plaintext on the wire from alice to bob',
      'I5: plaintext in a slot of alice',
      'I5: plaintext in "message" on the disk of alice',
      'I5: plaintext in the log of alice',
    ])
  })

  test('sees private keys on a disk (I5)', async () => {
    const found = await afterTalk(async (mesh) => {
      mesh.crash('bob')
      const { at, rows } = await mesh.disk('bob').snapshot()
      const seed = insideOf(mesh).newcomer('bob').self.deviceKey.exportSeed()
      const row = { range: 'place', key: utf8('of no message'), value: concat(utf8('seed:'), seed) } as const
      await mesh.disk('bob').rollBack({ at, rows: [...rows, row] })
      await mesh.start('bob')
      await mesh.settled()
    })
    expect(found).toContain('I5: a private key in "place" on the disk of bob')
  })

  test('sees two plaintexts under one key and nonce (I10), and not the same one twice', () => {
    const watch = createWatch()
    const { aesGcm } = watch.sealing(native)
    const [key, nonce, ad] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(0)]
    aesGcm.seal(key, nonce, ad, Buffer.from('one'))
    aesGcm.seal(key, nonce, ad, Buffer.from('one'))
    expect(watch.violations).toEqual([])
    aesGcm.seal(key, nonce, ad, Buffer.from('two'))
    expect(watch.violations).toEqual(['I10: one key and nonce of AES-256-GCM sealed two plaintexts'])
  })
})

describe('the checker of what is done to messages', () => {
  const T = (n: number): string => `${CANARY} text ${n}`

  /** One text that expires, one that is edited, one that is deleted; then something is spoilt. */
  async function afterChanges(spoil: (mesh: SimulatedMesh, ids: readonly string[]) => void | Promise<void>) {
    await using mesh = await createMesh({ nodes: PEOPLE, network: 'simulated', contacts: true, primitives: 'fast' })
    await mesh.settled()
    const alice = mesh.person('alice')
    const ids: string[] = []
    for (const [i, options] of [{ expires: 60_000 }, {}, {}].entries())
      ids.push((await alice.send('bob', T(i), options)).id)
    await mesh.settled()
    const [, edited = '', deleted = ''] = ids
    await alice.edit(edited, T(5))
    await alice.delete(deleted)
    await mesh.advance(30 * 60_000)
    await spoil(mesh, ids)
    const at = mesh.now - mesh.began
    return (await check(mesh, PEOPLE, at, 0)).map(({ invariant, text }) => `${invariant}: ${text}`)
  }

  test('has nothing to say when all is well', async () => expect(await afterChanges(() => undefined)).toEqual([]))

  test('misses an edit that was promised (I2)', async () => {
    const found = await afterChanges(({ history }, [, id = '']) => {
      history.tell({ kind: 'edited', who: 'alice', to: 'bob', id, text: T(9) })
    })
    expect(found).toEqual([`I2: alice to bob: "${T(9)}" was accepted and "${T(5)}" is shown`])
  })

  test('sees that a message is shown that was deleted (I2)', async () => {
    const found = await afterChanges(({ history }, [, id = '']) => {
      history.tell({ kind: 'deleted', who: 'alice', to: 'bob', id })
    })
    expect(found).toContain(`I2: alice to bob: "${T(1)}" was deleted and is still shown`)
  })

  test('sees that the two show something else (I2)', async () => {
    const found = await afterChanges(async (mesh, [, id = '']) => {
      mesh.partition('alice', 'bob')
      await mesh.advance(60_000)
      await mesh.person('bob').react(id, '👍')
    })
    expect(found).toContain(`I2: alice to bob: reactions to "${T(1)}" differ`)
  })

  test('reads on every disk what should be gone (I5)', async () => {
    const found = await afterChanges((mesh) => {
      mesh.history.tell({ kind: 'accepted', who: 'alice', to: 'bob', id: 'f00', expires: 1, text: T(5) })
      for (const each of mesh.history.happenings) Object.assign(each, { at: Math.min(each.at, 1_000) })
    })
    expect(found).toContain(`I5: alice can still read "${T(5)}"`)
    expect(found).toContain(`I5: bob can still read "${T(5)}"`)
  })
})
