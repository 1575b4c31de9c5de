import { pino } from 'pino'
import type { Logger } from '../node/api.ts'

export type Verbosity = 'quiet' | 'normal' | 'verbose'

/**
 * What no line carries, whoever logs it and however it came into its fields: what people write, who they are and where,
 * and what is secret.
 */
const HIDDEN: readonly string[] = [
  ...['text', 'hello', 'body', 'payload', 'message', 'note'],
  ...['name', 'petname', 'claimedName', 'account', 'contact', 'conversation', 'from', 'to', 'who', 'did'],
  ...['peer', 'peerId', 'address', 'addresses', 'remoteAddr', 'host', 'link', 'invite'],
  ...['key', 'privateKey', 'publicKey', 'secret', 'seed', 'passphrase', 'recoveryWords', 'token'],
]

const LEVELS: Readonly<Record<Verbosity, string>> = { quiet: 'warn', normal: 'info', verbose: 'debug' }

/**
 * Lines of JSON: `time` in ms since the epoch, `level`, `said`, and the fields. `write` gets each when it is logged, with
 * nothing kept back for later, so that none is missing after a crash.
 */
export function createLogger(write: (line: string) => void, verbosity: Verbosity): Logger {
  return pino(
    {
      base: null,
      level: LEVELS[verbosity],
      messageKey: 'said',
      formatters: { level: (level) => ({ level }) },
      redact: { paths: HIDDEN.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
    },
    {
      write(line) {
        try {
          write(line)
        } catch {
          // a closed terminal must not end a node that only wanted to tell something
        }
      },
    },
  )
}
