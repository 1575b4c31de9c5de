import { createHostileNode, type HostileNode } from './hostile-node.ts'
import type { HostileOptions } from './outsider.ts'

/**
 * Has: a copy of everything on somebody's disk, with its key, as a thief of a backup or a careless owner has it. Tries: to
 * be that device at the same time as the device itself.
 */
export type ClonedDevice = HostileNode

/** Copies the disk of `of` now, and runs it; the owner goes on. */
export function createClonedDevice(options: HostileOptions & { readonly of: string }): Promise<ClonedDevice> {
  return createHostileNode(options)
}
