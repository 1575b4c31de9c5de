import { describe, expect, test } from 'vitest'
import { encodeAccount } from '../../../lib/identity/account.ts'
import {
  createFlooder,
  createForger,
  createMalformedSigner,
  createMesh,
  createOversizeSender,
  type SimulatedMesh,
} from '../../../node/mesh/index.ts'
import { verifyEd25519 } from '../../../lib/crypto/ed25519.ts'
import { utf8 } from '../../../lib/bytes.ts'
import { native } from '../../../node/crypto.ts'
import { insideOf } from '../../../node/mesh/simulated/inside.ts'
import { droppedBy, held, latencyOf } from '../../support/hostile.ts'

const MINUTE = 60_000

/** Two contacts, and whoever attacks them: what each knows of the other stays, and what they write arrives meanwhile. */
async function undisturbed(seed: string, attack: (mesh: SimulatedMesh) => Promise<void>): Promise<void> {
  await using mesh = await createMesh({ nodes: 3, network: 'simulated', contacts: true, seed })
  await mesh.settled()
  const known = (): unknown[] => [held(mesh, 'alice', 'bob'), held(mesh, 'bob', 'alice'), held(mesh, 'bob', 'carol')]
  const before = known()
  await attack(mesh)
  for (let i = 1; i <= 5; i++) {
    expect(await latencyOf(mesh, 'alice', 'bob', `a${i}`)).toBeLessThan(1_000)
    expect(await latencyOf(mesh, 'bob', 'alice', `b${i}`)).toBeLessThan(1_000)
  }
  await mesh.advance(MINUTE)
  expect(known()).toEqual(before)
  expect(mesh.errors).toEqual([])
  for (const name of ['alice', 'bob', 'carol']) {
    expect(droppedBy(mesh, name).defect, name).toBeUndefined()
    expect(mesh.history.happenings.filter((each) => each.kind === 'alert')).toEqual([])
  }
}

describe('between two contacts nothing changes and everything arrives', () => {
  test('while somebody forges frames, prefixes, records, receipts and proofs in the name of one of them', async () => {
    await undisturbed('forger', async (mesh) => {
      const forger = await createForger({ mesh, name: 'forger', to: 'bob', posingAs: 'alice' })
      const other = await createForger({ mesh, name: 'other', to: 'alice', posingAs: 'bob' })
      for (let i = 0; i < 3; i++) {
        const links = [forger.attack(), other.attack()]
        await mesh.advance(2_000)
        // The nonce is all that they hear.
        expect(links.map(({ heard }) => heard.length)).toEqual([1, 1])
        for (const link of links) link.close()
        await mesh.advance(1_000)
      }
      const dropped = droppedBy(mesh, 'bob')
      expect(dropped['prefix: unauthentic']).toBeGreaterThan(10)
      expect(dropped['frame: on a link of nobody']).toBeGreaterThan(10)
      expect(dropped['link: unknown message']).toBeGreaterThan(10)
    })
  })

  test('while somebody sends what is too large, before and after the nonce', async () => {
    await undisturbed('oversize', async (mesh) => {
      const sender = await createOversizeSender({ mesh, name: 'oversize' })
      for (const to of ['alice', 'bob']) sender.attack(to, { first: true })
      sender.publish()
      await mesh.advance(2_000)
      for (const to of ['alice', 'bob']) sender.attack(to)
      await mesh.advance(2_000)
      expect(sender.counts).toMatchObject({ taken: 0, offered: 7 })
      expect(droppedBy(mesh, 'bob')['prefix: malformed']).toBeGreaterThan(2)
    })
  })

  test('while somebody opens links without end and says nothing on them', async () => {
    await undisturbed('links', async (mesh) => {
      const flooder = await createFlooder({ mesh, name: 'links', hosts: 4 })
      flooder.links({ to: 'bob', count: 1_000 })
      await mesh.advance(5_000)
      expect(flooder.counts.dials).toBeGreaterThan(100)
    })
  })
})

describe('who signs by keys and signatures that libraries disagree about', () => {
  test('makes what the predicate decides as it says', async () => {
    await using mesh = await createMesh({ nodes: 1, network: 'simulated', seed: 'malformed' })
    const { keys } = await createMalformedSigner({ mesh, name: 'signer' })
    for (let i = 0; i < 20; i++) {
      const message = utf8(`message ${i}`)
      for (const { what, publicKey, sign, verifies } of keys) {
        expect(verifyEd25519(native, publicKey, message, sign(message)), what).toBe(verifies)
      }
    }
  })

  test('becomes nobody, and owns no slot but one that two signatures do not split', async () => {
    await undisturbed('malformed', async (mesh) => {
      const signer = await createMalformedSigner({ mesh, name: 'signer' })
      const link = signer.ask('bob')
      const names = signer.publish()
      await mesh.advance(5_000)
      expect(link.heard).toHaveLength(1)
      expect(await mesh.person('bob').contacts.list()).toHaveLength(2)
      for (const [i, { what, publicKey, sound, verifies }] of signer.keys.entries()) {
        expect(await valuesOf(mesh, names[i] as string), what).toHaveLength(verifies ? 1 : 0)
        if (sound) continue
        const added = mesh.person('bob').contacts.add(encodeAccount(publicKey))
        await expect(added, what).rejects.toMatchObject({ code: 'invalid' })
      }
      // Of two values with one rev all keep the same.
      expect(await valuesOf(mesh, signer.publishTwice())).toHaveLength(1)
    })
  })
})

/** The different values that nodes have for a key. */
async function valuesOf(mesh: SimulatedMesh, key: string): Promise<string[]> {
  await mesh.advance(1_000)
  const found: string[] = []
  const asking = (async () => {
    for (const name of mesh.people.keys()) {
      const network = insideOf(mesh).person(name).running?.network
      let last: Uint8Array | null = null
      for await (const value of network?.get(key, { signal: new AbortController().signal }) ?? []) last = value
      if (last !== null) found.push(Buffer.from(last).toString('hex'))
    }
  })()
  await mesh.advance(10_000)
  await asking
  return [...new Set(found)]
}
