import { u64be } from '../bytes.ts'
import type { Item } from './kept.ts'
import { answer, type Keeping, load, save } from './keeping.ts'
import { removeItem } from './kept.ts'
import { forgotten, nextToTell, type Stream, told } from './stream.ts'

/** A blob came: who watches is told at once, unless others wait before it. */
export function tellArrival(keeping: Keeping, item: Item, blob: Uint8Array): void {
  for (const stream of keeping.streams.values()) {
    if (stream.owner === item.queue.owner && nextToTell(stream)[0] === item) tell(keeping, stream, item, blob)
  }
}

/** Reads and tells what may be under way besides what is. */
export function tellMore(keeping: Keeping, stream: Stream): void {
  const next = nextToTell(stream)
  if (next.length === 0) return
  stream.loading = true
  load(
    keeping,
    'blob',
    next.map(({ order }) => u64be(order)),
    (values) => {
      stream.loading = false
      if (!keeping.streams.has(stream.id)) return
      for (const [i, item] of next.entries()) {
        const blob = values[i]
        stream.upTo = Math.max(stream.upTo, item.order)
        if (blob && keeping.kept.items.get(item.order) === item) tell(keeping, stream, item, blob)
      }
      tellMore(keeping, stream)
    },
  )
}

function tell(keeping: Keeping, stream: Stream, item: Item, blob: Uint8Array): void {
  told(stream, item)
  stream.upTo = Math.max(stream.upTo, item.order)
  answer(keeping, stream, { kind: 'blob', queue: item.queue.name, until: item.until, blob })
}

/** A blob was fetched, or is over. */
export function letGo(keeping: Keeping, item: Item): void {
  for (const stream of keeping.streams.values()) forgotten(stream, item)
  save(keeping, ...removeItem(keeping.kept, item))
}
