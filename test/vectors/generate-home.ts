import { readdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { concat, u64be, utf8 } from '../../lib/bytes.ts'
import type { Range } from '../../lib/rows.ts'
import { createHome } from '../../node/home.ts'
import { SCHEMA } from '../../node/store/sealing.ts'
import type { RowOf } from '../../node/store/store.ts'

/** The passphrase of every frozen home. */
export const FROZEN_PASSPHRASE = 'frozen home'

/** Where the home of a schema lies, relative to this file's directory. A home that was released is never made again. */
export const frozenHome = (schema: number): string => fileURLToPath(new URL(`homes/schema-${schema}`, import.meta.url))

/** The ranges that there were when the home of schema 1 was frozen; those since are empty in it. */
const FROZEN_RANGES: readonly Range[] = [
  'self',
  'prekey',
  'invite',
  'contact',
  'head',
  'session',
  'drive',
  'skipped',
  'prefix',
  'message',
  'sent',
  'place',
  'outbox',
]

/** What is in the frozen home of schema 1: three rows of each of those ranges, the second of which was overwritten, and a deleted one. */
export function frozenRows(): RowOf<Range>[] {
  return FROZEN_RANGES.flatMap((range) =>
    [1, 2, 3].map((order) => ({
      range,
      key: concat(utf8('0123456789abcdef'), u64be(order)),
      value: utf8(`${range} ${order}`),
    })),
  )
}

/** Makes the frozen home of today's schema: `node test/vectors/generate-home.ts`. */
async function generate(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
  {
    await using home = await createHome(directory, { passphrase: FROZEN_PASSPHRASE })
    const rows = frozenRows()
    const second = rows.filter((_, i) => i % 3 === 1)
    await home.store.write(second.map((row) => ({ ...row, value: utf8('overwritten') })))
    await home.store.write(rows.map((row) => ({ ...row, key: concat(row.key, utf8(' deleted')) })))
    await home.store.compact('message')
    await home.store.write(rows.map((row) => ({ ...row, key: concat(row.key, utf8(' deleted')), value: null })))
    await home.store.write(rows)
  }
  // What LevelDB says about itself, and an empty file, are no part of the format.
  for (const name of await readdir(join(directory, 'db'))) {
    if (/^LO(CK|G)/.test(name)) await rm(join(directory, 'db', name))
  }
}

if (import.meta.main) await generate(frozenHome(SCHEMA))
