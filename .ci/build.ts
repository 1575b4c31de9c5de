/**
 * `npm run build [-- --out DIR]`: what is published. The library as JavaScript and declarations, module by module, and
 * the program as one bundle in `DIR/program`, of which only what a command needs is loaded.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build, type Plugin } from 'esbuild'

const PREFIX_BYTES = 3

/** The DHT's list of 65,536 numbers takes 470 kB and 5 ms as JavaScript; as bytes it takes half of that and none. */
const packedPrefixes: Plugin = {
  name: 'packed-prefixes',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]generated-prefix-list\.js$/ }, async ({ path }) => {
      const { default: list } = (await import(pathToFileURL(path).href)) as { readonly default: readonly number[] }
      const bytes = Buffer.alloc(list.length * PREFIX_BYTES)
      for (const [i, prefix] of list.entries()) bytes.writeUIntBE(prefix, i * PREFIX_BYTES, PREFIX_BYTES)
      const contents = `
        const bytes = Buffer.from('${bytes.toString('base64')}', 'base64')
        const list = new Uint32Array(${list.length})
        for (let i = 0; i < list.length; i++) list[i] = bytes.readUIntBE(${PREFIX_BYTES} * i, ${PREFIX_BYTES})
        export default list`
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
  plugins: [packedPrefixes, nativeBinding, loggingWithoutThreads],
  logLevel: 'warning',
})
const [code] = (await compiled) as [number | null]
process.exitCode = code ?? 1
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
