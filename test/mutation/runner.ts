/**
 * A test runner for Stryker that keeps `lib` and the tests in one process. Vitest starts a worker for every mutant, which
 * takes ten times as long as these tests. A mutant in a function runs on modules that are loaded already; one that acts
 * while a module loads gets a fresh copy of all modules. Test files are evaluated anew for each mutant, so that what they
 * prepare outside of tests is made by the mutant too.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type CollectedTest, Skipped, takeCollected } from './vitest-shim.ts'

// The interfaces of @stryker-mutator/api, as far as they are used: that package is installed by hand only.
type Hits = Record<string, number>
interface Instrumented {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  hitCount?: number | undefined
  hitLimit?: number | undefined
  mutantCoverage?: { static: Hits; perTest: Record<string, Hits> }
}
interface MutantRun {
  readonly activeMutant: { readonly id: string }
  readonly testFilter?: readonly string[]
  readonly hitLimit?: number
  readonly mutantActivation: 'runtime' | 'static'
}
interface TestResult {
  readonly id: string
  readonly name: string
  readonly fileName: string
  readonly timeSpentMs: number
  readonly status: 0 | 1
  readonly failureMessage?: string
}

/** The quick tests that exercise the mutated folders. */
const TESTS = [
  'test/lib/{crypto,session,identity}/*.test.ts',
  'test/vectors/{published/*,crypto,identity,session,session-reading}.test.ts',
  'test/properties/ratchet.test.ts',
]
/** In the sandbox: what the dry run measured, for the processes that come after it. */
const PRICES = 'prices.json'
const pricesOf = (text: string) => JSON.parse(text) as [string, number][]
const shim = new URL('./vitest-shim.ts', import.meta.url).href

