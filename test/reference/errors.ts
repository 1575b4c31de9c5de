import { EXPLANATIONS } from '../../cli/explanations.ts'

const HEAD = `# Errors

Every error is a sentence, a hint and a code. A command prints the sentence and the hint on standard error and ends with the
exit code; with \`--json\` it prints \`{"schemaVersion":1,"error":{"code","message","hint"}}\` there. The local API answers with
the sentence as \`error.message\` and the other two in \`error.data\`, and an embedding program catches a \`NodeError\` with \`code\` and \`hint\`. Codes are a promise to
programs; sentences may change. An error may bring a better hint than the one below.

Exit codes: 0 done, 1 failed, 2 not understood, 3 no node runs, 4 not in the state that was waited for in time, 130
interrupted.

| code | means | what to do | exit |
|---|---|---|---|
`

/** The whole of `docs/errors.md`, from the table of the command line. */
export function errorsText(): string {
  const rows = Object.entries(EXPLANATIONS).map(
    ([code, { meaning, hint, exit }]) => `| \`${code}\` | ${cell(meaning)} | ${cell(hint)} | ${exit} |\n`,
  )
  return `${HEAD}${rows.join('')}`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
