/** Something that is to run at a time. */
export interface Entry {
  readonly at: number
  /** Of two entries of one time the one with the lower number comes first. */
  readonly order: number
  cancelled: boolean
  readonly run: () => void
}

/** Entries by time: a binary heap. */
export interface Agenda<E extends Entry> {
  add(entry: E): void
  /** The next one that was not cancelled; undefined when there is none. */
  peek(): E | undefined
  /** Takes that one out. */
  take(): E | undefined
}

export function createAgenda<E extends Entry>(): Agenda<E> {
  let heap: E[] = []
  /** So long it may get before those that were cancelled are taken out. */
  let limit = 1024

  function isBefore(i: number, j: number): boolean {
    const [a, b] = [heap[i], heap[j]]
    if (a === undefined || b === undefined) return a !== undefined
    return a.at < b.at || (a.at === b.at && a.order < b.order)
  }

  function swap(i: number, j: number): void {
    const [a, b] = [heap[i], heap[j]]
    if (a === undefined || b === undefined) return
    heap[i] = b
    heap[j] = a
  }

  function removeFirst(): E | undefined {
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    heap[0] = last
    for (let i = 0; ; ) {
      let least = i
      if (isBefore(2 * i + 1, least)) least = 2 * i + 1
      if (isBefore(2 * i + 2, least)) least = 2 * i + 2
      if (least === i) return first
      swap(i, least)
      i = least
    }
  }

  function peek(): E | undefined {
    while (heap[0]?.cancelled === true) removeFirst()
    return heap[0]
  }

  /** Who sets a timer anew and anew would fill the memory with those that are over. What is sorted is a heap. */
  function sweep(): void {
    heap = heap.filter(({ cancelled }) => !cancelled).sort((a, b) => a.at - b.at || a.order - b.order)
    limit = Math.max(1024, 2 * heap.length)
  }

  return {
    add(entry) {
      if (heap.length >= limit) sweep()
      let i = heap.push(entry) - 1
      for (let parent = (i - 1) >> 1; i > 0 && isBefore(i, parent); parent = (i - 1) >> 1) {
        swap(i, parent)
        i = parent
      }
    },
    peek,
    take: () => (peek() === undefined ? undefined : removeFirst()),
  }
}
