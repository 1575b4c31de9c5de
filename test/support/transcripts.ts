import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Config, readConfig } from '../../cli/config.ts'
import type { NodeModule } from '../../cli/node-module.ts'
import { createRunningSettings } from '../../cli/running-settings.ts'
import { type ApiServer, serveApi } from '../../cli/server.ts'
import { decideSettings } from '../../cli/settings.ts'
import type { Group, GroupChange, MessageState } from '../../node/api.ts'
import { NodeError, type NodeErrorCode } from '../../node/errors.ts'
import { runCli, temporaryHome } from './cli.ts'
import { createFakeNode, fakeAccount, type FakeNode, type FakeOptions, ME } from './fake-node.ts'

/** One command line of a transcript and what it must answer. */
export interface Step {
  readonly argv: readonly string[]
  readonly stdin: string
  /** Lines as they must be; `*` in one stands for anything on it, a line `...` for any lines. `! ` marks stderr. */
  readonly expected: readonly string[]
  readonly code: number
  /** After how many lines on stdout the signal comes; undefined for none. */
  readonly interruptAfter: number | undefined
}

/** A home in some state, and commands on it. */
export interface Scene {
  readonly file: string
  readonly title: string
  /** Directives `@ …`, in their order among the steps. */
  readonly parts: readonly (Step | string)[]
}

const DIRECTORY = new URL('../cli/transcripts/', import.meta.url).pathname

