import { decodeLink, encodeInvite } from '../../lib/identity/invite.ts'
import { callHome } from '../caller.ts'
import { CliError } from '../errors.ts'
import { formatTime } from '../format.ts'
import type { Invocation } from '../invocation.ts'
import { duration } from '../options.ts'
import { renderQr } from '../qr.ts'
import { showsUnicode } from '../terminal.ts'
import type { Verb } from '../verb.ts'

interface Options {
  readonly qr?: boolean
  readonly once?: boolean
  /** ms. */
  readonly expires?: number
  readonly revoke?: string
}

/** A terminal of the usual size, where none tells its own. */
const USUAL = { columns: 80, rows: 24 }

/** The code of a link, with as many of its addresses as fit on the screen; undefined when not even none does. */
function codeOf(link: string, room: { columns: number; rows: number }): { code: string; leftOut: number } | undefined {
  const whole = renderQr(link, room)
  if (whole !== undefined) return { code: whole, leftOut: 0 }
  const invite = decodeLink(link)
  for (let left = invite.addresses.length - 1; left >= 0; left--) {
    const code = renderQr(encodeInvite({ ...invite, addresses: invite.addresses.slice(0, left) }), room)
    if (code !== undefined) return { code, leftOut: invite.addresses.length - left }
  }
  return undefined
}

function showCode({ io, note }: Invocation, link: string): void {
  const { columns = USUAL.columns, rows = USUAL.rows } = io.stdout
  // one line for the prompt below
  const shown =
    io.env['TERM'] !== 'dumb' && showsUnicode(io.env) ? codeOf(link, { columns, rows: rows - 1 }) : undefined
  if (shown === undefined) {
    note('There is no room for a QR code here; the link says the same.')
    return
  }
  if (shown.leftOut > 0) note('The code leaves addresses out to fit; in a larger window it has them all.')
  io.stdout.write(`${shown.code}\n`)
}

async function create(invocation: Invocation, options: Options): Promise<void> {
  const { io, json, print, note } = invocation
  await using caller = await callHome(invocation)
  const params = {
    ...(options.expires === undefined ? {} : { expires: Date.now() + options.expires }),
    ...(options.once === undefined ? {} : { once: options.once }),
  }
  const invite = await caller.call('invite.create', params, { signal: io.ended })
  print(invite, invite.link)
  if (invite.expires !== undefined) note(`It works until ${formatTime(invite.expires)}.`)
  if (options.once === true) note('It works for the first who is accepted.')
  if (options.qr === true && !json) showCode(invocation, invite.link)
}

async function revoke(invocation: Invocation, { revoke: link = '', ...others }: Options): Promise<void> {
  if (Object.keys(others).length > 0) throw new CliError('usage', '--revoke goes with no other flag of invite.')
  await using caller = await callHome(invocation)
  const revoked = await caller.call('invite.revoke', { link }, { signal: invocation.io.ended })
  invocation.print(revoked, 'revoked')
  invocation.note('Whoever has the link finds no address by it any more once the network has heard of it.')
}

export const verb: Verb = {
  examples: ['sotto invite --qr', 'sotto invite --once --expires 2d', 'sotto invite --revoke sotto:...'],
  define(command, invocation) {
    command
      .option('--qr', 'show it as a QR code too')
      .option('--once', 'only for the first who is accepted')
      .option('--expires <duration>', 'how long the link works, for example 2d', duration)
      .option('--revoke <link>', 'end a link that I gave')
      .action((options: Options) =>
        options.revoke === undefined ? create(invocation(), options) : revoke(invocation(), options),
      )
  },
}
