import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { native, systemRandom } from '../../../node/crypto.ts'
import { openLevelStore } from '../../../node/store/level-store.ts'
import { createSealedStore } from '../../../node/store/sealed-store.ts'
import { sendingWindows } from '../windows.ts'
import { serve } from '../worker.ts'
import { type AppendTasks, WINDOW_MESSAGES } from './append-tasks.ts'

const directory = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
const raw = await openLevelStore(directory)
const store = createSealedStore(raw, { primitives: native, random: systemRandom, masterKey: systemRandom.bytes(32) })
const windows = sendingWindows(20, WINDOW_MESSAGES)
let next = 0

serve<AppendTasks>(
  {
    async write(count) {
      const start = performance.now()
      for (let i = 0; i < count; i++) await store.write(windows[next++ % windows.length] ?? [])
      return performance.now() - start
    },
    async weight() {
      let rows = 0
      let bytes = 0
      for (const { range, key, value } of windows.at(-1) ?? []) {
        for (const name of [range, ...(range === 'message' ? (['message-key'] as const) : [])]) {
          const stored = await raw.read(name, key)
          if (stored === null) continue
          rows++
          bytes += name.length + 1 + key.length + stored.length
        }
        if (value === null) rows++
      }
      return { rows, bytes }
    },
  },
  async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  },
)
