import { native, systemRandom } from '../../../node/crypto.ts'
import { sealFrame } from '../../../lib/session/seal.ts'
import { openFrame } from '../../../lib/session/open.ts'
import { confirmedPair } from '../../support/session-pair.ts'
import { serve } from '../worker.ts'
import { RUN_MESSAGES } from './ratchet-tasks.ts'

/** The cryptography of a message and nothing else, of the sender or of the reader: each has a thread of its own. */
export interface OneThreadTasks {
  /** Payload hash, ratchet, and encryption of the text at rest under a key of its own; ms for all. */
  readonly sending: (count: number) => number
  readonly reading: (count: number) => number
}

/** A text of 256 B with the payload around it, and the record around that. */
const payload = systemRandom.bytes(370)
const record = systemRandom.bytes(420)
const rangeKey = systemRandom.bytes(32)
const place = systemRandom.bytes(50)
const now = Date.now()

const nonce = new Uint8Array(12)

function atRest(): void {
  native.aesGcm.seal(native.hmac(rangeKey, systemRandom.bytes(32)), nonce, place, record)
}

/** Frames of a fresh session; the side that is not measured works before the clock starts. */
function sessions(count: number) {
  return Array.from({ length: Math.ceil(count / RUN_MESSAGES) }, (_, i) => confirmedPair(native, i))
}

serve<OneThreadTasks>({
  sending(count) {
    const pairs = sessions(count)
    const start = performance.now()
    for (let i = 0; i < count; i++) {
      const side = pairs[Math.floor(i / RUN_MESSAGES)]?.bob
      if (side === undefined) break
      native.sha256(payload)
      side.session = sealFrame(native, systemRandom, side.session, [payload], now).session
      atRest()
    }
    return performance.now() - start
  },
  reading(count) {
    const work = sessions(count).map(({ alice, bob }) => ({
      reader: alice,
      frames: Array.from({ length: RUN_MESSAGES }, () => {
        const { session, frame } = sealFrame(native, systemRandom, bob.session, [payload], now)
        bob.session = session
        return frame
      }),
    }))
    const start = performance.now()
    for (let i = 0; i < count; i++) {
      const { reader, frames } = work[Math.floor(i / RUN_MESSAGES)] ?? {}
      const frame = frames?.[i % RUN_MESSAGES]
      if (reader === undefined || frame === undefined) break
      const result = openFrame(native, reader.session, frame, now)
      if (result.kind !== 'opened') throw new Error(`the frame was not opened: ${result.kind}`)
      reader.session = result.session
      native.sha256(payload)
      atRest()
    }
    return performance.now() - start
  },
})
