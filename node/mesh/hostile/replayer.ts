import { createOutsider, type HostileLink, type HostileOptions, type HostilePeer, seenOf } from './outsider.ts'

/** A message of a link as it passed by. */
export interface Recorded {
  readonly from: string
  readonly to: string
  readonly bytes: Uint8Array
  /** ms since the epoch. */
  readonly at: number
}

/**
 * Has: everything that two people sent each other over links, in clear of the transport, as somebody has it who got past
 * Noise or holds a PeerId's key. Tries: to say it again, to either of them, now or later, in whole or in part, inside their
 * link or over one of its own under another PeerId.
 */
export interface Replayer extends HostilePeer {
  readonly recorded: readonly Recorded[]
  /** What of it went in one direction. */
  stream(from: string, to: string): readonly Uint8Array[]
  /** Says something over a link of its own; the nonce goes before it. Goes on with the link that is open. */
  replay(to: string, messages: readonly Uint8Array[]): HostileLink
  /** The same again and again, every so many ms, until it leaves. */
  keepReplaying(to: string, everyMs: number, messages: () => readonly Uint8Array[]): void
  /** Puts messages into the stream between the two, before the next one of their own. */
  inject(from: string, to: string, messages: readonly Uint8Array[]): void
  /** Records no more. */
  stopRecording(): void
}

/** `mesh.faults` passes through it from now on: set other faults before. */
export async function createReplayer(
  options: HostileOptions & { readonly between: readonly [string, string] },
): Promise<Replayer> {
  const { mesh, between } = options
  const outsider = await createOutsider(options)
  const recorded: Recorded[] = []
  const injected: { readonly from: string; readonly to: string; readonly bytes: Uint8Array }[] = []
  const links = new Map<string, HostileLink>()
  let recording = true
  let gone = false
  const { tamper } = mesh.faults

  mesh.faults = {
    ...mesh.faults,
    tamper(from, to, bytes) {
      if (gone || !between.includes(from) || !between.includes(to)) return tamper(from, to, bytes)
      if (recording) recorded.push({ from, to, bytes: bytes.slice(), at: mesh.now })
      const before = injected.filter((each) => each.from === from && each.to === to)
      for (const each of before) injected.splice(injected.indexOf(each), 1)
      return [...before.map((each) => each.bytes), ...tamper(from, to, bytes)]
    },
  }

  const replayer: Replayer = {
    ...seenOf(outsider),
    recorded,
    stream: (from, to) => recorded.filter((each) => each.from === from && each.to === to).map(({ bytes }) => bytes),
    replay(to, messages) {
      const known = links.get(to)
      const link = known?.state === 'open' || known?.state === 'dialling' ? known : outsider.open(to)
      links.set(to, link)
      link.say(...messages)
      return link
    },
    keepReplaying(to, everyMs, messages) {
      replayer.replay(to, messages())
      outsider.clock.at(outsider.clock.now() + everyMs, () => replayer.keepReplaying(to, everyMs, messages))
    },
    inject(from, to, messages) {
      injected.push(...messages.map((bytes) => ({ from, to, bytes })))
    },
    stopRecording() {
      recording = false
    },
    async leave() {
      gone = true
      await outsider.leave()
    },
    [Symbol.asyncDispose]: () => replayer.leave(),
  }
  return replayer
}
