import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Anything that takes longer hangs; less than what a test may take, so that it can say so. */
const PATIENCE_MS = 20_000
const LOOK_MS = 20

/** Why no terminal can be had here, or undefined. */
export const noTmux: string | undefined =
  spawnSync('tmux', ['-V']).status === 0 ? undefined : 'tmux is not installed, so there is no terminal to test on'

/** A real terminal of tmux with a shell in it. */
export interface Terminal extends AsyncDisposable {
  /** What is on the screen, without the spaces at the ends of its lines. */
  screen(): Promise<string>
  /** The screen and what was scrolled out of it, with rows that the terminal broke joined again. */
  everything(): Promise<string>
  /** Every byte that was written to the terminal. */
  bytes(): Promise<string>
  type(text: string): Promise<void>
  /** Presses keys by the names of tmux: `Enter`, `C-c`. */
  press(...keys: readonly string[]): Promise<void>
  /** Pastes as a person does: marked as a paste when the program asked for that. */
  paste(text: string): Promise<void>
  resize(columns: number, rows: number): Promise<void>
  /** Where the cursor is, counted from 0. */
  cursor(): Promise<{ column: number; row: number }>
  /** Waits until the screen shows it. Rejects with the screen when it does not in time. */
  shows(expected: string | RegExp): Promise<string>
  /** Waits until the screen shows it no longer. */
  hides(unexpected: string | RegExp): Promise<string>
}

export interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  /** What the environment of the shell has besides `PATH` and `HOME`; `TERM` is that of the terminal if not given. */
  readonly env?: Readonly<Record<string, string>>
}

export async function openTerminal({ columns = 80, rows = 24, env = {} }: TerminalOptions = {}): Promise<Terminal> {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-tmux-'))
  const log = join(directory, 'bytes')
  const own = { PATH: process.env['PATH'] ?? '', HOME: directory, LC_ALL: 'C.UTF-8' }
  const tmux = async (...words: readonly string[]): Promise<string> => {
    const { stdout } = await run('tmux', ['-u', '-S', join(directory, 'socket'), '-f', '/dev/null', ...words], {
      env: own,
    })
    return stdout
  }
  const assignments = Object.entries({ LANG: 'C.UTF-8', ...env, PS1: 'shell> ' }).map(
    ([name, value]) => `${name}=${value}`,
  )
  const shell = ['env', '-u', 'LC_ALL', '-u', 'TMUX', ...assignments, 'bash', '--norc', '--noprofile', '-i']
  await tmux('new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, ...shell)
  await tmux('pipe-pane', '-o', `cat >> '${log}'`)
  await writeFile(log, '', { flag: 'a' })

  const screen = async (): Promise<string> => (await tmux('capture-pane', '-p')).replace(/[ \t]+$/gm, '').trimEnd()

  async function until(holds: (screen: string) => boolean, what: string): Promise<string> {
    const late = performance.now() + PATIENCE_MS
    for (;;) {
      const seen = await screen()
      if (holds(seen)) return seen
      if (performance.now() > late) throw new Error(`${what}; the screen shows:\n${seen}`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  const has = (seen: string, what: string | RegExp): boolean =>
    typeof what === 'string' ? seen.includes(what) : what.test(seen)

  const terminal: Terminal = {
    screen,
    everything: async () => (await tmux('capture-pane', '-p', '-J', '-S', '-')).replace(/[ \t]+$/gm, ''),
    bytes: () => readFile(log, 'utf8'),
    type: async (text) => void (await tmux('send-keys', '-l', '--', text)),
    press: async (...keys) => void (await tmux('send-keys', ...keys)),
    async paste(text) {
      const file = join(directory, 'paste')
      await writeFile(file, text)
      await tmux('load-buffer', file)
      await tmux('paste-buffer', '-p', '-r')
    },
    async resize(width, height) {
      await tmux('resize-window', '-x', `${width}`, '-y', `${height}`)
      const device = (await tmux('display-message', '-p', '#{pane_tty}')).trim()
      // tmux tells the program a while later, and takes what it writes until then for the new size
      const late = performance.now() + PATIENCE_MS
      while ((await run('stty', ['-F', device, 'size'])).stdout.trim() !== `${height} ${width}`) {
        if (performance.now() > late) throw new Error('the size of the terminal did not change')
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      }
    },
    async cursor() {
      const [column = 0, row = 0] = (await tmux('display-message', '-p', '#{cursor_x} #{cursor_y}'))
        .split(' ')
        .map(Number)
      return { column, row }
    },
    shows: (expected) => until((seen) => has(seen, expected), `waited in vain for ${String(expected)}`),
    hides: (unexpected) => until((seen) => !has(seen, unexpected), `${String(unexpected)} stayed`),
    async [Symbol.asyncDispose]() {
      await tmux('kill-server').catch(() => {})
      await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  try {
    await terminal.shows('shell>')
  } catch (error) {
    await terminal[Symbol.asyncDispose]()
    throw error
  }
  return terminal
}
