import { utf8, wipe } from '../../lib/bytes.ts'
import type { Random } from '../../lib/crypto/primitives.ts'
import { ProtocolError } from '../../lib/errors.ts'
import { asUint, decodeTyped, encode } from '../../lib/wire.ts'
import { NodeError } from '../errors.ts'
import { openValue, rangeKey, SCHEMA, type SealingPrimitives, sealValue } from './sealing.ts'
import type { RawStore } from './store.ts'

/** This row is read before its writer's schema is known, so it is bound to none and never changes its form. */
const PLACE = { range: 'meta', key: utf8('schema'), schema: 0 } as const

interface Sealing {
  readonly primitives: SealingPrimitives
  readonly masterKey: Uint8Array
}

/** Writes into a new store which schema its rows have, sealed under the master key. */
export async function writeSchema(
  store: RawStore,
  { primitives, masterKey, random, schema = SCHEMA }: Sealing & { random: Random; schema?: number },
): Promise<void> {
  const key = rangeKey(primitives, masterKey, PLACE.range)
  const value = sealValue(primitives, random, { key, place: PLACE, value: encode([1, 'schema', schema]) })
  wipe(key)
  await store.write([{ range: PLACE.range, key: PLACE.key, value }])
}

/**
 * Refuses a store that is not this master key's (`damaged`) or whose rows a newer Sotto wrote (`newer-schema`), before
 * anything else in it is read or written.
 */
export async function checkSchema(store: RawStore, { primitives, masterKey }: Sealing): Promise<void> {
  const sealed = await store.read(PLACE.range, PLACE.key)
  if (sealed === null) throw damaged('the database of this home is empty')
  const key = rangeKey(primitives, masterKey, PLACE.range)
  const value = openValue(primitives, { key, place: PLACE, sealed })
  wipe(key)
  if (value === null) throw damaged('the database does not belong to this home, or was altered')
  const schema = schemaIn(value)
  if (schema > SCHEMA) throw newer()
  if (schema < SCHEMA) throw damaged(`expected a database of schema ${SCHEMA}, got ${schema}`)
}

function schemaIn(value: Uint8Array): number {
  try {
    return asUint(decodeTyped(value, { type: 'schema', fields: 1, maxBytes: 4096 })[0], 'schema')
  } catch (cause) {
    throw cause instanceof ProtocolError && cause.code === 'newer-version'
      ? newer(cause)
      : damaged('its schema is unreadable', cause)
  }
}

function newer(cause?: unknown): NodeError {
  return new NodeError('newer-schema', 'this home was written by a newer Sotto', { cause, hint: 'update this program' })
}

function damaged(message: string, cause?: unknown): NodeError {
  return new NodeError('damaged', message, { cause, hint: 'restore the home from a backup' })
}
