/**
 * `npm run fuzz`: inputs without end for every decoder that meets bytes from outside, made from valid ones by changing
 * values, lengths, types and bytes. `--seconds` is for each decoder. Stops at the first input that is handled wrongly and says how to repeat it.
 *
 *     npm run fuzz -- [--target cbor,link] [--runs 1e6] [--seconds 10] [--seed 1] [--corpus directory] [--out figures.json]
 *     npm run fuzz -- --target cbor --input 8101          one input, in hexadecimal
 *     npm run fuzz -- --target cbor --case 'truncation: …' one case of test/properties/bad-input.test.ts
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fromHex, toHex } from '../../lib/bytes.ts'
import { casesOf, FAMILIES } from './cases.ts'
import { type Fuzzed, fuzz, type Progress, replayOf, shrink } from './fuzz.ts'
import { judge, quickForm, type Target } from './target.ts'
import { keptInputs, TARGETS } from './targets/index.ts'
import { startWatchdog } from './watchdog.ts'

const { values: options } = parseArgs({
  options: {
    target: { type: 'string' },
    runs: { type: 'string', default: '100000' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    corpus: { type: 'string' },
    input: { type: 'string' },
    case: { type: 'string' },
    out: { type: 'string' },
  },
})

/** Of the time a decoder gets, those where cryptography takes it get this part. */
const DEAR_SHARE = 5

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** In the order in which they were named. */
function chosenTargets(): readonly Target[] {
  const names = options.target?.split(',')
  if (names === undefined) return TARGETS
  const unknown = names.filter((name) => !TARGETS.some((target) => target.name === name))
  if (unknown.length > 0) {
    say(`no target is called ${unknown.join(', ')}; there are ${TARGETS.map(({ name }) => name).join(', ')}`)
    process.exit(2)
  }
  return names.flatMap((name) => TARGETS.filter((target) => target.name === name))
}

function number(name: 'runs' | 'seconds' | 'seed', text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value < 2 ** 53) return value
  say(`--${name} takes a number, not ${JSON.stringify(text)}`)
  process.exit(2)
}

/** Runs one input on each of the targets; true when all handle it as they should. */
async function replay(targets: readonly Target[], input: (target: Target) => Uint8Array | undefined): Promise<boolean> {
  let good = true
  for (const target of targets) {
    const bytes = input(target)
    if (bytes === undefined) {
      say(`${target.name} has no such case`)
      good = false
      continue
    }
    for (const form of new Set([target, quickForm(target)])) {
      const { kind, why } = await judge(form, bytes)
      say(`${target.name}: ${bytes.length} bytes, ${kind}${why === '' ? '' : `: ${why}`}`)
      good &&= kind !== 'failed'
    }
  }
  return good
}

function caseNamed(target: Target, name: string): Uint8Array | undefined {
  for (const family of Object.keys(FAMILIES).filter((family) => name.startsWith(`${family}:`))) {
    for (const each of casesOf(target, family)) if (each.name === name) return each.input()
  }
  return undefined
}

/** What lies in the directory that the user gave for this target. */
async function foundBefore(target: Target): Promise<Uint8Array[]> {
  if (options.corpus === undefined) return []
  const folder = join(options.corpus, target.name)
  await mkdir(folder, { recursive: true })
  const names = (await readdir(folder)).filter((name) => name.endsWith('.hex')).sort()
  return Promise.all(names.map(async (name) => fromHex((await readFile(join(folder, name), 'utf8')).trim())))
}

function line(target: Target, { inputs, perSecond, accepted, corpus }: Progress): string {
  return `${target.name}: ${inputs} inputs, ${perSecond}/s, ${accepted} taken, ${corpus} kept`
}

async function main(): Promise<boolean> {
  const targets = chosenTargets()
  const { input, case: name } = options
  if (input !== undefined) return replay(targets, () => fromHex(input))
  if (name !== undefined) return replay(targets, (target) => caseNamed(target, name))

  const seed = number('seed', options.seed)
  const runs = number('runs', options.runs)
  const seconds = options.seconds === undefined ? undefined : number('seconds', options.seconds)
  say(`seed ${seed}`)
  // a stack for every refusal would cost more than the refusal
  Error.stackTraceLimit = 0
  const watchdog = await startWatchdog()
  const figures: Record<string, Omit<Fuzzed, 'failure'> & { readonly cpuSeconds: number }> = {}
  for (const target of targets) {
    const found: Uint8Array[] = []
    watchdog.watch(target.name)
    const cpu = process.cpuUsage()
    const { failure, ...result } = await fuzz(target, {
      runs,
      seed,
      ...(seconds !== undefined && { seconds: target.dear === true ? seconds / DEAR_SHARE : seconds }),
      kept: [...keptInputs(target).values(), ...(await foundBefore(target))],
      trying: watchdog.trying,
      progress: (progress) => say(line(target, progress)),
      found: (bytes) => void found.push(bytes.slice()),
    })
    watchdog.watch(null)
    say(line(target, result))
    const { user, system } = process.cpuUsage(cpu)
    figures[target.name] = { ...result, cpuSeconds: (user + system) / 1e6 }
    if (options.corpus !== undefined) {
      for (const [i, bytes] of found.entries()) {
        await writeFile(join(options.corpus, target.name, `seed-${seed}-${i}.hex`), `${toHex(bytes)}\n`)
      }
    }
    if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify({ seed, figures }, null, 2)}\n`)
    if (failure === null) continue
    const small = await shrink(failure.target, failure.input, failure.why)
    Error.stackTraceLimit = 10
    const { why } = await judge(failure.target, small)
    say(`\n${target.name}: input ${failure.at} of seed ${seed}: ${why === '' ? failure.why : why}`)
    say(`  ${replayOf(target, small)}`)
    return false
  }
  return true
}

process.exit((await main()) ? 0 : 1)
