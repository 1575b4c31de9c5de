import { describe, expect, test } from 'vitest'
import { read, root, sourceFiles, trackedFiles } from './support/source-tree.ts'

interface Manifest {
  readonly files: readonly string[]
  readonly bin: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
}

interface LockedPackage {
  readonly resolved?: string
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

const manifest = JSON.parse(read('package.json')) as Manifest
const lockfile = JSON.parse(read('package-lock.json')) as Lockfile
const tracked = trackedFiles()

describe('the source', () => {
  test('has a median file of under 150 lines', () => {
    const lengths = ['lib', 'node', 'cli'].flatMap(sourceFiles).map((file) => read(file).split('\n').length - 1)
    const median = lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)]
    expect(median).toBeLessThan(150)
  })

  test('names no registry host and no path of a machine', (context) => {
    if (tracked === null) return context.skip('not a git checkout, so the tracked files are unknown')
    const forbidden: readonly [RegExp, string][] = [
      [/https?:\/\/[\w.-]*(?:registry|npmjs|artifactory|nexus|verdaccio|mirror)/i, 'a registry host'],
      [/(?<![\w.~-])\/(?:work|root|home\/\w+|Users\/\w+)\/\w/, 'a path of a machine'],
    ]
    const found = tracked
      .filter((file) => !/^LICENSE|\.(?:png|gz|bin|ldb)$/.test(file))
      .flatMap((file) => {
        const text = read(file)
        return forbidden.flatMap(([form, what]) => {
          const match = form.exec(text)
          return match === null ? [] : [`${file} names ${what}: ${match[0]}`]
        })
      })
    expect(found).toEqual([])
  })

  test('tracks nothing that is built, installed or secret', (context) => {
    if (tracked === null) return context.skip('not a git checkout, so the tracked files are unknown')
    expect(
      tracked.filter((file) => /(?:^|\/)(?:node_modules|dist|coverage)(?:\/|$)|^[^/]*\.(?:tgz|log)$|\.pem$/.test(file)),
    ).toEqual([])
  })
})

describe('the package', () => {
  test('pins every dependency to one version', () => {
    const all = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })

  test('has a lockfile that names no host', () => {
    const resolved = Object.entries(lockfile.packages).filter(([, entry]) => entry.resolved?.includes('://'))
    expect(resolved.map(([name]) => name)).toEqual([])
  })

  test('has a lockfile that is complete for every platform, as npm ci demands', () => {
    const { packages } = lockfile
    const missing = Object.entries(packages).flatMap(([name, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((wanted) => !(`node_modules/${wanted}` in packages) && !(`${name}/node_modules/${wanted}` in packages))
        .map((wanted) => `${name} needs ${wanted}`),
    )
    expect(missing).toEqual([])
  })

  test('needs no install script', () => {
    // One ships the addon that its script would build; the script of the other only makes it start faster.
    const works = new Set(['node_modules/classic-level', 'node_modules/esbuild'])
    const others = Object.entries(lockfile.packages).filter(
      ([name, entry]) => entry.hasInstallScript && !works.has(name),
    )
    expect(others.map(([name]) => name)).toEqual([])
    expect(read('.npmrc')).toContain('ignore-scripts=true')
    const lifecycle = ['preinstall', 'install', 'postinstall', 'prepare']
    expect(lifecycle.filter((name) => name in manifest.scripts)).toEqual([])
  })

  test('exports a source, a declaration and a module for each of its four surfaces', () => {
    expect(Object.keys(manifest.exports).sort()).toEqual(['.', './core', './lib', './mesh'])
    for (const [surface, conditions] of Object.entries(manifest.exports)) {
      const source = conditions['source'] ?? ''
      expect(sourceFiles(source.split('/')[1] ?? ''), surface).toContain(source.slice(2))
      const built = source.replace('./', './dist/').replace(/\.ts$/, '')
      expect(conditions).toEqual({ source, types: `${built}.d.ts`, default: `${built}.js` })
    }
  })
})

describe('the texts', () => {
  const texts = (tracked ?? []).filter((file) => file.endsWith('.md'))

  test('link only to what exists', (context) => {
    if (tracked === null) return context.skip('not a git checkout, so the tracked files are unknown')
    const known = new Set(
      tracked.flatMap((file) => [file, ...file.split('/').map((_, i, all) => all.slice(0, i).join('/'))]),
    )
    const broken = texts.flatMap((file) =>
      [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map((match) => new URL(match[1] ?? '', `file://${root}${file}`).pathname.slice(root.length).replace(/\/$/, ''))
        .filter((target) => !known.has(target))
        .map((target) => `${file} → ${target}`),
    )
    expect(broken).toEqual([])
  })

  test('the README gives the commands that exist', () => {
    const commands = [...read('README.md').matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? '')
    expect(commands.filter((name) => !(name in manifest.scripts))).toEqual([])
    expect(read('README.md')).toContain('npm ci --loglevel=error && npm test')
    expect(read('.ci/run')).toContain('npm ci --loglevel=error && npm test')
  })
})
