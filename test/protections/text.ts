import { parts } from './table.ts'

/** The section of the threat model that the table is written into. */
const HEADING = '## Protections, and the test that fails without each'

const INTRODUCTION = `
Each row was tried: the protection is taken out of the file, and the named test, which holds with it, fails.
\`npm run protections\` tries them all again in a copy of the tree; what it takes out, and for what, stands in
\`test/protections/\`. A row shows that a protection is there and does something, not that it is enough.
`

/** A text with the table in the place of the one that it has, or at its end. */
export function withTable(text: string): string {
  const start = text.indexOf(HEADING)
  if (start < 0) return `${text.trimEnd()}\n\n${section()}`
  const next = text.indexOf('\n## ', start + HEADING.length)
  return text.slice(0, start) + section() + (next < 0 ? '' : text.slice(next))
}

function section(): string {
  const tables = parts.map(({ title, protections }) => {
    const rows = protections.map(
      ({ protection, threat, file, test }) =>
        `| ${[protection, threat, `\`${file}\``, `\`${test.file}\`: ${test.name}`].map(cell).join(' | ')} |`,
    )
    return [
      `### ${title}`,
      '',
      '| protection | without it | built in | test that fails |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n')
  })
  return `${HEADING}\n${INTRODUCTION}\n${tables.join('\n\n')}\n`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
