import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { createLineReader } from './lines.ts'
import { LOG_FILES } from './rotating-file.ts'

/** Longer lines are skipped; none of ours is. */
const MAX_LINE_BYTES = 64 * 1024
/** How often a log is looked at for more, ms. */
const LOOK_MS = 200
const CHUNK_BYTES = 64 * 1024

/** The files of a log, oldest first: those that exist. */
async function filesOf(path: string): Promise<{ path: string; inode: number }[]> {
  const names = Array.from({ length: LOG_FILES }, (_, i) =>
    i === LOG_FILES - 1 ? path : `${path}.${LOG_FILES - 1 - i}`,
  )
  const found = await Promise.all(
    names.map(async (name) => ({ path: name, inode: (await stat(name).catch(() => undefined))?.ino })),
  )
  return found.flatMap(({ path, inode }) => (inode === undefined ? [] : [{ path, inode }]))
}

/** A place in a log: so many bytes into a file. */
interface Place {
  readonly inode: number
  readonly position: number
}

/** The last lines of a log, oldest first, and where they end; null when there is no log. */
export async function lastLines(path: string, count: number): Promise<{ lines: string[]; end?: Place } | null> {
  const files = await filesOf(path)
  let lines: string[] = []
  let end: Place | undefined
  for (const { path, inode } of files.toReversed()) {
    const read = createLineReader(MAX_LINE_BYTES)
    const own: string[] = []
    let position = 0
    try {
      for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
        position += chunk.length
        own.push(...textsOf(read(chunk)))
      }
    } catch {
      // it was rotated out of the way meanwhile
    }
    end ??= { inode, position }
    lines = [...own, ...lines].slice(-count)
    if (lines.length === count) break
  }
  return files.length === 0 ? null : { lines, ...(end !== undefined && { end }) }
}

/** What is written into a log after a place in it, or after its beginning, across its rotation, until the signal. */
export async function* followLines(path: string, signal: AbortSignal, after?: Place): AsyncGenerator<string> {
  let file = await openInode(path, after?.inode)
  let position = file === undefined ? 0 : (after?.position ?? 0)
  let reader = createLineReader(MAX_LINE_BYTES)

  async function more(): Promise<string[] | null> {
    const chunk = new Uint8Array(CHUNK_BYTES)
    const { bytesRead = 0 } = (await file?.read(chunk, 0, chunk.length, position)) ?? {}
    position += bytesRead
    return bytesRead === 0 ? null : textsOf(reader(chunk.subarray(0, bytesRead)))
  }

  try {
    while (!signal.aborted) {
      const next = await successor(path, file)
      // only after that: the last lines of a file may have come just before it was rotated
      const lines = await more()
      if (lines !== null) yield* lines
      else if (next === undefined) await wait(LOOK_MS, undefined, { signal }).catch(() => undefined)
      else {
        await file?.close()
        file = await openInode(path, next)
        position = 0
        reader = createLineReader(MAX_LINE_BYTES)
      }
    }
  } finally {
    await file?.close()
  }
}

/** The file after this one; undefined while it is the newest. */
async function successor(path: string, file: FileHandle | undefined): Promise<number | undefined> {
  const files = await filesOf(path)
  const inode = (await file?.stat())?.ino
  const at = files.findIndex((each) => each.inode === inode)
  // one that is no more was rotated out: everything that is left is newer
  return files[at + 1]?.inode
}

/** The file of a log that goes by this number whatever it is called by now; undefined when it is gone. */
async function openInode(path: string, inode: number | undefined): Promise<FileHandle | undefined> {
  for (const each of await filesOf(path)) {
    if (each.inode !== inode) continue
    const file = await open(each.path, 'r').catch(() => undefined)
    if ((await file?.stat())?.ino === inode) return file
    await file?.close()
  }
  return undefined
}

function textsOf(lines: ReturnType<ReturnType<typeof createLineReader>>): string[] {
  return lines.flatMap((line) => (line.kind === 'line' ? [new TextDecoder().decode(line.bytes)] : []))
}
