import { concat, utf8 } from '../../../lib/bytes.ts'
import { createSelf, type Self } from '../../../lib/identity/self.ts'
import { findDevice, verifyAccountRecord } from '../../../lib/identity/account-record.ts'
import { accountId } from '../../../lib/identity/account.ts'
import { createPrekey } from '../../../lib/identity/prekeys.ts'
import { acceptPrefix, createPrefix, openPrefix } from '../../../lib/session/handshake.ts'
import { openFrame } from '../../../lib/session/open.ts'
import { splitPrefix } from '../../../lib/session/prefix.ts'
import { sealFrame } from '../../../lib/session/seal.ts'
import { native, systemRandom } from '../../../node/crypto.ts'
import { serve } from '../worker.ts'
import { threadMs } from './thread-time.ts'

export interface SetUpTasks {
  /** Makes that many sessions; ms of processor time that each side took for all of them. */
  readonly setUp: (count: number) => { initiator: number; responder: number }
}

const now = Date.now()
const person = (): Self => createSelf(native, systemRandom, systemRandom.bytes(32), now)
const alice = person()
const bob = person()
const prekey = createPrekey(native, systemRandom, now)
const keysOf = (self: Self) => ({
  aid: accountId(native, self.accountRecord.account),
  did: self.did,
  ik: self.identityKey,
})
const text = utf8('hello')

serve<SetUpTasks>({
  setUp(count) {
    let initiator = 0
    let responder = 0
    for (let i = 0; i < count; i++) {
      const start = threadMs()
      // What a reader of a published record does before it writes to somebody.
      const theirs = verifyAccountRecord(native, bob.accountRecord.bytes)
      const device = findDevice(theirs, bob.did)
      if (device === null) throw new Error('the record lacks its device')
      const { prefix, session } = createPrefix(native, systemRandom, {
        own: { ...keysOf(alice), accountRecord: alice.accountRecord.bytes },
        peer: { aid: accountId(native, theirs.account), did: device.did, ik: device.ik, prekey: prekey.bytes },
        gen: now + i,
        now,
      })
      const message = concat(prefix, sealFrame(native, systemRandom, session, [text], now).frame)
      const sent = threadMs()

      const parts = splitPrefix(message)
      const opened = openPrefix(native, parts.prefix, keysOf(bob), () => prekey)
      const record = verifyAccountRecord(native, opened.accountRecord)
      const sender = findDevice(record, opened.did)
      if (sender === null) throw new Error('the record lacks its device')
      const accepted = acceptPrefix(native, opened, sender.ik, now)
      const result = openFrame(native, accepted, parts.frame, now)
      if (result.kind !== 'opened') throw new Error(`the first frame was not opened: ${result.kind}`)
      initiator += sent - start
      responder += threadMs() - sent
    }
    return { initiator, responder }
  },
})
