import { Command } from 'commander'
import type { Invocation } from './invocation.ts'
import { VERBS } from './verbs.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What a command takes as its first word: somebody, a message, or nothing that is known. */
type Operand = 'who' | 'id' | 'none'

interface Completed {
  /** As it is typed: `mailbox use`. */
  readonly name: string
  readonly summary: string
  readonly flags: readonly string[]
  readonly operand: Operand
  /** The commands that belong to it. */
  readonly parts: readonly Completed[]
}

const GLOBAL_FLAGS =
  '--home --json --quiet --verbose --no-color --passphrase-file --passphrase-fd --help --version'.split(' ')

/** What the first argument of a command may be, by its name. */
const OPERANDS: Readonly<Record<string, Operand>> = { who: 'who', where: 'who', id: 'id' }

/** Every command with its flags, read from the commands themselves. */
async function completed(invocation: () => Invocation): Promise<readonly Completed[]> {
  return Promise.all(
    VERBS.map(async ({ name, summary, load }) => {
      const command = new Command(name)
      const { verb } = await load()
      verb.define(command, invocation)
      return describe(command, name, summary)
    }),
  )
}

function describe(command: Command, name: string, summary: string): Completed {
  return {
    name,
    summary,
    flags: command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []),
    operand: OPERANDS[command.registeredArguments[0]?.name() ?? ''] ?? 'none',
    parts: command.commands.map((part) => describe(part, `${name} ${part.name()}`, part.description())),
  }
}

/** With those that belong to others. */
function allOf(commands: readonly Completed[]): readonly Completed[] {
  return commands.flatMap((each) => [each, ...each.parts])
}

/** A pattern of `case` for these commands. */
function patternOf(commands: readonly Completed[]): string {
  return commands.map(({ name }) => `'${name}'`).join(' | ')
}

function lastWord(name: string): string {
  return name.slice(name.lastIndexOf(' ') + 1)
}

/** The branches of a `case` over the command: what each does. */
function branches(commands: readonly Completed[], action: (command: Completed) => string): string {
  return commands.map((each) => `      ${patternOf([each])}) ${action(each)} ;;`).join('\n')
}

/** What both scripts do with a word that is no flag: it names the command, or is one of its operands. */
function takeWord(commands: readonly Completed[]): string {
  return `case $verb in
        '') verb=$word ;;
        ${patternOf(commands.filter(({ parts }) => parts.length > 0))}) verb+=" $word" ;;
        *) ((operands++)) ;;
      esac`
}

// names of contacts are chosen freely: no shell may ever read one as anything but a word, so no `compgen -W`
const BASH_HEAD = `_sotto_candidates() {
  local home=() at
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ \${COMP_WORDS[at]} == --home ]] && home=(--home "\${COMP_WORDS[at + 1]}")
  done
  "\${COMP_WORDS[0]}" "\${home[@]}" completion --candidates "$1" 2>/dev/null
}
_sotto_offer() {
  local word
  while IFS= read -r word; do
    [[ -n $word && $word == "$cur"* ]] && COMPREPLY+=("$word")
  done
}
_sotto_quote() {
  local at
  for at in "\${!COMPREPLY[@]}"; do printf -v "COMPREPLY[$at]" '%q' "\${COMPREPLY[at]}"; done
}
`

function bash(commands: readonly Completed[]): string {
  const all = allOf(commands)
  const offer = (words: readonly string[]): string =>
    `_sotto_offer < <(printf '%s\\n' ${words.map((word) => `'${word}'`).join(' ')})`
  const having = (operand: Operand): string => patternOf(all.filter((each) => each.operand === operand))
  return `${BASH_HEAD}_sotto() {
  local cur=\${COMP_WORDS[COMP_CWORD]} verb= operands=0 at word
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case $word in
      --home | --passphrase-file | --passphrase-fd) ((at++)) ;;
      -*) ;;
      *) ${takeWord(commands)} ;;
    esac
  done
  if [[ $cur == -* ]]; then
    case $verb in
${branches(all, ({ flags }) => offer([...flags, ...GLOBAL_FLAGS]))}
      *) ${offer(GLOBAL_FLAGS)} ;;
    esac
  elif [[ -z $verb ]]; then
    ${offer(commands.map(({ name }) => name))}
  elif ((operands == 0)); then
    case $verb in
${branches(
  commands.filter(({ parts }) => parts.length > 0),
  ({ parts }) => offer(parts.map(({ name }) => lastWord(name))),
)}
      ${having('who')}) _sotto_offer < <(_sotto_candidates who); _sotto_quote ;;
      ${having('id')}) _sotto_offer < <(_sotto_candidates id) ;;
      completion) ${offer(SHELLS)} ;;
    esac
  fi
}
complete -o default -F _sotto sotto
`
}

