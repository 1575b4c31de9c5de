import { type Argument, Command } from 'commander'
import type { Invocation } from './invocation.ts'
import { VERBS } from './verbs.ts'

/** What `completion --candidates` tells. */
export const CANDIDATES = ['who', 'person', 'group', 'id'] as const
export type Candidates = (typeof CANDIDATES)[number]

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What a word of a command is: a person or a group, a person, a group, a message, or nothing that is known. */
type Operand = Candidates | 'none'

interface Completed {
  /** As it is typed: `mailbox use`. */
  readonly name: string
  readonly summary: string
  readonly flags: readonly string[]
  /** Those of the flags behind which a value stands. */
  readonly valued: readonly string[]
  /** Its first word. */
  readonly operand: Operand
  /** Its second, and those behind it where there may be more. */
  readonly second: Operand
  readonly isVariadic: boolean
  /** The commands that belong to it. */
  readonly parts: readonly Completed[]
}

const GLOBAL_VALUED = ['--home', '--passphrase-file', '--passphrase-fd']
const GLOBAL_FLAGS =
  '--home --json --quiet --verbose --no-color --passphrase-file --passphrase-fd --help --version'.split(' ')

/** What an argument of a command may be, by its name. */
const OPERANDS: Readonly<Record<string, Operand>> = { who: 'who', where: 'person', group: 'group', id: 'id' }

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
  const options = command.options.filter(({ hidden }) => !hidden)
  return {
    name,
    summary,
    flags: options.flatMap(({ long }) => long ?? []),
    valued: options.filter(({ required, variadic }) => required && !variadic).flatMap(({ long }) => long ?? []),
    operand: operandOf(command.registeredArguments[0], 'who'),
    second: operandOf(command.registeredArguments[1], 'person'),
    isVariadic: command.registeredArguments.at(-1)?.variadic === true,
    parts: command.commands.map((part) => describe(part, `${name} ${part.name()}`, part.description())),
  }
}

/** Behind the group or the name of one stand people. */
function operandOf(argument: Argument | undefined, who: 'who' | 'person'): Operand {
  const operand = OPERANDS[argument?.name() ?? ''] ?? 'none'
  return operand === 'who' ? who : operand
}