class InProcessRunner {
  static readonly inject = [] as const
  readonly #root = `${pathToFileURL(process.cwd()).href}/`
  readonly #files = globSync(TESTS).sort()
  readonly #sources = new Map<string, string>()
  /** ms that a test took on code without a mutant. */
  readonly #prices = new Map<string, number>(existsSync(PRICES) ? pricesOf(readFileSync(PRICES, 'utf8')) : [])
  #lastKiller = ''
  #copy = 0
  #copies = 0
  #evaluations = 0

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true }
  }

  init(): void {
    registerHooks({
      resolve: (specifier, context, next) => {
        if (specifier === 'vitest' && context.parentURL !== shim) return { url: shim, shortCircuit: true }
        const found = next(specifier, context)
        if (!this.#isOwn(found.url) || found.url.includes('?')) return found
        return { ...found, url: `${found.url}?copy=${this.#copy}` }
      },
      load: (url, context, next) => {
        const [path = url] = url.split('?')
        if (!this.#isOwn(url) || !path.endsWith('.ts')) return next(url, context)
        const source = this.#sources.get(path) ?? stripTypeScriptTypes(readFileSync(new URL(path), 'utf8'))
        this.#sources.set(path, source)
        return { format: 'module', source, shortCircuit: true }
      },
    })
  }

  async dryRun(): Promise<unknown> {
    const ns = instrumented()
    ns.activeMutant = undefined
    ns.currentTestId = undefined
    for (const file of globSync('lib/**/*.ts').filter((path) => !path.endsWith('.d.ts'))) {
      await import(`${this.#root}${file}?copy=0`)
    }
    const results: TestResult[] = []
    const coverage = (ns.mutantCoverage ??= { static: {}, perTest: {} })
    for (const file of this.#files) {
      ns.currentTestId = file
      const tests = await this.#collect(file)
      const shared = coverage.perTest[file] ?? {}
      delete coverage.perTest[file]
      for (const test of tests) {
        const id = `${file}#${test.name}`
        ns.currentTestId = id
        const result = await this.#run(file, test)
        if (result === null) continue
        results.push(result)
        this.#prices.set(id, result.timeSpentMs)
        coverage.perTest[id] = { ...shared, ...coverage.perTest[id] }
      }
    }
    ns.currentTestId = undefined
    writeFileSync(PRICES, JSON.stringify([...this.#prices]))
    return { status: 'complete', tests: results, mutantCoverage: coverage }
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation }: MutantRun): Promise<unknown> {
    const ns = instrumented()
    this.#copy = mutantActivation === 'static' ? ++this.#copies : 0
    // Loaded before the mutant wakes, in a process that has not run tests yet.
    if (this.#copy === 0) for (const file of globSync('lib/*/*.ts')) await import(`${this.#root}${file}?copy=0`)
    ns.hitLimit = hitLimit
    ns.hitCount = hitLimit === undefined ? undefined : 0
    ns.activeMutant = activeMutant.id
    const wanted = new Set(testFilter ?? this.#prices.keys())
    const failure = await this.#firstFailure(wanted)
    if (failure === null) return { status: 'survived', nrOfTests: wanted.size }
    if (hitLimit !== undefined && (ns.hitCount ?? 0) > hitLimit) return { status: 'timeout', reason: 'too many hits' }
    this.#lastKiller = failure.id
    return { status: 'killed', killedBy: [failure.id], failureMessage: failure.message, nrOfTests: failure.after }
  }

  /** Of the tests that are wanted: first the one that killed the last mutant, then the quick ones. */
  async #firstFailure(wanted: ReadonlySet<string>): Promise<{ id: string; message: string; after: number } | null> {
    const tests: (CollectedTest & { readonly file: string; readonly id: string; readonly price: number })[] = []
    for (const file of new Set([...wanted].map((id) => id.slice(0, id.indexOf('#'))))) {
      try {
        for (const test of await this.#collect(file)) {
          const id = `${file}#${test.name}`
          if (!wanted.has(id)) continue
          const price = id === this.#lastKiller ? -1 : (this.#prices.get(id) ?? 0)
          tests.push({ ...test, file, id, price })
        }
      } catch (error) {
        const id = [...wanted].find((each) => each.startsWith(`${file}#`)) ?? file
        return { id, message: `while collecting: ${String(error)}`, after: 0 }
      }
    }
    tests.sort((a, b) => a.price - b.price)
    for (const [after, test] of tests.entries()) {
      const result = await this.#run(test.file, test)
      if (result?.status === 1) return { id: test.id, message: result.failureMessage ?? '', after }
    }
    return null
  }

  async #collect(file: string): Promise<CollectedTest[]> {
    takeCollected()
    await import(`${this.#root}${file}?copy=${this.#copy}&evaluation=${this.#evaluations++}`)
    // Which primitives run beneath makes no difference to a mutant above them, and the portable ones cost most of the time.
    const left = process.env['PRIMITIVES'] === 'native' ? /portable|both implementations|every implementation/ : /^$/
    return takeCollected().filter(({ name }) => !left.test(name))
  }

  /** Null for a test that skipped itself. */
  async #run(file: string, { name, run }: CollectedTest): Promise<TestResult | null> {
    const started = performance.now()
    const result = { id: `${file}#${name}`, name, fileName: join(process.cwd(), file) }
    try {
      await run()
      return { ...result, status: 0, timeSpentMs: performance.now() - started }
    } catch (error) {
      if (error instanceof Skipped) return null
      const failureMessage = error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : String(error)
      return { ...result, status: 1, timeSpentMs: performance.now() - started, failureMessage }
    }
  }

  #isOwn(url: string): boolean {
    return url.startsWith(this.#root) && !url.includes('/node_modules/') && !url.includes('/test/mutation/')
  }
}

function instrumented(): Instrumented {
  const holder = globalThis as { __stryker__?: Instrumented }
  holder.__stryker__ ??= {}
  return holder.__stryker__
}

/** A node of the syntax tree in its place, as far as it is used. */
interface Place {
  readonly key: string | number | null
  readonly listKey?: string
  readonly node: { readonly type: string }
  readonly parent: { readonly type: string; readonly callee?: { readonly name?: string } }
}

/** Which argument of these is words for people and nothing else. */
const WORDS: Readonly<Record<string, number>> = {
  TypeError: 0,
  ProtocolError: 1,
  malformed: 0,
  asBytes: 1,
  asUint: 1,
  asArray: 1,
  splitSigned: 1,
}

const messages = {
  shouldIgnore: ({ key, listKey, node, parent }: Place): string | undefined => {
    const isText = node.type === 'StringLiteral' || node.type === 'TemplateLiteral'
    const isWords = listKey === 'arguments' && WORDS[parent.callee?.name ?? ''] === key
    return isText && isWords ? 'the text of an error' : undefined
  },
}

/** What Stryker looks for in a plugin. */
export const strykerPlugins: readonly unknown[] = [
  { kind: 'TestRunner', name: 'in-process', injectableClass: InProcessRunner },
  { kind: 'Ignore', name: 'messages', value: messages },
]
