/**
 * A bot that answers everybody who writes to it, once, also after a crash. Its home keeps account, contacts and messages;
 * what was not answered when it died is answered when it is back. A text that was answered is not answered again: the key
 * of the answer follows from the text, and the same key gives the same message for ever.
 *
 *     node bot.ts HOME [BOOTSTRAP…]    the bot; it prints a link by which people add it
 *     node bot.ts                      shows it: somebody writes to a bot that is killed twice meanwhile
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createAccount, createNode, type Message, type Node, NodeError, type NodeEvent } from 'sotto'

const COMMANDS: Readonly<Record<string, (rest: string) => string>> = {
  '/echo': (rest) => rest,
  '/count': (rest) => `${rest.split(/\s+/).filter((word) => word !== '').length} words`,
  '/help': () => 'Commands: /echo TEXT, /count TEXT, /help',
}

/** How many messages of a conversation may have come while the bot was away. */
const LOOK_BACK = 1_000

function answerTo(text: string): string {
  const [command = '', ...rest] = text.split(' ')
  return (COMMANDS[command] ?? COMMANDS['/help'])?.(rest.join(' ')) ?? ''
}

/** Answers one message. `send` resolves when the answer is safe; after a crash in between it gives the one that is there. */
async function answer(node: Node, { id, from, conversation, text }: Message): Promise<void> {
  if (from === node.identity.account || text === undefined) return
  await node.send(conversation, answerTo(text), { replyTo: id, key: `answer to ${id}` })
  await node.read(conversation)
}

/** Runs the bot until the process ends. */
async function runBot(directory: string, bootstrap: readonly string[]): Promise<void> {
  const home = { directory, passphrase: process.env['BOT_PASSPHRASE'] ?? 'only for a try' }
  await createAccount({ ...home, name: 'bot' }).catch((error: unknown) => {
    if (!(error instanceof NodeError && error.code === 'account-exists')) throw error
  })
  await using node = await createNode({ ...home, bootstrap, listen: ['/ip4/127.0.0.1/tcp/0'] })
  // Before looking back: what comes while we look is in the events, and what is in both is answered once.
  const events = node.events()[Symbol.asyncIterator]()
  console.log((await node.invite()).link)
  for (const { id } of await node.contacts.requests()) await node.contacts.accept(id)
  for (const { id, unread } of await node.contacts.list()) {
    for (const message of unread === 0 ? [] : await node.messages(id, { last: LOOK_BACK })) await answer(node, message)
  }
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    const event: NodeEvent = next.value
    if (event.kind === 'request') await node.contacts.accept(event.contact.id)
    if (event.kind === 'message') await answer(node, event.message)
  }
}

/** The bot in a process of its own, and the link that it prints when it is up. */
async function startBot(directory: string, bootstrap: readonly string[]): Promise<{ bot: ChildProcess; link: string }> {
  const bot = spawn(process.execPath, [...process.execArgv, import.meta.filename, directory, ...bootstrap], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const link of createInterface(bot.stdout)) return { bot, link }
  throw new Error('the bot ended')
}

async function show(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-bot-'))
  const signal = AbortSignal.timeout(90_000)
  const home = { directory: join(directory, 'ada'), passphrase: 'the passphrase of ada' }
  await createAccount({ ...home, name: 'ada' })
  await using ada = await createNode({ ...home, listen: ['/ip4/127.0.0.1/tcp/0'] })
  const start = () => startBot(join(directory, 'bot'), ada.addresses())
  const first = await start()
  let { bot } = first
  try {
    const accepted = next(ada, signal, (event) => event.kind === 'contact' && event.contact.state === 'accepted')
    await ada.contacts.add(first.link, { petname: 'bot', hello: '/echo one' })
    await accepted
    for (const [text, killed] of [
      ['/count two three', true],
      ['/echo four', true],
      ['/help', false],
    ] as const) {
      const answered = next(ada, signal, (event) => event.kind === 'message' && event.message.replyTo === sent.id)
      const sent = await ada.send('bot', text)
      // at any moment: before the text arrives, before it is answered, or before the answer has left
      if (killed) {
        bot.kill('SIGKILL')
        bot = (await start()).bot
      }
      await answered
    }
    const messages = await ada.messages('bot')
    for (const { from, text } of messages) console.log(`${from === ada.identity.account ? 'ada' : 'bot'}: ${text}`)
    const answers = messages.filter(({ from }) => from !== ada.identity.account)
    console.log(`${answers.length} answers to ${messages.length - answers.length} messages`)
  } finally {
    bot.kill('SIGKILL')
    await ada.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Resolves with the first event from now on for which this holds. */
async function next(node: Node, signal: AbortSignal, holds: (event: NodeEvent) => boolean): Promise<NodeEvent> {
  for await (const event of node.events({ signal })) if (holds(event)) return event
  throw new Error('it did not come in time')
}

const [directory, ...bootstrap] = process.argv.slice(2)
await (directory === undefined ? show() : runBot(directory, bootstrap))