/** The commands whose first or a later word is of a kind. */
function taking(
  commands: readonly Completed[],
  kind: Operand,
  place: 'first' | 'second' | 'later',
): readonly Completed[] {
  return commands.filter(({ operand, second, isVariadic }) =>
    place === 'first' ? operand === kind : second === kind && (place === 'second' || isVariadic),
  )
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

/** Every flag behind which the next word is its value, in whatever command. (`--mailbox` is no such flag of `bootstrap`, behind which no word stands.) */
function valuedFlags(commands: readonly Completed[]): string {
  return [...new Set([...GLOBAL_VALUED, ...allOf(commands).flatMap(({ valued }) => valued)])].sort().join(' | ')
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
  local home=() at word program=("\${COMP_WORDS[0]}")
  # an alias is the user's own text, and what a shell would run for this word
  [[ -n \${BASH_ALIASES[\${program[0]}]-} ]] && eval "program=(\${BASH_ALIASES[\${program[0]}]})"
  program[0]=\${program[0]/#~\\//$HOME/}
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [[ $word == --home ]]; then
      word=\${COMP_WORDS[at + 1]}
      # bash takes --home=x apart
      [[ $word == '=' ]] && word=\${COMP_WORDS[at + 2]}
      home=(--home "\${word/#~\\//$HOME/}")
    fi
  done
  "\${program[@]}" "\${home[@]}" completion --candidates "$1" 2>/dev/null
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
  const people = (place: 'second' | 'later'): string => patternOf(taking(all, 'person', place))
  const named = CANDIDATES.filter((kind) => taking(all, kind, 'first').length > 0).map((kind) => {
    const quote = kind === 'id' ? '' : '; _sotto_quote'
    return `      ${patternOf(taking(all, kind, 'first'))}) _sotto_offer < <(_sotto_candidates ${kind})${quote} ;;`
  })
  const person = '_sotto_offer < <(_sotto_candidates person); _sotto_quote'
  return `${BASH_HEAD}_sotto() {
  local cur=\${COMP_WORDS[COMP_CWORD]} verb= operands=0 at word
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case $word in
      ${valuedFlags(commands)})
        [[ \${COMP_WORDS[at + 1]} == '=' ]] && ((at++))
        ((at++)) ;;
      -*) ;;
      *) ${takeWord(commands)} ;;
    esac
  done
  # the value of a flag
  ((at > COMP_CWORD)) && return
  # as it was typed, with what keeps the shell from reading it
  cur=\${cur//\\\\/}
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
${named.join('\n')}
      completion) ${offer(SHELLS)} ;;
    esac
  elif ((operands == 1)); then
    case $verb in ${people('second')}) ${person} ;; esac
  else
    case $verb in ${people('later')}) ${person} ;; esac
  fi
}
complete -o default -F _sotto sotto
`
}

function zsh(commands: readonly Completed[]): string {
  const all = allOf(commands)
  const offer = (words: readonly string[]): string => `compadd -- ${words.join(' ')}`
  const people = (place: 'second' | 'later'): string => patternOf(taking(all, 'person', place))
  const named = CANDIDATES.filter((kind) => taking(all, kind, 'first').length > 0).map(
    (kind) => `      ${patternOf(taking(all, kind, 'first'))}) _sotto_candidates ${kind} ;;`,
  )
  const described = commands.map(({ name, summary }) => `    '${name}:${summary.replaceAll("'", '')}'`)
  return `#compdef sotto
_sotto_candidates() {
  local program=\${(Q)words[1]} word
  local -a home found
  for ((at = 2; at < CURRENT; at++)); do
    word=\${(Q)words[at]}
    case $word in
      --home) home=(--home "\${\${(Q)words[at + 1]}/#\\~\\//$HOME/}") ;;
      --home=*) home=("\${word/#--home=\\~\\//--home=$HOME/}") ;;
    esac
  done
  found=(\${(f)"$("\${program/#\\~\\//$HOME/}" $home completion --candidates $1 2>/dev/null)"})
  (( $#found )) && compadd -- "\${found[@]}"
}
_sotto() {
  local verb= operands=0 at word
  for ((at = 2; at < CURRENT; at++)); do
    word=$words[at]
    case $word in
      ${valuedFlags(commands)}) ((at++)) ;;
      -*) ;;
      *) ${takeWord(commands)} ;;
    esac
  done
  # the value of a flag
  if ((at > CURRENT)); then
    _files
    return
  fi
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
${named.join('\n')}
      completion) ${offer(SHELLS)} ;;
      *) _files ;;
    esac
  elif ((operands == 1)); then
    case $verb in
      ${people('second')}) _sotto_candidates person ;;
      *) _files ;;
    esac
  else
    case $verb in
      ${people('later')}) _sotto_candidates person ;;
      *) _files ;;
    esac
  fi
}
# a file of fpath is read when something is to be completed for the first time; sourced, it only makes itself known
if [[ \${funcstack[1]} == _sotto ]]; then _sotto "$@"; else compdef _sotto sotto; fi
`
}

function fish(commands: readonly Completed[]): string {
  const all = allOf(commands)
  const plain = (text: string): string => text.replaceAll("'", '').replaceAll('\\', '')
  const lines = (words: readonly string[]): string => `printf '%s\\n' ${words.map((word) => `'${word}'`).join(' ')}`
  const described = (each: readonly Completed[]): string =>
    lines(each.map(({ name, summary }) => `${lastWord(name)}\t${plain(summary)}`))
  const cases = (each: readonly Completed[], action: (command: Completed) => string): string =>
    each.map((command) => `      case '${command.name}'\n        ${action(command)}`).join('\n')
  const words = (each: readonly Completed[]): string => each.map(({ name }) => `'${name}'`).join(' ')
  const named = CANDIDATES.filter((kind) => taking(all, kind, 'first').length > 0).map(
    (kind) => `      case ${words(taking(all, kind, 'first'))}\n        __sotto_candidates $words[1] ${kind} $home`,
  )
  const people = (place: 'second' | 'later'): string => `    switch $verb
      case ${words(taking(all, 'person', place))}
        __sotto_candidates $words[1] person $home
      case '*'
        __fish_complete_path $current
    end`
  const several = commands.filter(({ parts }) => parts.length > 0)
  return `function __sotto_candidates
  set -l program (string replace -r '^~/' "$HOME/" -- $argv[1])
  set -l home (string replace -r '^~/' "$HOME/" -- $argv[3..])
  $program $home completion --candidates $argv[2] 2>/dev/null
end
function __sotto_offer
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l verb ''
  set -l home
  set -l operands 0
  set -l at 2
  while test $at -le (count $words)
    set -l word $words[$at]
    switch $word
      case ${valuedFlags(commands).replaceAll(' | ', ' ')}
        set at (math $at + 1)
        # the value of a flag
        if test $at -gt (count $words)
          __fish_complete_path $current
          return
        end
        test $word = --home; and set home --home $words[$at]
      case '--home=*'
        set home --home (string sub -s 8 -- $word)
      case '-*'
      case '*'
        switch $verb
          case ''
            set verb $word
          case ${several.map(({ name }) => `'${name}'`).join(' ')}
            set verb "$verb $word"
          case '*'
            set operands (math $operands + 1)
        end
    end
    set at (math $at + 1)
  end
  if string match -q -- '-*' $current
    ${lines(GLOBAL_FLAGS)}
    switch $verb
${cases(
  all.filter(({ flags }) => flags.length > 0),
  ({ flags }) => lines(flags),
)}
    end
  else if test -z $verb
    ${described(commands)}
  else if test $operands -eq 0
    switch $verb
${cases(several, ({ parts }) => described(parts))}
${named.join('\n')}
      case completion
        ${lines(SHELLS)}
      case '*'
        __fish_complete_path $current
    end
  else if test $operands -eq 1
${people('second')}
  else
${people('later')}
  end
end
complete -c sotto -f -a '(__sotto_offer)'
`
}

/** The script that a shell reads to complete the words of `sotto`. */
export async function completionScript(shell: Shell, invocation: () => Invocation): Promise<string> {
  const commands = await completed(invocation)
  return { bash, zsh, fish }[shell](commands)
}
