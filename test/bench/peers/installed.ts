import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** The packages of this workspace. Nothing else in the tree can import them. */
export type PeerPackage = '@signalapp/libsignal-client' | '@matrix-org/olm' | 'hyperswarm' | 'hyperdht'

/** What installs them; they are measured beside ours and otherwise not needed. */
export const INSTALL = 'npm --prefix test/bench/peers ci'

const require = createRequire(import.meta.url)

export function isInstalled(name: PeerPackage): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

/** What a row says about those that it could not measure. */
export function absences(names: readonly PeerPackage[]): readonly string[] {
  return names
    .filter((name) => !isInstalled(name))
    .map((name) => `SKIPPED: ${name} is not installed; \`${INSTALL}\` brings it`)
}

/** Loads one, as the part of it that the caller describes: its own types are there only when it is installed. */
export async function load<T>(module: PeerPackage | `${PeerPackage}/${string}`): Promise<T> {
  return (await import(pathToFileURL(require.resolve(module)).href)) as T
}
