import { describe, expect, test } from 'vitest'
import { BIRTH_KEY, birthRow, decodeBirth } from '../../lib/chat/birth.ts'
import { HELD_RANGES } from '../../lib/chat/loading.ts'
import { rowsOfNewAccount } from '../../lib/chat/own.ts'
import { createSelf } from '../../lib/identity/self.ts'
import type { Row } from '../../lib/rows.ts'
import { type Clock, systemClock } from '../../node/clock.ts'
import { native, systemRandom } from '../../node/crypto.ts'
import { createDriver, type Driver } from '../../node/driver.ts'
import { createMemoryStore } from '../../node/store/memory-store.ts'
import type { Store } from '../../node/store/store.ts'
import { matching } from '../support/matchers.ts'

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined }

async function driverOver(
  wrap: (store: Store) => Store = (store) => store,
  clock: Clock = systemClock,
  rows: readonly Row[] = [],
): Promise<{ driver: Driver; store: Store }> {
  const store: Store = createMemoryStore()
  const self = createSelf(native, systemRandom, systemRandom.bytes(32), Date.now())
  await store.write([...rowsOfNewAccount(native, systemRandom, self, null, Date.now()), ...rows])
  const driver = await createDriver({
    chat: { primitives: native, random: systemRandom, delivery: 'outbox', publicMode: 'account' },
    store: wrap(store),
    network: null,
    clock,
    logger: silent,
    emit: () => undefined,
    foundBootstrap: () => undefined,
  })
  return { driver, store }
}

/** Reads that a start takes. */
const HELD = HELD_RANGES.length

const invite = { kind: 'invite', addresses: [] } as const

describe('the driver', () => {
  test('answers a command when its rows are on disk', async () => {
    const { driver, store } = await driverOver()
    const before = (await store.list('invite')).length
    expect(await driver.command(invite)).toMatchObject({ kind: 'invite' })
    expect((await store.list('invite')).length).toBe(before + 1)
    await driver.stop()
  })

  test('accepts nothing that the disk refused, and goes on when there is room again', async () => {
    let full = true
    const { driver, store } = await driverOver((inner) => ({
      ...inner,
      write: (rows: readonly Row[]) => (full ? Promise.reject(new Error('ENOSPC')) : inner.write(rows)),
    }))
    await expect(driver.command(invite)).rejects.toMatchObject({ code: 'storage' })
    expect(await store.list('invite')).toEqual([])
    full = false
    expect(await driver.command(invite)).toMatchObject({ kind: 'invite' })
    expect(await store.list('invite')).toHaveLength(1)
    await driver.stop()
  })

  test('refuses what is asked of it while its disk cannot be read back, and goes on when it can', async () => {
    let failing = true
    let lists = 0
    const { driver, store } = await driverOver(
      (inner) => ({
        ...inner,
        write: (rows: readonly Row[]) => (failing ? Promise.reject(new Error('EIO')) : inner.write(rows)),
        list: (range, selection) =>
          failing && lists++ >= HELD ? Promise.reject(new Error('EIO')) : inner.list(range, selection),
      }),
      { ...systemClock, at: (time, run) => systemClock.at(Math.min(time, Date.now() + 5), run) },
    )
    for (let i = 0; i < 3; i++) {
      const refused = driver.command(invite)
      await expect(refused).rejects.toMatchObject({
        code: 'storage',
        hint: matching(/the disk itself fails/),
      })
    }
    failing = false
    await driver.flushed()
    expect(await driver.command(invite)).toMatchObject({ kind: 'invite' })
    expect(await store.list('invite')).toHaveLength(1)
    await driver.stop()
  })

  test('can be stopped while its disk cannot be read back', async () => {
    let lists = 0
    const { driver } = await driverOver((inner) => ({
      ...inner,
      write: () => Promise.reject(new Error('EIO')),
      list: (range, selection) => (lists++ >= HELD ? Promise.reject(new Error('EIO')) : inner.list(range, selection)),
    }))
    await expect(driver.command(invite)).rejects.toMatchObject({ code: 'storage' })
    await driver.stop()
    await expect(driver.command(invite)).rejects.toMatchObject({ code: 'stopped' })
  })

  test('survives a defect of the machine: the command fails, and the next one works', async () => {
    const { driver } = await driverOver()
    const addresses = Object.defineProperty([], 'slice', {
      value: () => {
        throw new RangeError('a defect')
      },
    }) as readonly Uint8Array[]
    await expect(driver.command({ kind: 'invite', addresses })).rejects.toMatchObject({ code: 'failed' })
    expect(driver.dropped.get('defect')).toBe(1)
    expect(await driver.command(invite)).toMatchObject({ kind: 'invite' })
    await driver.stop()
  })

  test('tells the machine when its clock was set', async () => {
    const HOUR = 3_600_000
    const id = new Uint8Array(16)
    const at = Date.now() - HOUR
    const began = at - HOUR
    const { driver, store } = await driverOver(undefined, { ...systemClock, run: () => ({ id, began }) }, [
      birthRow(at, { id, began: began - 2 * HOUR }),
    ])
    await driver.start()
    await driver.flushed()
    const birth = await store.read('self', BIRTH_KEY)
    expect(decodeBirth(birth ?? new Uint8Array())).toEqual({ at: at + 2 * HOUR, run: { id, began } })
    await driver.stop()
  })

  test('takes nothing after it was stopped', async () => {
    const { driver } = await driverOver()
    await driver.stop()
    await expect(driver.command(invite)).rejects.toMatchObject({ code: 'stopped' })
  })

  test('refuses commands from the moment it is to end, and in time also those that still wait; what it accepted is there', async () => {
    let ahead = 0
    let stopping: Promise<void> | undefined
    let late: Promise<string> | undefined
    const { driver, store } = await driverOver(
      (inner) => ({
        ...inner,
        async write(rows) {
          stopping ??= driver.stop()
          late ??= driver.command(invite).then(
            ({ kind }) => kind,
            ({ code }: { code: string }) => code,
          )
          ahead = 1_000
          await inner.write(rows)
        },
      }),
      { ...systemClock, now: () => Date.now() + ahead },
    )
    const asked = await Promise.allSettled(Array.from({ length: 1000 }, () => driver.command(invite)))
    await stopping
    expect(await late).toBe('stopped')
    const accepted = asked.filter(({ status }) => status === 'fulfilled')
    expect(await store.list('invite')).toHaveLength(accepted.length)
    expect(accepted.length).toBeGreaterThan(0)
    expect(asked.find((each) => each.status === 'rejected')).toMatchObject({ reason: { code: 'stopped' } })
  })
})
