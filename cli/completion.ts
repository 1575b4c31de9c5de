import { Command } from 'commander'
import type { Invocation } from './invocation.ts'
import { VERBS } from './verbs.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What a command takes as its first word: somebody, a message, or nothing that is known. */
type Operand = 'who' | 'id' | 'none'

interface Completed {
  readonly name: string
  readonly summary: string
  readonly flags: readonly string[]
  readonly operand: Operand
}

const GLOBAL_FLAGS =
  '--home --json --quiet --verbose --no-color --passphrase-file --passphrase-fd --help --version'.split(' ')

/** Every command with its flags, read from the commands themselves. */
async function completed(invocation: () => Invocation): Promise<readonly Completed[]> {
  return Promise.all(
    VERBS.map(async ({ name, summary, load }) => {
      const command = new Command(name)
      const { verb } = await load()
      verb.define(command, invocation)
      const first = command.registeredArguments[0]?.name()
      const flags = command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? [])
      return { name, summary, flags, operand: first === 'who' || first === 'id' ? first : 'none' }
    }),
  )
}

function namesWith(commands: readonly Completed[], operand: Operand): string {
  return commands
    .filter((each) => each.operand === operand)
    .map(({ name }) => name)
    .join('|')
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
_sotto() {
  local cur=\${COMP_WORDS[COMP_CWORD]} verb= operands=0 at word
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case $word in
      --home | --passphrase-file | --passphrase-fd) ((at++)) ;;
      -*) ;;
      *) if [[ -z $verb ]]; then verb=$word; else ((operands++)); fi ;;
    esac
  done
`

function bash(commands: readonly Completed[]): string {
  const lines = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ')
  const flags = commands.map(
    ({ name, flags }) => `      ${name}) printf '%s\\n' ${lines([...flags, ...GLOBAL_FLAGS])} ;;`,
  )
  return `${BASH_HEAD}  if [[ $cur == -* ]]; then
    _sotto_offer < <(case $verb in
${flags.join('\n')}
      *) printf '%s\\n' ${lines(GLOBAL_FLAGS)} ;;
    esac)
  elif [[ -z $verb ]]; then
    _sotto_offer < <(printf '%s\\n' ${lines(commands.map(({ name }) => name))})
  elif ((operands == 0)); then
    case $verb in
      ${namesWith(commands, 'who')}) _sotto_offer < <(_sotto_candidates who); _sotto_quote ;;
      ${namesWith(commands, 'id')}) _sotto_offer < <(_sotto_candidates id) ;;
      completion) _sotto_offer < <(printf '%s\\n' ${lines(SHELLS)}) ;;
    esac
  fi
}
complete -o default -F _sotto sotto
`
}

function zsh(commands: readonly Completed[]): string {
  const described = commands.map(({ name, summary }) => `    '${name}:${summary.replaceAll("'", '')}'`)
  const flags = commands.map(({ name, flags }) => `    ${name}) compadd -- ${[...flags, ...GLOBAL_FLAGS].join(' ')} ;;`)
  return `#compdef sotto
_sotto_candidates() {
  local home=() at=$words[(i)--home]
  (( at < CURRENT )) && home=(--home "\${words[at + 1]}")
  local found=("\${(@f)$("\${words[1]}" $home completion --candidates $1 2>/dev/null)}")
  compadd -- "\${found[@]}"
}
_sotto() {
  local verb= operands=0 at
  for ((at = 2; at < CURRENT; at++)); do
    case $words[at] in
      --home | --passphrase-file | --passphrase-fd) ((at++)) ;;
      -*) ;;
      *) if [[ -z $verb ]]; then verb=$words[at]; else ((operands++)); fi ;;
    esac
  done
  local -a commands=(
${described.join('\n')}
  )
  if [[ $words[CURRENT] == -* ]]; then
    case $verb in
${flags.join('\n')}
    *) compadd -- ${GLOBAL_FLAGS.join(' ')} ;;
    esac
  elif [[ -z $verb ]]; then
    _describe command commands
  elif ((operands == 0)); then
    case $verb in
      ${namesWith(commands, 'who')}) _sotto_candidates who ;;
      ${namesWith(commands, 'id')}) _sotto_candidates id ;;
      completion) compadd -- ${SHELLS.join(' ')} ;;
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
  const all = commands.map(({ name }) => name).join(' ')
  const lines = commands.flatMap(({ name, summary, flags, operand }) => [
    `complete -c sotto -n 'not __fish_seen_subcommand_from ${all}' -f -a ${name} -d '${summary.replaceAll("'", '')}'`,
    ...flags.map((flag) => `complete -c sotto -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`),
    ...(operand === 'none'
      ? []
      : [`complete -c sotto -n '__fish_seen_subcommand_from ${name}' -f -a '(__sotto_candidates ${operand})'`]),
  ])
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
