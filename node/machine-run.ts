import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { fromHex } from '../lib/bytes.ts'
import type { MachineRun } from '../lib/chat/birth.ts'

const BOOT_ID = '/proc/sys/kernel/random/boot_id'

let id: Uint8Array | null | undefined

/** When this machine was started, by its clock as it is set now; null but on Linux, which says how long it ran and slept since. */
export function machineRun(): MachineRun | null {
  id ??= bootId()
  return id && { id, began: Math.max(0, Math.round(Date.now() - uptime() * 1_000)) }
}

function bootId(): Uint8Array | null {
  if (process.platform !== 'linux') return null
  try {
    const bytes = fromHex(readFileSync(BOOT_ID, 'utf8').trim().replaceAll('-', ''))
    return bytes.length === 16 ? bytes : null
  } catch {
    return null
  }
}
