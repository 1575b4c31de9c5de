import { equalBytes, toHex } from '../../bytes.ts'
import type { FrameRun } from '../../conversation/group-contents.ts'
import { MAX_GROUP_CHAIN_FRAMES } from '../../group/sender-chain.ts'
import { wayTo } from '../mail/links.ts'
import { MAX_FRAME_BYTES } from '../../crypto/padding.ts'
import { type Contact, load, type Machine, save, send } from '../machine.ts'
import { answered } from './answering.ts'
import { fellowOf } from './fellows.ts'
import type { GroupContact } from './groups.ts'
import { frameKey } from './rows.ts'

/** Frames that are read back and sent in one go; who lacks more asks again. */
const MAX_AT_ONCE = 256

/** Keeps a frame for members that lack it. */
export function keepFrame(
  machine: Machine,
  { handle }: Contact,
  chain: Uint8Array,
  n: number,
  frame: Uint8Array,
): void {
  save(machine, { range: 'group-frame', key: frameKey(handle, chain, n), value: frame })
}

/** Drops the frames of a chain from a number on to before another. */
export function dropFrames(machine: Machine, { handle }: Contact, chain: Uint8Array, from: number, to: number): void {
  for (let n = from; n < Math.min(to, MAX_GROUP_CHAIN_FRAMES); n++)
    save(machine, { range: 'group-frame', key: frameKey(handle, chain, n), value: null })
}

/** Sends frames that are here to a member that lacks them; without a way to them nothing happens. */
export function sendFrames(machine: Machine, contact: GroupContact, to: Contact, runs: readonly FrameRun[]): void {
  const keys: Uint8Array[] = []
  for (const { chain, from, to: last } of runs) {
    if (!isKnownChain(contact, chain)) continue
    for (let n = from; n <= last && n < MAX_GROUP_CHAIN_FRAMES && keys.length < MAX_AT_ONCE; n++)
      keys.push(frameKey(contact.handle, chain, n))
  }
  if (keys.length === 0) return
  const fellow = fellowOf(contact, to)
  // reckoned before they are read: else a burst of questions would be answered before the first answer counted
  const reckoned = keys.length * MAX_FRAME_BYTES
  if (fellow !== undefined) answered(fellow, reckoned)
  load(machine, 'group-frame', keys, (frames) => {
    if (fellow !== undefined) answered(fellow, -reckoned)
    const way = wayTo(machine, to)
    if (way === null || !to.groups.has(contact)) return
    for (const frame of frames) {
      if (!frame) continue
      if (fellow !== undefined) answered(fellow, frame.length)
      send(machine, way, frame)
    }
  })
}

function isKnownChain({ group }: GroupContact, chain: Uint8Array): boolean {
  if (group.own !== null && equalBytes(group.own.id, chain)) return true
  return group.chains.has(toHex(chain)) || group.row.past.some(({ id }) => equalBytes(id, chain))
}
