/** Peers that break the rules, for tests of what keeps them: one file each. */
export type { HostileCounts, HostileLink, HostileOptions, HostilePeer, Outsider } from './outsider.ts'
export { createOutsider } from './outsider.ts'
export { createReplayer, type Recorded, type Replayer } from './replayer.ts'
