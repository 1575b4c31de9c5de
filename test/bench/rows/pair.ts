import { startWorker, type Tasks, type Worker } from '../worker.ts'
import type { StreamTasks } from '../workers/bare-stream.ts'
import type { PeerTasks } from '../workers/peer.ts'

/** Two processes of a kind that talk to each other; the first one is asked. */
export interface Pair<T extends Tasks<T>> extends AsyncDisposable {
  readonly first: Worker<T>
  readonly second: Worker<T>
}

/** Two nodes that have accepted each other. */
export async function peers(): Promise<Pair<PeerTasks>> {
  const [first, second] = [startWorker<PeerTasks>('peer'), startWorker<PeerTasks>('peer')]
  await second.ask('start', { bootstrap: [], reachable: false })
  await first.ask('start', { bootstrap: [], reachable: false })
  await second.ask('acceptAll')
  await first.ask('add', await second.ask('invite'))
  return pairOf(first, second)
}

/** Two bare libp2p nodes with streams between them. */
export async function bareStreams(): Promise<Pair<StreamTasks>> {
  const [first, second] = [startWorker<StreamTasks>('bare-stream'), startWorker<StreamTasks>('bare-stream')]
  await first.ask('connect', await second.ask('listen'))
  return pairOf(first, second)
}

function pairOf<T extends Tasks<T>>(first: Worker<T>, second: Worker<T>): Pair<T> {
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()])
    },
  }
}
