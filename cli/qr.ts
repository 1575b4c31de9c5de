import { encode } from 'uqr'

/** Light modules around the code; readers want four, and cope with two on a screen that is dark around it. */
const BORDER = 2

/**
 * A text as a QR code of half blocks, light modules drawn, for a dark terminal; undefined when it takes more room than
 * there is.
 */
export function renderQr(text: string, room: { columns: number; rows: number }): string | undefined {
  const { data, size } = encode(text, { ecc: 'L', border: BORDER })
  if (size > room.columns || Math.ceil(size / 2) > room.rows) return undefined
  const isLight = (row: number, column: number): boolean => data[row]?.[column] === false
  const lines = []
  for (let row = 0; row < size; row += 2) {
    let line = ''
    for (let column = 0; column < size; column++) {
      const upper = isLight(row, column)
      const lower = isLight(row + 1, column)
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' '
    }
    lines.push(line.trimEnd())
  }
  return lines.join('\n')
}
