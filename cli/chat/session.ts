import { interruption } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { safeText } from '../terminal.ts'
import { wrap } from './cells.ts'
import { createComposer } from './composer.ts'
import { follow } from './feed.ts'
import type { Key } from './keys.ts'
import { createOutgoing } from './outgoing.ts'
import { createPartner } from './partner.ts'
import { createPlainScreen, createScreen } from './screen.ts'
import { openTty } from './tty.ts'
import { createTyping } from './typing.ts'

const HISTORY = 50
const PROMPT = '> '
/** How long what was entered has to be answered when the chat ends. */
const LAST_ANSWERS_MS = 2000
const CLEAR = '\x1b[H\x1b[2J'

/**
 * Talks with somebody on a terminal, until `/quit`, the end of the input or a signal. `plain`: nothing is drawn again, for
 * screen readers; so it is, without any escape sequence, where the terminal knows none.
 */
export async function talk(invocation: Invocation, who: string, options: { plain: boolean }): Promise<void> {
  const { io, paint, show } = invocation
  const isDumb = ['', 'dumb'].includes(io.env['TERM'] ?? '')
  const isPlain = options.plain || isDumb
  const harmless = (character: string): string => show(safeText(character))
  const screen = isPlain ? createPlainScreen(harmless) : createScreen(harmless, (text) => paint('dim', text))
  const over = new AbortController()
  const { signal } = over
  let lines: string[] = []
  let isDue = false
  let isEnding = false
  let isInterrupted = false

  /** Draws once, however much happens in this turn. */
  function draw(): void {
    if (isDue) return
    isDue = true
    setImmediate(() => {
      partner.tell()
      isDue = false
      if (!signal.aborted) flush()
    })
  }
  function print(more: readonly string[]): void {
    if (more.length === 0) return
    lines.push(...more)
    draw()
  }
  const say = (text: string): void =>
    print(
      safeText(text)
        .split('\n')
        .map((line) => paint('yellow', line)),
    )

  const partner = createPartner({ print, paint, everyState: isPlain, typing: (active) => typing.heard(active) })
  const typing = createTyping({
    tell(active) {
      const to = partner.connection()
      // a courtesy: whether it arrives is nobody's concern
      to?.caller.call('conversation.typing', { who: to.who, active }).catch(() => {})
    },
    changed() {
      if (isPlain && typing.theirs()) print([`  ${partner.name()} is typing...`])
      draw()
    },
  })
  const outgoing = createOutgoing(() => partner.connection())
  const composer = createComposer({
    outgoing,
    connection: () => partner.connection(),
    say,
    print,
    entered: () => tty.write(screen.enter()),
    quit: end,
  })

  /** Ends when the node has answered what was sent, so that nothing is said to be sent or not sent that is not so. */
  function end(): void {
    if (isEnding) return
    isEnding = true
    const late = setTimeout(() => over.abort(), LAST_ANSWERS_MS)
    void outgoing.settled().then(() => {
      clearTimeout(late)
      // behind what the answer changes on the screen
      setImmediate(() => setImmediate(() => over.abort()))
    })
  }

  function press(keys: readonly Key[]): void {
    for (const key of keys) {
      if (isEnding) return
      const action = composer.press(key)
      isInterrupted ||= action === 'interrupt'
      if (action === 'interrupt' || action === 'end') end()
      if (action === 'suspend') {
        tty.write(screen.leave(tty.size()))
        tty.suspend()
      }
      if (action === 'redraw') {
        tty.write(isPlain ? '\r\n' : CLEAR)
        screen.forget()
      }
    }
    const { text } = composer.editor
    typing.mine(text !== '' && !text.startsWith('/'))
    draw()
  }

  function flush(): void {
    const size = tty.size()
    const rows = lines
      .flatMap((line) => show(line).split('\n'))
      .map((row) => wrap(row, Math.max(8, size.columns - 1), '  '))
    lines = []
    const away = partner.connection() === undefined && partner.name() !== '' ? 'the node is away' : ''
    const writing = typing.theirs() ? `${partner.name()} is typing...` : ''
    const status = [away, writing, partner.status()].filter((part) => part !== '').join('  ')
    const { text, cursor } = composer.editor
    tty.write(screen.render(rows, { status: isPlain ? '' : show(status), prompt: PROMPT, text, cursor }, size))
    partner.read()
  }

  const tty = openTty(io, {
    bracketed: !isDumb,
    onKeys: press,
    onResize: draw,
    onResume() {
      screen.forget()
      draw()
    },
    onEnd: end,
  })
  if (io.ended.aborted) end()
  io.ended.addEventListener('abort', end, { once: true })
  try {
    for await (const happening of follow(invocation, { who, last: HISTORY, signal })) {
      partner.meet(happening)
      draw()
    }
  } finally {
    io.ended.removeEventListener('abort', end)
    tty.write(screen.leave(tty.size()))
    typing[Symbol.dispose]()
    tty[Symbol.dispose]()
  }
  const { text } = composer.editor
  if (text !== '') invocation.note(`Not sent:\n${safeText(text)}`)
  if (io.ended.aborted || isInterrupted) throw interruption(io.ended)
}
