import { expect, test } from 'vitest'
import { equalBytes } from '../../../lib/bytes.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { native } from '../../../node/crypto.ts'
import { acquaint, createWorld, say } from '../../support/machines.ts'

const FORWARD = Uint8Array.of(2)
const ROOT = new TextEncoder().encode('sotto/1 rk')

/** Primitives that remember the chain keys and root keys that they moved forward, as the very arrays. */
function remembering(chains: Uint8Array[], roots: Uint8Array[]): Primitives {
  return {
    ...native,
    hmac(key, message) {
      if (equalBytes(message, FORWARD)) chains.push(key)
      return native.hmac(key, message)
    },
    hkdf(salt, secret, info, length) {
      if (equalBytes(info.subarray(0, ROOT.length), ROOT)) roots.push(salt)
      return native.hkdf(salt, secret, info, length)
    },
  }
}

const isWiped = (secret: Uint8Array): boolean => secret.every((byte) => byte === 0)

test('keys of a session that were moved forward are overwritten in memory', () => {
  const world = createWorld(111)
  const [chains, roots]: [Uint8Array[], Uint8Array[]] = [[], []]
  const alice = world.person('alice')
  const bob = world.person('bob', { primitives: remembering(chains, roots) })
  world.advance(2_000)
  acquaint(world, alice, bob)
  for (let i = 0; i < 10; i++) {
    say(alice, bob, `a${i}`)
    say(bob, alice, `b${i}`)
    world.settle()
  }
  expect(bob.texts(alice)).toHaveLength(20)
  expect([chains.length > 20, roots.length > 5]).toEqual([true, true])
  expect(chains.filter((key) => !isWiped(key))).toEqual([])
  expect(roots.filter((key) => !isWiped(key))).toEqual([])
})

test('keys of a session that was dropped are overwritten in memory', () => {
  const world = createWorld(112)
  const links: Uint8Array[] = []
  const primitives: Primitives = {
    ...native,
    hmac(key, message) {
      // Of all that is hashed under a key only a link proof is that long.
      if (message.length > 100) links.push(key)
      return native.hmac(key, message)
    },
  }
  const alice = world.person('alice')
  const bob = world.person('bob', { primitives })
  world.advance(2_000)
  acquaint(world, alice, bob)
  expect(links.some((key) => !isWiped(key))).toBe(true)
  bob.command({ kind: 'block', contact: bob.contact(alice) })
  expect(links.filter((key) => !isWiped(key))).toEqual([])
})
