import { fileURLToPath } from 'node:url'
import { type ApiServer, serveApi } from '../../cli/server.ts'
import { temporaryHome } from './cli.ts'
import { createFakeNode, type FakeNode, type FakeOptions } from './fake-node.ts'
import { openTerminal, type Terminal, type TerminalOptions } from './tmux.ts'

const PROGRAM = fileURLToPath(new URL('../../cli/sotto', import.meta.url))
const silent = { debug: () => {}, info: () => {}, warn: () => {} }

/** A terminal in which somebody chats, and the node that they chat by. */
export interface ChatTerminal extends AsyncDisposable {
  readonly terminal: Terminal
  readonly home: string
  /** The node of the moment. */
  node: FakeNode
  /** Texts of own messages, the oldest first. */
  texts(): Promise<(string | undefined)[]>
  /** Ends the node. */
  away(): Promise<void>
  /** Starts another node on the same home. */
  back(): Promise<void>
}

export interface ChatTerminalOptions extends TerminalOptions {
  readonly fake?: FakeOptions
  /** What is done to the node before the chat begins. */
  readonly before?: (node: FakeNode) => void | Promise<void>
  readonly flags?: string
  /** With whom; by default `bob`. */
  readonly who?: string
}

/** Opens `sotto chat WHO` in a real terminal and waits until it can be typed into. */
export async function openChat(options: ChatTerminalOptions = {}): Promise<ChatTerminal> {
  const scope = await temporaryHome()
  const { home } = scope
  const { who = 'bob' } = options
  let server: ApiServer | undefined
  const start = async (): Promise<FakeNode> => {
    // the fake tells of my typing as if it were theirs
    const node = Object.assign(createFakeNode({ now: Date.now, ...options.fake }), { typing: async () => {} })
    server = await serveApi({ home, node, env: {}, stop: () => {}, logger: silent })
    return node
  }
  const node = await start()
  await options.before?.(node)
  const terminal = await openTerminal(options)
  const chat: ChatTerminal = {
    terminal,
    home,
    node,
    async texts() {
      const messages = await chat.node.messages(who, { last: 1000 })
      return messages.filter(({ from }) => from === chat.node.identity.account).map(({ text }) => text)
    },
    async away() {
      await chat.node.stop()
      await server?.[Symbol.asyncDispose]()
    },
    async back() {
      chat.node = await start()
    },
    async [Symbol.asyncDispose]() {
      await terminal[Symbol.asyncDispose]()
      await chat.away()
      await scope[Symbol.asyncDispose]()
    },
  }
  try {
    await terminal.type(`clear; '${PROGRAM}' --home ${home} chat ${who} ${options.flags ?? ''}; echo "ended with $?"`)
    await terminal.press('Enter')
    await terminal.shows(/\/help\s+lists/)
    await terminal.shows(/^>/m)
  } catch (error) {
    await chat[Symbol.asyncDispose]()
    throw error
  }
  return chat
}
