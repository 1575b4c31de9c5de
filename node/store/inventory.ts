import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { equalBytes, fromUtf8 } from '../../lib/bytes.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { asArray, asBytes, asNullable, asText, asUint, decodeTyped, encode } from '../../lib/wire.ts'
import { NodeError } from '../errors.ts'

/**
 * LevelDB takes a log that ends early for one that a crash cut off and drops the rest without a word, so a damaged file
 * could swallow rows that were safely written. A database that was closed properly is therefore compared, before it is
 * opened, with a list of its files: `[1, "closed", number of the manifest, [[name, bytes, SHA-256 or null]…]]`. Tables
 * (`.ldb`) are compared by size only: they are many, and every sealed value in them authenticates itself.
 *
 * Every opening writes a manifest of a higher number, so a list that is older than the database is known by that.
 */
export type Inventory = { readonly manifest: number; readonly files: readonly ListedFile[] }
type ListedFile = { readonly name: string; readonly bytes: number; readonly hash: Uint8Array | null }

const MAX_INVENTORY_BYTES = 16 << 20
/** Never opened here: closing any handle of it would release LevelDB's lock. */
const UNLISTED: ReadonlySet<string> = new Set(['LOCK', 'LOG', 'LOG.old'])

type Hash = Pick<Primitives, 'sha256'>

/**
 * The number of the manifest that the database in `directory` uses, or null when none is named. Rejects with what the system
 * says where the disk cannot be read.
 */
export async function manifestNumber(directory: string): Promise<number | null> {
  try {
    const digits = /^MANIFEST-(\d{1,15})\n$/.exec(fromUtf8(await readFile(join(directory, 'CURRENT'))))?.[1]
    return digits === undefined ? null : Number(digits)
  } catch (error) {
    // no file, or bytes that are no text
    if (!isMissing(error) && isOfSystem(error)) throw error
    return null
  }
}

/** The list of a database that was just closed; null when another process opened it since and it no longer holds. */
export async function takeInventory(directory: string, manifest: number, primitives: Hash): Promise<Uint8Array | null> {
  const files: ListedFile[] = []
  try {
    for (const name of (await readdir(directory)).toSorted()) {
      if (!UNLISTED.has(name)) files.push(await examine(directory, name, primitives))
    }
  } catch (error) {
    if (!isMissing(error)) throw error
    return null
  }
  if ((await manifestNumber(directory)) !== manifest) return null
  return encode([1, 'closed', manifest, files.map(({ name, bytes, hash }) => [name, bytes, hash])])
}

/** Compares a database with the list of its last closing. Throws `damaged` and changes nothing. */
export async function checkInventory(directory: string, listed: Uint8Array, primitives: Hash): Promise<void> {
  const inventory = parseInventory(listed)
  for (const file of inventory.files) {
    const problem = await differs(directory, file, primitives)
    if (problem === null) continue
    if (((await manifestNumber(directory)) ?? 0) > inventory.manifest) return
    throw new NodeError('damaged', `the database is damaged: the file "${file.name}" ${problem}`, {
      hint: 'restore the home from a backup',
    })
  }
}

async function examine(directory: string, name: string, { sha256 }: Hash): Promise<ListedFile> {
  const path = join(directory, name)
  if (/\.(ldb|sst)$/.test(name)) return { name, bytes: (await stat(path)).size, hash: null }
  const content = await readFile(path)
  return { name, bytes: content.length, hash: sha256(content) }
}

async function differs(directory: string, listed: ListedFile, primitives: Hash): Promise<string | null> {
  try {
    const found = await examine(directory, listed.name, primitives)
    if (found.bytes !== listed.bytes) return `has ${found.bytes} bytes, it had ${listed.bytes}`
    const same = listed.hash === null || (found.hash !== null && equalBytes(found.hash, listed.hash))
    return same ? null : 'was changed'
  } catch (error) {
    if (isMissing(error)) return 'is missing'
    throw error
  }
}

/** What a list of files says. Throws `damaged`. */
export function parseInventory(listed: Uint8Array): Inventory {
  try {
    const fields = decodeTyped(listed, { type: 'closed', fields: 2, maxBytes: MAX_INVENTORY_BYTES })
    return {
      manifest: asUint(fields[0], 'manifest'),
      files: asArray(fields[1], 'files').map((item) => {
        const [name, bytes, hash] = asArray(item, 'file', { length: 3 })
        return {
          name: fileName(asText(name, 'name', 64)),
          bytes: asUint(bytes, 'bytes'),
          hash: asNullable(hash, (value) => asBytes(value, 'hash', { length: 32 })),
        }
      }),
    }
  } catch (cause) {
    throw new NodeError('damaged', 'the file "closed" is damaged', {
      cause,
      hint: 'restore the home from a backup, or delete this file to open the database unchecked',
    })
  }
}

function fileName(name: string): string {
  if (!/^[A-Za-z0-9._-]+$/.test(name) || name.startsWith('.')) throw new TypeError('expected the name of a file')
  return name
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
