import type { Primitives } from '../../../lib/crypto/primitives.ts'
import type { Newcomer } from '../acquaintance.ts'
import type { SimulatedClock } from './clock.ts'
import type { GroupLedger } from './group-ledger.ts'
import type { History } from './history.ts'
import type { SimulatedMesh } from './simulated-mesh.ts'
import type { Internet } from './network.ts'
import type { SimulatedPerson } from './person.ts'

/** What a simulated mesh is made of, for tools of this package that put more into it than people. */
export interface Inside {
  readonly clock: SimulatedClock
  readonly internet: Internet
  readonly history: History
  readonly ledger: GroupLedger
  /** Those that all keys of the mesh belong to. */
  readonly primitives: Primitives
  /** Follows from the seed of the mesh and what it is for. */
  seedOf(use: string): string
  /** Throws a `TypeError` when there is nobody of that name. */
  person(name: string): SimulatedPerson
  /** The account as it was made. */
  newcomer(name: string): Newcomer
}

const insides = new WeakMap<SimulatedMesh, Inside>()

/** Lets the tools find it. */
export function openInside(mesh: SimulatedMesh, inside: Inside): void {
  insides.set(mesh, inside)
}

/** Throws a `TypeError` for what `createMesh` did not make. */
export function insideOf(mesh: SimulatedMesh): Inside {
  const inside = insides.get(mesh)
  if (inside === undefined) throw new TypeError('expected a mesh with `network: "simulated"`')
  return inside
}
