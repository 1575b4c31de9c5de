import { createReadStream } from 'node:fs'
import { CliError } from './errors.ts'
import type { Io } from './io.ts'

/** Where the passphrase comes from, as the flags and the environment say. Never from an argument: those are public. */
export interface PassphraseSource {
  readonly file?: string
  readonly fd?: number
}

const MAX_PASSPHRASE_BYTES = 4096
const NEWLINE = 0x0a
const RETURN = 0x0d

/** The first line: who writes to a pipe and keeps it open must not hold the command up. */
async function readLine(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of source) {
    const newline = part.indexOf(NEWLINE)
    const taken = newline === -1 ? part : part.subarray(0, newline)
    length += taken.length
    if (length > MAX_PASSPHRASE_BYTES) {
      throw new CliError('usage', `A passphrase has at most ${MAX_PASSPHRASE_BYTES} bytes.`)
    }
    parts.push(taken)
    if (newline !== -1) break
  }
  const line = Buffer.concat(parts)
  for (const part of parts) part.fill(0)
  return line
}

/** The passphrase that a file or descriptor holds: its first line. */
async function readSource({ file, fd }: PassphraseSource): Promise<Uint8Array> {
  const name = file === undefined ? `file descriptor ${fd}` : `the file ${file}`
  let line: Uint8Array
  try {
    line = await readLine(createReadStream(file ?? '', fd === undefined ? {} : { fd }))
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('usage', `The passphrase cannot be read from ${name}.`, { cause: error })
  }
  const end = line.at(-1) === RETURN ? line.length - 1 : line.length
  if (end === 0) throw new CliError('usage', `There is no passphrase in ${name}.`)
  return line.subarray(0, end)
}

/** Whether somebody is there to be asked. */
export function canPrompt(io: Io): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true && io.stdin.setRawMode !== undefined
}

/** Asks on the terminal, without echo. */
async function prompt(io: Io, question: string): Promise<Uint8Array> {
  const typed: number[] = []
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const onData = (chunk: Buffer | string): void => {
    const bytes = Buffer.from(chunk)
    for (const [at, byte] of bytes.entries()) {
      if (byte === RETURN || byte === NEWLINE) {
        io.stdin.off('data', onData)
        io.stdin.pause()
        // what was pasted behind the line answers the next question
        if (at + 1 < bytes.length) io.stdin.unshift(bytes.subarray(at + 1))
        return resolve(Uint8Array.from(typed))
      }
      if (byte === 0x03 || byte === 0x04) return reject(new CliError('interrupted', 'Interrupted.'))
      if (byte === 0x15) typed.length = 0
      else if (byte === 0x7f || byte === 0x08) {
        // a whole UTF-8 character at once
        while (((typed.pop() ?? 0) & 0xc0) === 0x80);
      } else if (byte >= 0x20 && typed.length < MAX_PASSPHRASE_BYTES) typed.push(byte)
    }
  }
  const onEnd = (): void => reject(new CliError('interrupted', 'Interrupted.'))
  io.stderr.write(question)
  io.stdin.setRawMode?.(true)
  io.stdin.on('data', onData)
  io.stdin.once('end', onEnd)
  io.ended.addEventListener('abort', onEnd, { once: true })
  io.stdin.resume()
  try {
    return await promise
  } finally {
    typed.fill(0)
    io.ended.removeEventListener('abort', onEnd)
    io.stdin.off('data', onData)
    io.stdin.off('end', onEnd)
    io.stdin.pause()
    io.stdin.setRawMode?.(false)
    io.stderr.write('\n')
  }
}

function isGiven(source: PassphraseSource): boolean {
  return source.file !== undefined || source.fd !== undefined
}

/** How somebody is asked for a passphrase that there is, and what is said when nobody can be. */
export interface PassphraseTexts {
  readonly question: string
  readonly missing: string
  readonly hint?: string
}

const OF_THE_HOME: PassphraseTexts = {
  question: 'Passphrase: ',
  missing: 'This home is protected by a passphrase.',
}

/** The passphrase of a home that has one. Throws `passphrase-needed` when nobody can be asked. */
export async function readPassphrase(
  io: Io,
  source: PassphraseSource,
  { question, missing, hint }: PassphraseTexts = OF_THE_HOME,
): Promise<Uint8Array> {
  if (isGiven(source)) return readSource(source)
  if (canPrompt(io)) return prompt(io, question)
  throw new CliError('passphrase-needed', missing, { hint })
}

/** What is said when there is no new passphrase: nobody can be asked, or it was empty. */
export interface NewPassphraseTexts {
  readonly missing: string
  readonly hint: string
  readonly none: string
  readonly question?: string
}

const NEW_ACCOUNT: NewPassphraseTexts = {
  missing: 'A new account needs a passphrase.',
  hint: 'Give one with --passphrase-file FILE or --passphrase-fd N, or choose --no-passphrase.',
  none: 'For none, use --no-passphrase.',
}

/** A new passphrase: from the source, or typed twice. */
export async function readNewPassphrase(
  io: Io,
  source: PassphraseSource,
  texts: NewPassphraseTexts = NEW_ACCOUNT,
): Promise<Uint8Array> {
  if (isGiven(source)) return readSource(source)
  if (!canPrompt(io)) throw new CliError('passphrase-needed', texts.missing, { hint: texts.hint })
  const first = await prompt(io, texts.question ?? 'New passphrase: ')
  if (first.length === 0) throw new CliError('usage', 'A passphrase cannot be empty.', { hint: texts.none })
  const second = await prompt(io, 'The same again: ')
  if (!Buffer.from(first).equals(second)) throw new CliError('usage', 'The two passphrases differ.')
  second.fill(0)
  return first
}
