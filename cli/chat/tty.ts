import type { Io } from '../io.ts'
import { createKeyDecoder, type Key } from './keys.ts'
import type { Size } from './screen.ts'

/** A terminal that is read key by key. */
export interface Tty extends Disposable {
  size(): Size
  write(text: string): void
  /** Gives the terminal back to the shell and stops this process, until it is continued. */
  suspend(): void
  /** Gives the terminal back as it was. */
  [Symbol.dispose](): void
}

export interface TtyOptions {
  /** Whether the terminal may be asked to mark pastes; never where it knows no sequences. */
  readonly bracketed: boolean
  readonly onKeys: (keys: readonly Key[]) => void
  /** The size is another. */
  readonly onResize: () => void
  /** The process goes on after it was stopped; the screen shows what others wrote. */
  readonly onResume: () => void
  /** Nobody types here any more. */
  readonly onEnd: () => void
}

/** A lone Escape is one when nothing follows; a sequence comes in one piece, or over a slow line in a few. */
const ESCAPE_MS = 100
const MARK_PASTES = '\x1b[?2004h'
const PLAIN_PASTES = '\x1b[?2004l'

/** Takes the terminal of this process into raw mode until it is disposed, also when the process is stopped meanwhile. */
export function openTty({ stdin, stdout }: Io, options: TtyOptions): Tty {
  const decoder = createKeyDecoder(options)
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOpen = true

  function take(): void {
    // twice, because the shell may have changed the mode behind the back of this process
    stdin.setRawMode?.(false)
    stdin.setRawMode?.(true)
    if (options.bracketed) stdout.write(MARK_PASTES)
  }

  function give(): void {
    if (options.bracketed) stdout.write(PLAIN_PASTES)
    stdin.setRawMode?.(false)
  }

  const onData = (chunk: Buffer | string): void => {
    clearTimeout(timer)
    options.onKeys(decoder.push(Buffer.from(chunk)))
    if (decoder.waiting) timer = setTimeout(() => decoder.flush(), ESCAPE_MS)
  }
  const onContinue = (): void => {
    if (!isOpen) return
    take()
    options.onResume()
  }

  stdin.on('data', onData)
  stdin.once('end', options.onEnd)
  stdin.once('error', options.onEnd)
  stdout.on('resize', options.onResize)
  process.on('SIGCONT', onContinue)
  take()
  stdin.resume()

  return {
    size() {
      // a terminal may be another size already while its signal is on its way, and what is erased must fit
      stdout._refreshSize?.()
      return { columns: stdout.columns || 80, rows: stdout.rows || 24 }
    },
    write: (text) => {
      if (isOpen && text !== '') stdout.write(text)
    },
    suspend() {
      give()
      process.kill(process.pid, 'SIGTSTP')
      // where there is no shell that could continue it, the system does not stop it
      setTimeout(onContinue, ESCAPE_MS)
    },
    [Symbol.dispose]() {
      if (!isOpen) return
      isOpen = false
      clearTimeout(timer)
      process.off('SIGCONT', onContinue)
      stdout.off('resize', options.onResize)
      stdin.off('data', onData)
      stdin.off('end', options.onEnd)
      stdin.off('error', options.onEnd)
      stdin.pause()
      give()
    },
  }
}
