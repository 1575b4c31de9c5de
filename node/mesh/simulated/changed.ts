import type { Message } from '../../api.ts'
import { openedDisk } from './at-rest.ts'
import type { Happening } from './history.ts'
import type { SimulatedMesh } from './simulated-mesh.ts'

type At = { readonly at: number }
export type Accepted = Extract<Happening, { kind: 'accepted' }> & At
export type Changed = Extract<Happening, { kind: 'edited' | 'deletes' | 'deleted' | 'reacted' }> & At

/** How long a text may lie around when its time is over and all faults are, ms. */
const SLACK_MS = 5 * 60_000

const CHANGED: ReadonlySet<string> = new Set(['edited', 'deletes', 'deleted', 'reacted'])

/** What people did to the messages of each other after they were written. */
export function changesIn(mesh: SimulatedMesh): readonly Changed[] {
  return mesh.history.happenings.filter((each): each is Changed => CHANGED.has(each.kind))
}

/** Both sides of a conversation show the same of every message that both still have. */
export function differences(
  way: string,
  accepted: readonly Accepted[],
  changes: readonly Changed[],
  sides: { readonly author: ReadonlyMap<string, Message>; readonly reader: ReadonlyMap<string, Message> },
): string[] {
  const wrong: string[] = []
  for (const { id, text, who, to } of accepted) {
    const own = sides.author.get(id)
    const theirs = sides.reader.get(id)
    const of = changes.filter((each) => each.id === id)
    const isDeletedBy = (name: string): boolean => of.some((each) => each.kind === 'deleted' && each.who === name)
    const mayBeDeletedBy = (name: string): boolean => of.some((each) => each.kind === 'deletes' && each.who === name)
    if (isDeletedBy(who)) {
      for (const side of [own, theirs]) {
        if (side !== undefined && (side.kind !== 'deleted' || side.text !== undefined))
          wrong.push(`${way}: "${text}" was deleted and is still shown`)
      }
    }
    if (own === undefined || theirs === undefined || own.state === 'expired') continue
    if (isDeletedBy(to)) {
      if (theirs.kind !== 'deleted') wrong.push(`${way}: "${text}" was deleted by its reader and is still shown`)
      continue
    }
    if (mayBeDeletedBy(to) && theirs.kind === 'deleted') continue
    if (own.kind !== theirs.kind || own.text !== theirs.text)
      wrong.push(`${way}: "${own.text ?? own.kind}" is "${theirs.text ?? theirs.kind}" for its reader`)
    if (!sameReactions(own.reactions, theirs.reactions)) wrong.push(`${way}: reactions to "${text}" differ`)
    const last = of.findLast((each) => each.kind === 'edited')
    if (last?.kind === 'edited' && own.kind === 'text' && numberIn(own.text) < numberIn(last.text))
      wrong.push(`${way}: "${last.text}" was accepted and "${own.text}" is shown`)
  }
  return wrong
}

function sameReactions(a: Message['reactions'] = {}, b: Message['reactions'] = {}): boolean {
  const accounts = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...accounts].every((account) => a[account] === b[account])
}

/** Texts of a scenario end in a number that grows. */
function numberIn(text = ''): number {
  return Number(/\d+$/.exec(text)?.[0] ?? 0)
}

/** Whether the time of a message must be over, also for somebody whose clock was wrong until the last fault ended. */
export function isOver({ expires, at }: Accepted, quietAt: number, end: number): boolean {
  return expires !== undefined && Math.max(at, quietAt) + 2 * expires + SLACK_MS < end
}

/** Texts that nobody may be able to read any more, and who can. */
export async function readable(
  mesh: SimulatedMesh,
  people: readonly string[],
  gone: readonly { readonly id: string; readonly text: string; readonly of: readonly string[] }[],
): Promise<string[]> {
  if (gone.length === 0) return []
  const found: string[] = []
  for (const who of people) {
    const disk = await openedDisk(mesh, who)
    for (const { text, of } of gone) {
      // No text is the beginning of another but by its number.
      if (of.includes(who) && new RegExp(`${text}(?!\\d)`).test(disk)) found.push(`${who} can still read "${text}"`)
    }
  }
  return found
}
