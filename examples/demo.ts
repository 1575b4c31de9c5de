/**
 * What `npm run demo` shows: a rendezvous node and the nodes of two people, each a process of its own, driven through
 * the command line. They meet, talk, and one sleeps and gets what was written meanwhile. Everything lives in a new
 * directory that is removed at the end; the network is loopback.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../cli/sotto', import.meta.url))
const directory = await mkdtemp(join(tmpdir(), 'sotto-demo-'))
const running = new Set<ChildProcess>()
const signal = AbortSignal.timeout(120_000)

/** A command that is repeated is shown once. */
let lastLine = ''

type Json = Readonly<Record<string, unknown>>

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function start(name: string, words: readonly string[]): ChildProcess {
  const line = `\n${name}$ sotto ${words.map((word) => (/[\s']/.test(word) ? JSON.stringify(word) : word)).join(' ')}`
  if (line !== lastLine) say(line)
  lastLine = line
  const child = spawn(program, ['--json', '--home', join(directory, name), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  child.on('error', () => {}) // the end of the process tells as much
  running.add(child)
  child.once('close', () => running.delete(child))
  return child
}

/** Runs one command to its end and gives the objects that it printed. */
async function sotto(name: string, ...words: readonly string[]): Promise<readonly Json[]> {
  const child = start(name, words)
  if (child.stdout === null || child.stderr === null) throw new Error('no output to read')
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (child.exitCode !== 0) throw new Error(`sotto ${words[0]} ended with ${child.exitCode}: ${complaint.trim()}`)
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json)
}

/** Starts a node and waits for the line that says that it is ready. */
async function serve(name: string, ...words: readonly string[]): Promise<{ child: ChildProcess; addresses: string[] }> {
  const child = start(name, words)
  if (child.stdout === null || child.stderr === null) throw new Error('no output to read')
  const complaint = text(child.stderr)
  for await (const line of createInterface({ input: child.stdout })) {
    const { addresses } = JSON.parse(line) as { addresses: string[] }
    say(`ready at ${addresses[0]}`)
    // unread, it would keep the process from being seen to close
    child.stdout.resume()
    return { child, addresses }
  }
  throw new Error(`sotto ${words[0]} ended before it was ready: ${(await complaint).trim()}`)
}

async function stop(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  await closed
}

/** Repeats a question until its answer is good; the command line has no other way to wait for somebody else. */
async function until(question: () => Promise<readonly Json[]>, good: (answer: Json) => boolean): Promise<Json> {
  for (;;) {
    const answer = (await question()).find(good)
    if (answer !== undefined) return answer
    signal.throwIfAborted()
    await setTimeout(250)
  }
}

async function showLog(name: string, who: string): Promise<void> {
  for (const { conversation, from, state, text } of await sotto(name, 'log', who)) {
    say(`  ${from === conversation ? who : name}: ${String(text)}  [${String(state)}]`)
  }
}

const loopback = '/ip4/127.0.0.1/tcp/0'
try {
  const rendezvous = await serve('rendezvous', 'bootstrap', '--listen', loopback)
  for (const name of ['alice', 'bob']) {
    const [made] = await sotto(name, 'init', '--name', name, '--no-passphrase')
    say(`account ${String(made?.['account'])}`)
  }
  const up = ['up', '--listen', loopback, '--bootstrap', ...rendezvous.addresses]
  await serve('alice', ...up)
  const bob = await serve('bob', ...up)

  const [invite] = await sotto('alice', 'invite')
  const link = String(invite?.['link'])
  say(link)
  await sotto('bob', 'add', link, '--as', 'alice', '--hello', 'Bob here, we met on Friday.')
  const request = await until(
    () => sotto('alice', 'requests'),
    () => true,
  )
  say(`asked by ${String(request['account'])}: ${String(request['hello'])}`)
  await sotto('alice', 'accept', String(request['account']), '--as', 'bob')

  await sotto('bob', 'send', 'alice', 'Hello Alice', '--wait', 'delivered')
  await sotto('alice', 'send', 'bob', 'Hello Bob', '--wait', 'delivered')
  await showLog('alice', 'bob')
  for (const [name, who] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    const [verification] = await sotto(name, 'verify', who)
    say(`  ${String(verification?.['safetyNumber'])}`)
  }

  say("\nBob's node stops. What Alice writes now waits in her outbox.")
  await stop(bob.child)
  await sotto('alice', 'send', 'bob', 'Are you asleep?')
  say("\nBob's node comes back.")
  await serve('bob', ...up)
  await until(
    () => sotto('alice', 'log', 'bob', '--last', '1'),
    (message) => message['state'] === 'delivered' || message['state'] === 'read',
  )
  await showLog('bob', 'alice')
  say('\nDone: everything was delivered.')
} finally {
  await Promise.all([...running].map(stop))
  await rm(directory, { recursive: true, force: true })
}