/** The words of a command line: separated by spaces, in single or double quotes where they hold some. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  )
}

/** A word with what stands as `\u001b` in it. */
function unescaped(word: string): string {
  return word.replace(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

function readStep(lines: readonly string[]): Step {
  const [head = '', ...rest] = lines
  const code = rest.find((line) => line.startsWith('? '))
  const stop = rest.indexOf('^C')
  const isPlain = (line: string): boolean => !/^(?:[<?!] ?|\^C$)/.test(line)
  const output = rest.filter((line) => line !== '^C' && !/^[<?] /.test(line))
  return {
    argv: wordsOf(head.replace(/^\$ sotto ?/, '')),
    stdin: rest.flatMap((line) => (line.startsWith('< ') ? `${line.slice(2)}\n` : [])).join(''),
    expected: output,
    code: code === undefined ? 0 : Number(code.slice(2)),
    interruptAfter: stop === -1 ? undefined : rest.slice(0, stop).filter(isPlain).length,
  }
}

/** All scenes of all transcripts. */
export function readScenes(): Scene[] {
  return readdirSync(DIRECTORY)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .flatMap((file) => {
      const text = readFileSync(join(DIRECTORY, file), 'utf8')
      return text
        .split(/^# /m)
        .slice(1)
        .map((scene) => readScene(file, scene))
    })
}

function readScene(file: string, text: string): Scene {
  const [title = '', ...lines] = text.trimEnd().split('\n')
  const parts: (Step | string)[] = []
  let step: string[] = []
  const end = (): void => {
    if (step.length > 0) parts.push(readStep(step))
    step = []
  }
  for (const line of lines) {
    if (line.startsWith('@ ')) {
      end()
      parts.push(line.slice(2))
    } else if (line.startsWith('$ ')) {
      end()
      step = [line]
    } else if (line !== '' && step.length > 0) step.push(line)
  }
  end()
  return { file, title, parts }
}

/** Whether a line is as expected. */
function matches(expected: string, line: string): boolean {
  const pattern = expected.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${pattern.join('.*')}$`, 's').test(line)
}

/** What came, with the lines that were expected in place of those that they match. */
export function asExpected(expected: readonly string[], came: readonly string[]): string[] {
  const rest = [...expected]
  const said: string[] = []
  for (const line of came) {
    if (rest[0] === '...' && (rest[1] === undefined || !matches(rest[1], line))) continue
    if (rest[0] === '...') said.push(rest.shift() ?? '')
    said.push(rest[0] !== undefined && matches(rest[0], line) ? (rest.shift() ?? '') : line)
  }
  return rest[0] === '...' ? [...said, '...'] : said
}

export interface Answered {
  readonly step: Step
  readonly output: readonly string[]
  readonly code: number
}

interface Stage extends AsyncDisposable {
  direct(directive: string): Promise<void>
  run(step: Step): Promise<Answered>
}

async function openStage(): Promise<Stage> {
  const scope = await temporaryHome(false)
  const { home } = scope
  let node: FakeNode | undefined
  let server: ApiServer | undefined
  let fails: NodeErrorCode | undefined
  const env: Record<string, string> = {}
  /** With which `running` starts a node. */
  let flags: Config = {}

  const module: Partial<NodeModule> = {
    async createNode() {
      if (fails !== undefined) throw new NodeError(fails, `the home is ${fails}`)
      return node ?? createFakeNode()
    },
    async createAccount() {
      if (fails !== undefined) throw new NodeError(fails, `the home is ${fails}`)
      return { account: ME, recoveryWords: Array.from({ length: 24 }, (_, at) => `word${at + 1}`).join(' ') }
    },
    async createBootstrap() {
      if (fails !== undefined) throw new NodeError(fails, `the rendezvous is ${fails}`)
      return {
        peerId: '12D3KooWFake',
        addresses: () => ['/ip4/127.0.0.1/tcp/1/p2p/12D3KooWFake'],
        stop: async () => {},
      }
    },
    async restoreBackup(file) {
      if (fails !== undefined) throw new NodeError(fails, `the backup is ${fails}`)
      if (!(await readFile(file)).includes('sotto-backup')) throw new NodeError('invalid', 'this file is no backup')
      return { account: ME, takenAt: 1_800_000_000_000, contacts: 2, messages: 30, settings: '{"delivery":"live"}' }
    },
    async openHome() {
      if (fails !== undefined) throw new NodeError(fails, `the home is ${fails}`)
      return { changePassphrase: async () => {}, close: async () => {} }
    },
  }

  const DIRECTIVES: Readonly<Record<string, (words: readonly string[], rest: string) => Promise<void>>> = {
    async home(_, options) {
      await writeFile(join(home, 'vault'), '')
      node = createFakeNode(options === '' ? {} : (JSON.parse(options) as FakeOptions))
    },
    async running(words, options) {
      await DIRECTIVES['home']?.(words, options)
      const logger = { debug: () => {}, info: () => {}, warn: () => {} }
      const stop = (): void => void server?.[Symbol.asyncDispose]()
      const settings = createRunningSettings(decideSettings(flags, env, {}), () => readConfig(home))
      server = await serveApi({ home, node: node as FakeNode, env: {}, stop, logger, settings })
    },
    async flags(_, given) {
      flags = JSON.parse(given) as Config
    },
    async env([assignment = '']) {
      const [name = '', value = ''] = assignment.split('=')
      env[name] = value
    },
    async fails([code]) {
      await writeFile(join(home, 'vault'), '')
      fails = code as NodeErrorCode
    },
    async file([name = ''], rest) {
      const path = join(home, name)
      await mkdir(join(path, '..'), { recursive: true })
      await writeFile(path, `${rest.slice(name.length + 1)}\n`)
    },
    async receive([who = ''], rest) {
      node?.receive(who, JSON.parse(`"${rest.slice(who.length + 1)}"`) as string)
    },
    /** As `receive`, in a group and of whoever has the account: `hear trip c Hello`. */
    async hear([group = '', letter = ''], rest) {
      const text = rest.slice(group.length + letter.length + 2)
      node?.receive(letter === 'me' ? ME : fakeAccount(letter), JSON.parse(`"${text}"`) as string, group)
    },
    /** Lets something happen to a group: `happen trip c {"what":"joined"} {"state":"frozen"}`. */
    async happen([group = '', letter = '', change = '{}', fields]) {
      const from = letter === 'me' ? ME : fakeAccount(letter)
      const also = fields === undefined ? undefined : (JSON.parse(fields) as Partial<Group>)
      node?.happen(group, from, JSON.parse(change) as GroupChange, also)
    },
    async 'reach-member'([id = '', who = '', state]) {
      node?.reachMember(id.padStart(32, '0'), who, state as MessageState)
    },
    async send([who = ''], rest) {
      await node?.send(who, rest.slice(who.length + 1))
    },
    async reach([id = '', state]) {
      node?.reach(id.padStart(32, '0'), state as MessageState)
    },
  }

  return {
    async direct(directive) {
      const [name = '', ...words] = directive.split(' ')
      const act = DIRECTIVES[name]
      if (act === undefined) throw new Error(`there is no directive ${name}`)
      await act(words, directive.slice(name.length + 1))
    },
    async run(step) {
      const ended = new AbortController()
      const { interruptAfter } = step
      if (interruptAfter === 0) ended.abort()
      const ran = await runCli(
        step.argv.map((word) => unescaped(word.replaceAll('HOME', home))),
        {
          home,
          module,
          env,
          stdin: step.stdin,
          ended: ended.signal,
          onOutput: (text) => {
            if (interruptAfter !== undefined && text.split('\n').length > interruptAfter) ended.abort()
          },
        },
      )
      const lines = (text: string): string[] => text.replaceAll(home, 'HOME').replace(/\n$/, '').split('\n')
      return {
        step,
        code: ran.code,
        output: [
          ...(ran.stdout === '' ? [] : lines(ran.stdout)),
          ...(ran.stderr === '' ? [] : lines(ran.stderr).map((line) => `! ${line}`.trimEnd())),
        ].filter((line) => line !== ''),
      }
    },
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]()
      await scope[Symbol.asyncDispose]()
    },
  }
}

/** Plays a scene and gives what every command answered. */
export async function play({ parts }: Scene): Promise<Answered[]> {
  await using stage = await openStage()
  const answered: Answered[] = []
  for (const part of parts) {
    if (typeof part === 'string') await stage.direct(part)
    else answered.push(await stage.run(part))
  }
  return answered
}

/** Writes what came into the transcript of a scene, for a person to look at. */
export function rewrite({ file, title, parts }: Scene, answered: readonly Answered[]): void {
  const path = join(DIRECTORY, file)
  const text = readFileSync(path, 'utf8')
  const start = text.indexOf(`# ${title}\n`)
  const next = text.indexOf('\n# ', start)
  const steps = answered.values()
  const lines = parts.map((part) => {
    if (typeof part === 'string') return `@ ${part}`
    const { output, code } = steps.next().value as Answered
    const quoted = part.argv.map((word) => (/[\s"]/.test(word) || word === '' ? `'${word}'` : word))
    const out = asExpected(part.expected, output)
    const stop = part.interruptAfter === undefined ? [] : ['^C']
    const stdin =
      part.stdin === ''
        ? []
        : part.stdin
            .trimEnd()
            .split('\n')
            .map((line) => `< ${line}`)
    const before = out.slice(0, part.interruptAfter ?? 0)
    const after = out.slice(part.interruptAfter ?? 0)
    return [
      '',
      `$ sotto ${quoted.join(' ')}`.trimEnd(),
      ...stdin,
      ...before,
      ...stop,
      ...after,
      ...(code === 0 ? [] : [`? ${code}`]),
    ].join('\n')
  })
  const end = next === -1 ? text.length : next
  writeFileSync(path, `${text.slice(0, start)}# ${title}\n${lines.join('\n')}\n${text.slice(end)}`)
}
