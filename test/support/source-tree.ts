import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The project's root, with a slash at the end. */
export const root: string = new URL('../..', import.meta.url).pathname

/** All `.ts` files under a folder of the project, as paths from the root. Empty when there is no such folder. */
export function sourceFiles(folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .filter((path) => !path.includes('node_modules/') && !path.endsWith('.d.ts'))
    .sort()
}

/** The files that git knows, or null outside a checkout. */
export function trackedFiles(): string[] | null {
  try {
    const options = { cwd: root, encoding: 'utf8', stdio: 'pipe' } as const
    return execFileSync('git', ['ls-files', '-z'], options)
      .split('\0')
      .filter((path) => path !== '' && existsSync(join(root, path)))
  } catch {
    return null
  }
}

/** A file of the project as text. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** The text without comments and with the contents of its strings blanked, so that only code is left to search. */
export function codeOf(text: string): string {
  const token = /\/\*[^]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g
  return text.replace(token, (found) => (found.startsWith('/') ? ' ' : "''"))
}

/** What a module names in `import … from`, `export … from`, `import '…'` and `import('…')`, types included. */
export function importsOf(text: string): string[] {
  const withoutComments = text.replace(/'(?:\\.|[^'\\\n])*'|\/\*[^]*?\*\/|\/\/[^\n]*/g, (found) =>
    found.startsWith("'") ? found : ' ',
  )
  const forms = [
    /^\s*(?:import|export)\s[^'"`;]*?\bfrom\s*'([^']+)'/gm,
    /^\s*import\s*'([^']+)'/gm,
    /\bimport\(\s*'([^']+)'/g,
  ]
  return forms.flatMap((form) => [...withoutComments.matchAll(form)].map((match) => match[1] ?? ''))
}
