import { RANGES, type Range } from '../../../lib/rows.ts'
import { createMemoryStore } from '../../store/memory-store.ts'
import { createSealedStore } from '../../store/sealed-store.ts'
import { insideOf } from './inside.ts'
import type { SimulatedMesh } from './simulated-mesh.ts'

/** Everything that is on somebody's disk as whoever has its passphrase reads it, byte by byte as Latin-1. */
export async function openedDisk(mesh: SimulatedMesh, name: string): Promise<string> {
  const { primitives } = insideOf(mesh)
  const { masterKey } = insideOf(mesh).person(name)
  const raw = createMemoryStore()
  await raw.write((await mesh.disk(name).snapshot()).rows)
  const random = { system: false, bytes: (length: number) => new Uint8Array(length) }
  await using store = createSealedStore(raw, { primitives, random, masterKey })
  const values: string[] = []
  for (const range of Object.keys(RANGES) as Range[]) {
    for (const { value } of await store.list(range)) values.push(Buffer.from(value).toString('latin1'))
  }
  return values.join('\n')
}
