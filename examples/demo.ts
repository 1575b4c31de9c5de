/**
 * What `npm run demo` shows: a rendezvous node and the nodes of three people, each a process of its own, driven through
 * the command line. They find each other by link and talk; one of them is killed, and misses nothing of what was written
 * meanwhile; one leaves a message for another while both are never there at the same time; and a fourth comes, to talk in a
 * group with somebody whom he does not know, until he is removed. Everything lives in a new directory that is removed at the
 * end; the network is loopback.
 *
 * Ends with 0; with 1 and a line that says what was missing; or with 130 when it was interrupted.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'

/** A slow and busy machine may take long; an idle one needs a tenth of it. */
const LONGEST_MS = 120_000
/** What a process may take to end before it is killed. */
const ENDING_MS = 6_000

const program = fileURLToPath(new URL('../cli/sotto', import.meta.url))
const directory = await mkdtemp(join(tmpdir(), 'sotto-demo-'))
const running = new Set<ChildProcess>()
const ending = new Set<ChildProcess>()
const ended = new AbortController()
/** What those who run this set for their own nodes is not for these. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SOTTO_')))
/** What went wrong by itself, while the story waited for something else. */
let failure: Error | undefined
let interrupted = false
function interrupt(): void {
  interrupted = true
  ended.abort()
}
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt)
// Nobody reads on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', interrupt)
const deadline = globalThis.setTimeout(() => ended.abort(), LONGEST_MS)

/** What the command line prints for one contact, message, request or status; see `--json`. */
interface Answer {
  readonly account: string
  readonly addresses: readonly string[]
  readonly link: string
  readonly state: string
  readonly since: number
  readonly hello: string
  readonly safetyNumber: string
  readonly dht: { readonly record: { readonly published?: number } }
  readonly from: string
  readonly text: string
  readonly kind: string
  readonly at: number
  readonly members: readonly { readonly state: string }[]
  readonly states: { readonly delivered?: number; readonly stored?: readonly { readonly until: number }[] }
  readonly mailbox: string
}

function say(line = ''): void {
  process.stdout.write(`${line}\n`)
}

/** Shows a command as a person would type it, long links shortened. */
function show(name: string, words: readonly string[]): void {
  const shown = words.map((word) =>
    word.includes(' ') ? `"${word}"` : word.length > 40 ? `${word.slice(0, 24)}…` : word,
  )
  say(`${name}$ sotto ${shown.join(' ')}`)
}

function start(name: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  ended.signal.throwIfAborted()
  const child = spawn(program, ['--json', '--home', join(directory, name), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, ...env },
    signal: ended.signal,
  })
  child.on('error', () => {}) // the end of the process tells as much
  running.add(child)
  child.once('close', () => running.delete(child))
  return child
}

/** Runs one command to its end and gives the objects that it printed. */
async function run(name: string, ...words: readonly string[]): Promise<readonly Answer[]> {
  const child = start(name, words)
  if (child.stdout === null || child.stderr === null) throw new Error('no output to read')
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr), closed(child)])
  if (child.exitCode !== 0) throw new Error(`the answer to '${name}$ sotto ${words.join(' ')}' ${complaint}`.trim())
  const lines = output.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Answer)
}

/** Shows and runs a command that prints one object. */
async function sotto(name: string, ...words: readonly string[]): Promise<Answer> {
  show(name, words)
  const [answer] = await run(name, ...words)
  if (answer === undefined) throw new Error(`an answer to '${name}$ sotto ${words.join(' ')}'`)
  return answer
}

/** Starts a node and waits for the line that says that it is ready. */
async function serve(name: string, words: readonly string[], env?: NodeJS.ProcessEnv) {
  const startedAt = Date.now()
  show(name, words)
  const child = start(name, words, env)
  if (child.stdout === null || child.stderr === null) throw new Error('no output to read')
  const complaint = text(child.stderr)
  for await (const line of createInterface({ input: child.stdout })) {
    // unread, it would keep the process from being seen to close
    child.stdout.resume()
    const { addresses } = JSON.parse(line) as Answer
    let said = ''
    void complaint.then((all) => (said = all.trim()))
    child.once('close', (code, signal) => {
      if (ending.has(child) || ended.signal.aborted) return
      failure = new Error(`the node of ${name}, which ended with ${code ?? signal} ${said}`.trim())
      ended.abort()
    })
    return { child, addresses, startedAt, readyMs: Date.now() - startedAt }
  }
  throw new Error(`the node of ${name} ${await complaint}`.trim())
}

/** Repeats a question until an answer is good; the command line has no other way to wait for somebody else. */
async function until(
  missing: string,
  ask: () => Promise<readonly Answer[]>,
  good: (answer: Answer) => boolean,
): Promise<Answer> {
  for (;;) {
    const answer = (await ask()).find(good)
    if (answer !== undefined) return answer
    await setTimeout(100, undefined, { signal: ended.signal }).catch(() => {
      throw new Error(missing, { cause: ended.signal.reason })
    })
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!running.has(child)) return
  ending.add(child)
  const over = closed(child)
  child.kill(signal)
  const patience = globalThis.setTimeout(() => child.kill('SIGKILL'), ENDING_MS)
  await over
  globalThis.clearTimeout(patience)
}

