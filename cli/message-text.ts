import { CliError, interruption } from './errors.ts'
import type { Io } from './io.ts'

/** More than any message; what the protocol takes is the node's to say. */
const MAX_INPUT_BYTES = 64 * 1024

async function readText(stdin: Io['stdin'], ended: AbortSignal): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  const interrupt = (): void => void stdin.destroy(interruption(ended))
  ended.addEventListener('abort', interrupt, { once: true })
  try {
    for await (const part of stdin as AsyncIterable<Buffer>) {
      length += part.length
      if (length > MAX_INPUT_BYTES) throw new CliError('usage', `A message has at most ${MAX_INPUT_BYTES} bytes.`)
      parts.push(part)
    }
  } finally {
    ended.removeEventListener('abort', interrupt)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts)).replace(/\r?\n$/, '')
  } catch {
    throw new CliError('usage', 'What came on standard input is no text in UTF-8.')
  }
}

/** The text of a message: as it was given, or from standard input for `-` or nothing. Throws `usage` when there is none. */
export async function findText(text: string | undefined, { stdin, ended }: Io): Promise<string> {
  if (text === undefined && stdin.isTTY === true) {
    throw new CliError('usage', 'There is no text to send.', { hint: 'Give it behind the name, or - to type it here.' })
  }
  const found = text === undefined || text === '-' ? await readText(stdin, ended) : text
  if (found === '') throw new CliError('usage', 'There is no text to send.')
  return found
}
