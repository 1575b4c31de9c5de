/**
 * `npm run build [-- --out DIR]`: what is published. The library as JavaScript and declarations, module by module, and
 * the program as one bundle in `DIR/program`, of which only what a command needs is loaded.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build, type Plugin } from 'esbuild'

/** The numbers between the brackets of a module that exports a list of them. */
function numbersIn(bytes: Uint8Array): Uint32Array {
  const numbers = new Uint32Array(1 << 16)
  let at = bytes.indexOf(0x5b) + 1
  let count = 0
  for (let number = -1; count < numbers.length && at < bytes.length; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit >= 0 && digit <= 9) number = (number < 0 ? 0 : number * 10) + digit
    else if (number >= 0) {
      numbers[count++] = number
      number = -1
    }
  }
  if (count < numbers.length) throw new TypeError('the list of prefixes is not as it was')
  return numbers
}

/**
 * The DHT's list of 65,536 numbers would be a fifth of the package. It is read from the installed dependency when it is asked for one,
 * as bytes, which takes less time and memory than running it as JavaScript.
 */
const prefixesFromTheirPlace: Plugin = {
  name: 'prefixes-from-their-place',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]generated-prefix-list\.js$/ }, async ({ path }) => {
      const { default: list } = (await import(pathToFileURL(path).href)) as { readonly default: readonly number[] }
      if (numbersIn(await readFile(path)).some((number, i) => number !== list[i]) || list.length !== 1 << 16)
        throw new TypeError('the list of prefixes is read wrongly')
      const file = relative(dirname(fileURLToPath(import.meta.resolve('@libp2p/kad-dht'))), path)
      const contents = `
        import { readFileSync } from 'node:fs'
        ${numbersIn.toString()}
        let list
        const load = () => numbersIn(readFileSync(new URL(${JSON.stringify(file)}, import.meta.resolve('@libp2p/kad-dht'))))
        export default new Proxy([], { get: (_, index) => (list ??= load())[index] })`
      return { contents, loader: 'js' }
    })
  },
}

/** LevelDB's addon lies beside its package and is loaded from there; the JavaScript around it is bundled. */
const nativeBinding: Plugin = {
  name: 'native-binding',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/binding$/ }, ({ importer }) =>
      importer.includes('classic-level') ? { path: 'classic-level/binding.js', external: true } : undefined,
    )
  },
}

/** pino can write from a thread of its own, which is not used here and loads half of what pino is. */
const loggingWithoutThreads: Plugin = {
  name: 'logging-without-threads',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]pino[/\\]lib[/\\]transport\.js$/ }, () => ({
      contents: "module.exports = () => { throw new TypeError('there are no threads to log from') }",
      loader: 'js',
    }))
  },
}

/** Declarations of modules that no exported declaration names can be reached by nobody: they would be a tenth of the package. */
async function dropUnnamedDeclarations(): Promise<void> {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, { readonly types: string }>>
  }
  const todo = Object.values(exports).map(({ types }) => join(out, relative('dist', types)))
  const named = new Set<string>()
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    if (named.has(path)) continue
    named.add(path)
    const text = await readFile(path, 'utf8')
    for (const [, from = ''] of text.matchAll(/(?:from |import\()['"](\.[^'"]+)['"]/g))
      todo.push(join(dirname(path), from).replace(/\.[jt]s$/, '.d.ts'))
  }
  const all = (await readdir(out, { recursive: true })).filter((name) => name.endsWith('.d.ts'))
  await Promise.all(all.filter((name) => !named.has(join(out, name))).map((name) => rm(join(out, name))))
}

/** Packages from before modules call `require`, which a module has to make for itself. */
const REQUIRE = "import{createRequire as toRequire}from'node:module';const require=toRequire(import.meta.url);"

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } })
const out = resolve(values.out)
const root = join(import.meta.dirname, '..')

await rm(out, { recursive: true, force: true })
const compiler = spawn('tsc', ['-p', join(root, 'tsconfig.build.json'), '--outDir', out], { stdio: 'inherit' })
const compiled = once(compiler, 'exit')
await build({
  absWorkingDir: root,
  entryPoints: { sotto: 'cli/main.ts' },
  outdir: join(out, 'program'),
  outExtension: { '.js': '.mjs' },
  chunkNames: 'part-[hash]',
  bundle: true,
  splitting: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  target: 'node24.8',
  conditions: ['source'],
  legalComments: 'none',
  banner: { js: REQUIRE },
  plugins: [prefixesFromTheirPlace, nativeBinding, loggingWithoutThreads],
  logLevel: 'warning',
})
const [code] = (await compiled) as [number | null]
process.exitCode = code ?? 1
await dropUnnamedDeclarations()
// what the comments say stands in the declarations beside each module
const modules = (await readdir(out, { recursive: true })).filter((name) => /^(?:lib|node)[/\\].*\.js$/.test(name))
await build({
  absWorkingDir: out,
  entryPoints: modules,
  outdir: '.',
  outbase: '.',
  allowOverwrite: true,
  bundle: false,
  format: 'esm',
  target: 'node24.8',
  legalComments: 'none',
  logLevel: 'warning',
})
