/** How much of a history is told: what people did and saw and what befell them, or also every message, dial and write. */
export type Detail = 'story' | 'everything'

/**
 * The lines of a history as sentences, one a line with the time since the start: what a person reads who looks for the
 * reason of a failure.
 */
export function timeline(lines: readonly string[], detail: Detail = 'story'): readonly string[] {
  const told: string[] = []
  for (const line of lines) {
    const [at = '0', kind = '', ...words] = line.split(' ')
    const sentence = SENTENCES[kind]?.(words) ?? (detail === 'everything' ? `${kind} ${words.join(' ')}` : undefined)
    if (sentence !== undefined) told.push(`${clockTime(Number(at))}  ${sentence}`)
  }
  return told
}

/** `1.02:03:04.005`: days, when there are any, hours, minutes, seconds. */
function clockTime(ms: number): string {
  const days = Math.floor(ms / 86_400_000)
  const time = new Date(ms % 86_400_000).toISOString().slice(11, 23)
  return days === 0 ? `  ${time}` : `${days}.${time}`
}

type Sentence = (words: readonly string[]) => string

const SENTENCES: Readonly<Record<string, Sentence>> = {
  start: ([who]) => `${who} starts`,
  'start-failed': ([who, ...why]) => `${who} DOES NOT START: ${why.join(' ')}`,
  stop: ([who]) => `${who} stops`,
  crash: ([who]) => `${who} dies`,
  dies: ([who, moment, effect]) => `${who} is killed ${moment} a ${effect}`,
  sleep: ([who]) => `${who} falls asleep`,
  wake: ([who]) => `${who} wakes up`,
  offline: ([who]) => `${who} loses the network`,
  online: ([who]) => `${who} has the network back`,
  cut: ([one, how, other]) => `nothing gets from ${one} to ${other} any more${how === 'and' ? ', nor back' : ''}`,
  heal: () => 'all partitions end',
  reset: ([one, other]) => `the links between ${one} and ${other} are reset`,
  ENOSPC: ([who]) => `the disk of ${who} is full at a write`,
  EIO: ([who]) => `the disk of ${who} fails at a write`,
  'rolled-back': ([who]) => `the disk of ${who} goes back in time`,
  fault: ([fault, who, other]) => `fault ${fault} (${who}, ${other})`,
  calm: () => 'all faults are over',
  opened: ([who, other]) => `${who} has a link with ${other}`,
  closed: ([who, other]) => `${who} loses a link with ${other}`,
  accepted: ([who, to, id, ...text]) => `${who} to ${to}: "${text.join(' ')}" is accepted (${id?.slice(0, 6)})`,
  edited: ([who, to, id, ...text]) => `${who} to ${to}: ${id?.slice(0, 6)} is now "${text.join(' ')}"`,
  deletes: ([who, other, id]) => `${who} wants to delete ${id?.slice(0, 6)} of the conversation with ${other}`,
  deleted: ([who, other, id]) => `${who} deletes ${id?.slice(0, 6)} of the conversation with ${other}`,
  reacted: ([who, other, id, emoji]) =>
    `${who} reacts to ${id?.slice(0, 6)} of the conversation with ${other}: ${emoji}`,
  shown: ([who, from, id, ...text]) => `${who} sees of ${from}: "${text.join(' ')}" (${id?.slice(0, 6)})`,
  said: ([who, group, id, ...text]) => `${who} in ${group}: "${text.join(' ')}" is accepted (${id?.slice(0, 6)})`,
  heard: ([who, group, from, id, ...text]) =>
    `${who} sees of ${from} in ${group}: "${text.join(' ')}" (${id?.slice(0, 6)})`,
  noticed: ([who, group, by, ...what]) => `${who} sees in ${group}: ${by} ${what.join(' ')}`,
  state: ([who, to, id, state]) => `${who} to ${to}: ${id?.slice(0, 6)} is ${state}`,
  request: ([who, from]) => `${who} is asked by ${from}`,
  command: ([who, ...what]) => `${who} does: ${what.join(' ')}`,
  alert: ([who, about, ...alert]) => `${who} is warned of ${about}: ${alert.join(' ')}`,
}
