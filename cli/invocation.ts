import type { Io } from './io.ts'
import type { Verbosity } from './log.ts'
import type { PassphraseSource } from './passphrase.ts'
import { asciiJson, asciiText, createPainter, jsonLine, showsUnicode, type Tone } from './terminal.ts'

/** The flags that every command takes. */
export interface GlobalOptions {
  readonly home?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color: boolean
  readonly passphraseFile?: string
  readonly passphraseFd?: number
}

/** One run of the command line: its flags, understood, and how it speaks. */
export interface Invocation {
  readonly io: Io
  readonly home: string
  readonly json: boolean
  readonly verbosity: Verbosity
  readonly passphrase: PassphraseSource
  /** Data, on stdout: one object as JSON, or the same for people. */
  print(value: object, text: string): void
  /** Progress, on stderr; nothing with `-q` or `--json`. */
  note(text: string): void
  paint(tone: Tone, text: string): string
  /** A text as the locale can show it: in ASCII where it says so. Already done by `print` and `note`. */
  show(text: string): string
}

export function createInvocation(io: Io, home: string, options: GlobalOptions): Invocation {
  const json = options.json === true
  const verbosity = options.quiet === true ? 'quiet' : options.verbose === true ? 'verbose' : 'normal'
  const file =
    options.passphraseFile ?? (options.passphraseFd === undefined ? io.env['SOTTO_PASSPHRASE_FILE'] : undefined)
  const unicode = showsUnicode(io.env)
  const show = (text: string): string => (unicode ? text : asciiText(text))
  const line = (value: object): string => jsonLine({ schemaVersion: 1, ...value })
  return {
    io,
    home,
    json,
    verbosity,
    passphrase: {
      ...(file === undefined || file === '' ? {} : { file }),
      ...(options.passphraseFd === undefined ? {} : { fd: options.passphraseFd }),
    },
    print: (value, text) => {
      if (json) io.stdout.write(`${unicode ? line(value) : asciiJson(line(value))}\n`)
      else if (text !== '') io.stdout.write(`${show(text)}\n`)
    },
    note: (text) => {
      if (verbosity !== 'quiet' && !json) io.stderr.write(`${show(text)}\n`)
    },
    show,
    paint: createPainter(io.stdout, io.env, options.color),
  }
}
