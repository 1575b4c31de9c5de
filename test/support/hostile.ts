import { expect } from 'vitest'
import type { SimulatedMesh } from '../../node/mesh/index.ts'
import { insideOf } from '../../node/mesh/simulated/inside.ts'

/** The texts that somebody has of another, in order. */
export async function textsOf(mesh: SimulatedMesh, reader: string, author: string): Promise<(string | undefined)[]> {
  const { account } = mesh.person(author).identity
  const messages = await mesh.person(reader).messages(author, { last: 1_000 })
  return messages.filter(({ from }) => from === account).map(({ text }) => text)
}

/** What somebody holds of another that nobody else may change: state, name, pins, device, secrets and sending session. */
export function held(mesh: SimulatedMesh, who: string, of: string): unknown {
  const inside = insideOf(mesh)
  const { running } = inside.person(who)
  const { account } = inside.person(of)
  for (const { row } of running?.driver.chat.people() ?? []) {
    if (Buffer.compare(row.account, account) !== 0) continue
    const { accountPin, claimedName, contactSecret, device, devicePins, petname, prekey, state, verified } = row
    return { accountPin, claimedName, contactSecret, device, devicePins, petname, prekey, state, verified }
  }
  return null
}

/** What somebody's node dropped, by reason. */
export function droppedBy(mesh: SimulatedMesh, who: string): Readonly<Record<string, number>> {
  return Object.fromEntries(insideOf(mesh).person(who).running?.driver.dropped ?? [])
}

/** How long one text takes from the one to the other, virtual ms; fails when it does not come in a minute. */
export async function latencyOf(mesh: SimulatedMesh, from: string, to: string, text: string): Promise<number> {
  const began = mesh.now
  await mesh.person(from).send(to, text)
  while (mesh.now < began + 60_000) {
    await mesh.advance(10)
    if ((await textsOf(mesh, to, from)).includes(text)) return mesh.now - began
  }
  return expect.fail(`"${text}" did not come in a minute`)
}
