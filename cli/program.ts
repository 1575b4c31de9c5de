import { Command, CommanderError } from 'commander'
import { CliError, EXIT, exitCodeOf, type Failure, failureOf } from './errors.ts'
import { resolveHome } from './home.ts'
import { createInvocation, type GlobalOptions, type Invocation } from './invocation.ts'
import type { Io } from './io.ts'
import { nearest } from './nearest.ts'
import { fileDescriptor } from './options.ts'
import { asciiJson, asciiText, createPainter, jsonLine, safeText, showsUnicode } from './terminal.ts'
import { isLaterFlag, isLaterVerb, VERBS } from './verbs.ts'
import { readVersion } from './version.ts'

const EXAMPLES: readonly string[] = ['sotto init --name Ada', 'sotto up --detach', 'sotto send bob "Hello, Bob"']

function examplesText(examples: readonly string[]): string {
  return `Examples:\n${examples.map((example) => `  ${example}`).join('\n')}\n`
}

function createProgram(io: Io): Command {
  return new Command('sotto')
    .description('Decentralised, end-to-end encrypted chat.')
    .option('--home <dir>', 'the home: one account on this device')
    .option('--json', 'print JSON for programs')
    .option('-q, --quiet', 'say less')
    .option('-v, --verbose', 'say more')
    .option('--no-color', 'no colours')
    .option('--passphrase-file <file>', 'read the passphrase from a file')
    .option('--passphrase-fd <n>', 'read it from a file descriptor', fileDescriptor)
    .version(readVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getOutHasColors: () => false,
    })
    .exitOverride()
}

/** Which command a line names; undefined when it names none. */
function findVerb(program: Command, argv: readonly string[]): string | undefined {
  const { operands } = program.parseOptions([...argv])
  return operands[0] === 'help' ? operands[1] : operands[0]
}

async function addVerbs(program: Command, named: string | undefined, invocation: () => Invocation): Promise<void> {
  for (const { name, summary, load } of VERBS) {
    const command = program
      .command(name)
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    if (name !== named) continue
    const { verb } = await load()
    command.addHelpText('before', examplesText(verb.examples)).configureHelp({ showGlobalOptions: true })
    verb.define(command, invocation)
  }
}

function helpOf(verb: string | undefined): string {
  return `See: sotto ${verb === undefined ? '' : `${verb} `}--help`
}

/** A command that belongs to another was mistyped. */
function unknownPart(message: string, suggestion: string, verb: string): CliError {
  const [, typed = ''] = /'(.*)'/s.exec(message) ?? []
  const [, meant] = /^\(Did you mean ([a-z]+)\?\)$/.exec(suggestion) ?? []
  return new CliError('usage', `There is no command "${verb} ${typed.slice(0, 40)}".`, {
    hint: meant === undefined ? helpOf(verb) : `Did you mean: sotto ${verb} ${meant}`,
  })
}

function usageError(error: CommanderError, verb: string | undefined): CliError {
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  const [, flag] = /'(--[^']*)'/.exec(message) ?? []
  if (error.code === 'commander.unknownOption' && verb !== undefined && flag !== undefined && isLaterFlag(verb, flag)) {
    return new CliError('usage', `"${flag}" comes in a later version of Sotto.`)
  }
  const sentence = `${message.slice(0, 1).toUpperCase()}${message.slice(1)}`
  const suggestion = rest.join(' ').trim()
  if (error.code === 'commander.unknownCommand' && verb !== undefined) return unknownPart(message, suggestion, verb)
  return new CliError('usage', /[.!?]$/.test(sentence) ? sentence : `${sentence}.`, {
    hint: suggestion === '' ? helpOf(verb) : suggestion,
  })
}

function checkVerb(named: string | undefined): void {
  if (named === undefined || VERBS.some(({ name }) => name === named)) return
  if (isLaterVerb(named)) throw new CliError('usage', `"sotto ${named}" comes in a later version of Sotto.`)
  const names = VERBS.map(({ name }) => name)
  const meant = nearest(named, names)
  throw new CliError('usage', `There is no command "${named}".`, {
    hint: meant === undefined ? 'See: sotto --help' : `Did you mean: sotto ${meant}`,
  })
}

function report(io: Io, failure: Failure, argv: readonly string[]): void {
  const flags = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  const unicode = showsUnicode(io.env)
  if (flags.includes('--json')) {
    const line = jsonLine({ schemaVersion: 1, error: failure })
    io.stderr.write(`${unicode ? line : asciiJson(line)}\n`)
    return
  }
  const paint = createPainter(io.stderr, io.env, !flags.includes('--no-color'))
  const lines = [`${paint('red', 'sotto:')} ${safeText(failure.message)}`]
  for (const candidate of failure.candidates ?? []) lines.push(`  ${safeText(candidate)}`)
  if (failure.hint !== undefined) lines.push(safeText(failure.hint))
  const text = `${lines.join('\n')}\n`
  io.stderr.write(unicode ? text : asciiText(text))
}

/** Runs one command line (without the name of the program) to its end and gives the exit code. Never rejects. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let verb: string | undefined
  try {
    const program = createProgram(io)
    const invocation = (): Invocation => {
      const options = program.opts<GlobalOptions>()
      return createInvocation(io, resolveHome(options.home, io.env), options)
    }
    try {
      verb = findVerb(program, argv)
      checkVerb(verb)
      await addVerbs(program, verb, invocation)
      program.addHelpText('before', examplesText(EXAMPLES))
      await program.parseAsync(argv, { from: 'user' })
      return EXIT.ok
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error
      if (error.exitCode === 0) return EXIT.ok
      if (error.code === 'commander.help') throw new CliError('usage', 'No command was given.', { hint: helpOf(verb) })
      throw usageError(error, verb)
    }
  } catch (error) {
    const failure = failureOf(error)
    report(io, failure, argv)
    if (argv.includes('-v') || argv.includes('--verbose')) {
      io.stderr.write(`${error instanceof Error ? safeText(error.stack ?? '') : ''}\n`)
    }
    return exitCodeOf(failure)
  }
}
