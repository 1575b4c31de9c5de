import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex } from '../../../lib/bytes.ts'
import type { Target } from '../target.ts'
import { backupTargets } from './backup.ts'
import { conversationTargets } from './conversation.ts'
import { diskTargets } from './disk.ts'
import { groupFrameTargets } from './group-frames.ts'
import { groupRowTargets } from './group-rows.ts'
import { groupTargets } from './groups.ts'
import { identityTargets } from './identity.ts'
import { localTargets } from './local.ts'
import { terminalTargets } from './terminal.ts'
import { mailboxTargets } from './mailbox.ts'
import { networkTargets } from './network.ts'
import { rowTargets } from './rows.ts'
import { sessionTargets } from './session.ts'
import { wireTargets } from './wire.ts'

/** Inputs that once were handled wrongly or are worth keeping: `<target>/<what it is>.hex`. */
const CORPUS: string = new URL('../corpus', import.meta.url).pathname

/** Every decoder and handler that meets bytes from outside. */
export const TARGETS: readonly Target[] = [
  ...wireTargets,
  ...identityTargets,
  ...sessionTargets,
  ...conversationTargets,
  ...groupFrameTargets,
  ...groupRowTargets,
  ...rowTargets,
  ...diskTargets,
  ...backupTargets,
  ...networkTargets,
  ...mailboxTargets,
  ...groupTargets,
  ...localTargets,
  ...terminalTargets,
]

/** The kept inputs of a target, by name. */
export function keptInputs(target: Target, directory: string = CORPUS): ReadonlyMap<string, Uint8Array> {
  const folder = join(directory, target.name)
  if (!existsSync(folder)) return new Map()
  const names = readdirSync(folder).filter((name) => name.endsWith('.hex'))
  return new Map(names.sort().map((name) => [name, fromHex(readFileSync(join(folder, name), 'utf8').trim())]))
}
