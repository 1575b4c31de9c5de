import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, it } from 'vitest'

const PUBLISHED = new URL('../../../shared/vectors/', import.meta.url)
const OWN = new URL('../vectors/', import.meta.url)

/**
 * A suite over a large public file of test vectors, which is not part of the project. Without the file the suite is
 * reported as skipped, under a name that says what is missing.
 */
export function describePublished(file: string, suite: (vectors: unknown) => void): void {
  const url = new URL(file, PUBLISHED)
  const missing = !existsSync(url)
  describe.skipIf(missing)(missing ? `${file} (not in ../shared/vectors)` : file, () => {
    if (missing) it('published vectors', (): void => undefined)
    else suite(parsed(url))
  })
}

/** What a frozen file of this project holds. */
export function readOwnVectors(file: string): unknown {
  return parsed(new URL(file, OWN))
}

function parsed(url: URL): unknown {
  const raw = readFileSync(url)
  const text = (url.pathname.endsWith('.gz') ? gunzipSync(raw) : raw).toString('utf8')
  const value: unknown = JSON.parse(text)
  return value
}