/** Not `once` of `node:events`: it would take the error of an abort for the end. */
function closed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('close', () => resolve()))
}

/** From the text to the receipt: the other has it on disk, and this side knows. */
function tripMs({ at, states }: Answer): number {
  return (states.delivered ?? Number.NaN) - at
}

async function story(): Promise<void> {
  const people = ['alice', 'bob', 'carol']
  say('A rendezvous node knows nobody; it only helps others to find each other.')
  const rendezvous = await serve('rendezvous', ['bootstrap', '--listen', '/ip4/127.0.0.1/tcp/0'])
  say(`  ready in ${rendezvous.readyMs} ms at ${rendezvous.addresses[0]}`)

  say('\nThree people make an account each, and start their nodes.')
  const env = {
    SOTTO_LISTEN: '/ip4/127.0.0.1/tcp/0',
    SOTTO_BOOTSTRAP: rendezvous.addresses.join(','),
    SOTTO_DELIVERY: 'mailbox',
    SOTTO_MAILBOX: 'contacts',
  }
  const accounts = new Map<string, string>()
  const settle = async (name: string): Promise<void> => {
    accounts.set(name, (await sotto(name, 'init', '--name', name, '--no-passphrase')).account)
  }
  await Promise.all(people.map(settle))
  const nodes = await Promise.all(people.map((name) => serve(name, ['up'], env)))
  const published = await Promise.all(
    people.map((name) =>
      until(
        `the records of ${name} in the network`,
        () => run(name, 'status'),
        ({ dht }) => dht.record.published !== undefined,
      ),
    ),
  )
  for (const [i, name] of people.entries()) {
    const { readyMs, startedAt } = nodes[i] ?? rendezvous
    say(`  ${name.padEnd(5)} ${accounts.get(name)}`)
    say(
      `        ready in ${readyMs} ms, published after ${(published[i]?.dht.record.published ?? Number.NaN) - startedAt} ms`,
    )
  }

  say('\nA link is handed over by other means: a letter, another chat, a QR code.')
  const introduce = async (host: string, guests: readonly string[]) => {
    const { link } = await sotto(host, 'invite')
    await Promise.all(
      guests.map(async (guest) => {
        const added = await sotto(guest, 'add', link, '--as', host, '--hello', `It is ${guest}.`)
        const account = accounts.get(guest) ?? ''
        const isGuest = (answer: Answer): boolean => answer.account === account
        const request = await until(`the request of ${guest} to ${host}`, () => run(host, 'requests'), isGuest)
        const accepted = await sotto(host, 'accept', account, '--as', guest)
        const contact = await until(
          `${host} as a contact of ${guest}`,
          () => run(guest, 'contacts'),
          (answer) => answer.account === accounts.get(host) && answer.state === 'accepted',
        )
        const found = `found and asked in ${request.since - added.since} ms`
        say(`  ${guest} and ${host}: ${found}, handshake done ${contact.since - accepted.since} ms after the yes`)
      }),
    )
  }
  await Promise.all([introduce('alice', ['bob', 'carol']), introduce('bob', ['carol'])])

  say('\nThey talk, directly and both ways.')
  const greet = async (from: string, to: string): Promise<string> => {
    const message = await sotto(from, 'send', to, `Hello ${to}, ${from} here`, '--wait', 'delivered')
    return `  ${from} to ${to}: delivered, and known to be, ${tripMs(message)} ms after it was written`
  }
  for (const line of [await greet('alice', 'bob'), await greet('bob', 'alice')]) say(line)
  for (const line of await Promise.all([greet('alice', 'carol'), greet('carol', 'bob')])) say(line)
  for (const line of await Promise.all([greet('carol', 'alice'), greet('bob', 'carol')])) say(line)

  say('\nBoth sides see the same safety number, so nobody sits between them.')
  const numbers = await Promise.all([sotto('alice', 'verify', 'bob'), sotto('bob', 'verify', 'alice')])
  for (const { safetyNumber } of numbers) say(`  ${safetyNumber}`)
  if (numbers[0].safetyNumber !== numbers[1].safetyNumber) throw new Error('equal safety numbers of alice and bob')

  say("\nCarol's node is killed. What is written to her waits with those who wrote it.")
  await end(nodes[2]?.child ?? rendezvous.child, 'SIGKILL')
  const writers = ['alice', 'bob']
  const meanwhile = (writer: string): string[] => [1, 2, 3].map((i) => `${writer}, message ${i} while you were gone`)
  await Promise.all(
    writers.map(async (writer) => {
      for (const line of meanwhile(writer)) await sotto(writer, 'send', 'carol', line)
    }),
  )
  say('\nShe starts it again.')
  const again = await serve('carol', ['up'], env)
  const welcome = (writer: string): string => `welcome back, says ${writer}`
  const last = await Promise.all(
    writers.map((writer) => sotto(writer, 'send', 'carol', welcome(writer), '--wait', 'delivered')),
  )
  const caughtUp = Math.max(...last.map(({ states }) => states.delivered ?? Number.NaN)) - again.startedAt
  say(`  ready in ${again.readyMs} ms, everything delivered ${caughtUp} ms after the start`)
  for (const writer of writers) {
    show('carol', ['log', writer])
    const author = accounts.get(writer)
    const read = (await run('carol', 'log', writer))
      .filter(({ from }) => from === author)
      .map((message) => message.text)
    for (const line of read) say(`  ${writer}: ${line}`)
    // Bob and Alice were asked by Carol, so nothing of theirs comes before their greeting.
    const written = [`Hello carol, ${writer} here`, ...meanwhile(writer), welcome(writer)]
    if (!isDeepStrictEqual(read, written))
      throw new Error(`each message of ${writer} once and in order: ${written.join(' | ')}`)
  }

  say("\nCarol has Bob's node keep her mail, and goes away. Alice writes, and goes away too.")
  await sotto('carol', 'mailbox', 'use', 'bob')
  await until(
    'a mailbox for carol',
    () => run('carol', 'mailbox', 'status'),
    ({ state }) => state === 'ready',
  )
  // Alice is told where by the same link on which this arrives.
  await sotto('carol', 'send', 'alice', 'I am off', '--wait', 'delivered')
  await end(again.child, 'SIGTERM')
  const late = await sotto('alice', 'send', 'carol', 'Sleep well', '--wait', 'stored', '--timeout', '60s')
  const kept = late.states.stored?.[0]?.until ?? Number.NaN
  say(`  ${late.state}: Bob's node, which cannot read it, holds it until ${new Date(kept).toISOString()}`)
  await end(nodes[0]?.child ?? rendezvous.child, 'SIGTERM')
  say('\nCarol wakes, while Alice is away.')
  await serve('carol', ['up'], env)
  const read = await until(
    'what alice wrote last',
    () => run('carol', 'log', 'alice'),
    (message) => message.text === 'Sleep well',
  )
  say(`  alice: ${read.text}`)

  say('\nAlice is back. Dave comes, who knows nobody but her, and she makes a group with him and Bob.')
  await Promise.all([serve('alice', ['up'], env), settle('dave').then(() => serve('dave', ['up'], env))])
  await introduce('alice', ['dave'])
  await sotto('alice', 'group', 'create', 'trip', 'bob', 'dave')
  const group = ['alice', 'bob', 'dave']
  const info = (name: string, good: (answer: Answer) => boolean): Promise<Answer> =>
    until(`the group as ${name} should see it`, () => run(name, 'group', 'list'), good)
  await Promise.all(group.map((name) => info(name, ({ members }) => members.length === 3 && members.every(hasJoined))))
  for (const name of group) {
    const said = await sotto(name, 'send', 'trip', `Hello all, says ${name}`, '--wait', 'delivered')
    say(`  delivered to both others, and known to be, ${tripMs(said)} ms after it was written`)
  }
  say('\nShe removes Dave. What is written from now on is sealed with keys that he is not given.')
  await sotto('alice', 'group', 'remove', 'trip', 'dave')
  await info('bob', ({ members }) => members.length === 2)
  await info('dave', ({ state }) => state === 'removed')
  await sotto('bob', 'send', 'trip', 'Dave is gone', '--wait', 'delivered')
  const heard = await Promise.all(group.map((name) => textsOf(name, 'trip')))
  const all = group.map((name) => `Hello all, says ${name}`)
  for (const [i, name] of group.entries()) {
    say(`  ${name} has: ${heard[i]?.join(' | ')}`)
    const expected = name === 'dave' ? all : [...all, 'Dave is gone']
    if (!isDeepStrictEqual(heard[i], expected)) throw new Error(`with ${name}: ${expected.join(' | ')}`)
  }
}

const hasJoined = ({ state }: { readonly state: string }): boolean => state === 'member'

async function textsOf(name: string, who: string): Promise<string[]> {
  return (await run(name, 'log', who)).filter(({ kind }) => kind === 'text').map((message) => message.text)
}

const began = performance.now()
try {
  await story()
  say(`\nDone in ${((performance.now() - began) / 1000).toFixed(1)} s: everything arrived once and in order.`)
} catch (error) {
  const { message } = failure ?? (error instanceof Error ? error : new Error(String(error)))
  const when = ended.signal.aborted && failure === undefined ? `Missing after ${LONGEST_MS / 1000} s` : 'Missing'
  process.stderr.write(interrupted ? '\nInterrupted.\n' : `\n${when}: ${message}\n`)
  process.exitCode = interrupted ? 130 : 1
} finally {
  globalThis.clearTimeout(deadline)
  // What the other half of the story was about to start, it now does not.
  ended.abort()
  await Promise.all([...running].map((child) => end(child, 'SIGTERM')))
  await rm(directory, { recursive: true, force: true })
}