function zsh(commands: readonly Completed[]): string {
  const all = allOf(commands)
  const offer = (words: readonly string[]): string => `compadd -- ${words.join(' ')}`
  const having = (operand: Operand): string => patternOf(all.filter((each) => each.operand === operand))
  const described = commands.map(({ name, summary }) => `    '${name}:${summary.replaceAll("'", '')}'`)
  return `#compdef sotto
_sotto_candidates() {
  local home=() at=$words[(i)--home]
  (( at < CURRENT )) && home=(--home "\${words[at + 1]}")
  local found=("\${(@f)$("\${words[1]}" $home completion --candidates $1 2>/dev/null)}")
  compadd -- "\${found[@]}"
}
_sotto() {
  local verb= operands=0 at word
  for ((at = 2; at < CURRENT; at++)); do
    word=$words[at]
    case $word in
      --home | --passphrase-file | --passphrase-fd) ((at++)) ;;
      -*) ;;
      *) ${takeWord(commands)} ;;
    esac
  done
  local -a commands=(
${described.join('\n')}
  )
  if [[ $words[CURRENT] == -* ]]; then
    case $verb in
${branches(all, ({ flags }) => offer([...flags, ...GLOBAL_FLAGS]))}
      *) ${offer(GLOBAL_FLAGS)} ;;
    esac
  elif [[ -z $verb ]]; then
    _describe command commands
  elif ((operands == 0)); then
    case $verb in
${branches(
  commands.filter(({ parts }) => parts.length > 0),
  ({ parts }) => offer(parts.map(({ name }) => lastWord(name))),
)}
      ${having('who')}) _sotto_candidates who ;;
      ${having('id')}) _sotto_candidates id ;;
      completion) ${offer(SHELLS)} ;;
      *) _files ;;
    esac
  else
    _files
  fi
}
compdef _sotto sotto
`
}

function fish(commands: readonly Completed[]): string {
  const plain = (text: string): string => text.replaceAll("'", '')
  const seen = (names: readonly string[]): string => `__fish_seen_subcommand_from ${names.join(' ')}`
  /** All words of its name were typed. */
  const within = ({ name }: Completed): string =>
    name
      .split(' ')
      .map((word) => seen([word]))
      .join('; and ')
  const named = ({ name, summary }: Completed, when: string): string =>
    `complete -c sotto -n '${when}' -f -a ${lastWord(name)} -d '${plain(summary)}'`
  const lines = [
    ...commands.map((each) => named(each, `not ${seen(commands.map(({ name }) => name))}`)),
    ...commands.flatMap((each) => {
      const others = each.parts.map(({ name }) => lastWord(name))
      return each.parts.map((part) => named(part, `${within(each)}; and not ${seen(others)}`))
    }),
    ...allOf(commands).flatMap((each) => [
      ...each.flags.map((flag) => `complete -c sotto -n '${within(each)}' -l ${flag.slice(2)}`),
      ...(each.operand === 'none'
        ? []
        : [`complete -c sotto -n '${within(each)}' -f -a '(__sotto_candidates ${each.operand})'`]),
    ]),
  ]
  return `function __sotto_candidates
  set -l words (commandline -opc)
  set -l home
  if set -l at (contains -i -- --home $words)
    set home --home $words[(math $at + 1)]
  end
  $words[1] $home completion --candidates $argv[1] 2>/dev/null
end
${GLOBAL_FLAGS.map((flag) => `complete -c sotto -l ${flag.slice(2)}`).join('\n')}
${lines.join('\n')}
complete -c sotto -n '__fish_seen_subcommand_from completion' -f -a '${SHELLS.join(' ')}'
`
}

/** The script that a shell reads to complete the words of `sotto`. */
export async function completionScript(shell: Shell, invocation: () => Invocation): Promise<string> {
  const commands = await completed(invocation)
  return { bash, zsh, fish }[shell](commands)
}
