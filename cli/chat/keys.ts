/** What a key asks for, whatever bytes a terminal sends for it. */
export type KeyName =
  | 'enter'
  | 'newline'
  | 'backspace'
  | 'delete'
  | 'left'
  | 'right'
  | 'word-left'
  | 'word-right'
  | 'home'
  | 'end'
  | 'up'
  | 'down'
  | 'kill-word'
  | 'kill-before'
  | 'kill-after'
  | 'yank'
  | 'interrupt'
  | 'eof'
  | 'suspend'
  | 'redraw'

export type Key =
  | { readonly kind: 'key'; readonly name: KeyName }
  | { readonly kind: 'text'; readonly text: string }
  /** Everything of one paste; nothing in it is a key. */
  | { readonly kind: 'paste'; readonly text: string }
  /** A paste that was longer than `MAX_PASTE_LENGTH` and was not taken. */
  | { readonly kind: 'too-long' }

/** The longest paste that is taken, in UTF-16 units: some messages' worth. */
export const MAX_PASTE_LENGTH: number = 64 * 1024

/** Answers of a terminal and unknown sequences are short; what goes on longer is none. */
const MAX_SEQUENCE_LENGTH = 256
const PASTE_BEGINS = '\x1b[200~'
const PASTE_ENDS = '\x1b[201~'

const CONTROLS: ReadonlyMap<string, KeyName> = new Map([
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\x7f', 'backspace'],
  ['\b', 'backspace'],
  ['\x01', 'home'],
  ['\x02', 'left'],
  ['\x03', 'interrupt'],
  ['\x04', 'eof'],
  ['\x05', 'end'],
  ['\x06', 'right'],
  ['\x0b', 'kill-after'],
  ['\x0c', 'redraw'],
  ['\x0e', 'down'],
  ['\x10', 'up'],
  ['\x15', 'kill-before'],
  ['\x17', 'kill-word'],
  ['\x19', 'yank'],
  ['\x1a', 'suspend'],
])

const SEQUENCES: ReadonlyMap<string, KeyName> = new Map([
  ['[A', 'up'],
  ['OA', 'up'],
  ['[B', 'down'],
  ['OB', 'down'],
  ['[C', 'right'],
  ['OC', 'right'],
  ['[D', 'left'],
  ['OD', 'left'],
  ['[H', 'home'],
  ['OH', 'home'],
  ['[1~', 'home'],
  ['[7~', 'home'],
  ['[F', 'end'],
  ['OF', 'end'],
  ['[4~', 'end'],
  ['[8~', 'end'],
  ['[3~', 'delete'],
  ['[1;5C', 'word-right'],
  ['[1;3C', 'word-right'],
  ['f', 'word-right'],
  ['[1;5D', 'word-left'],
  ['[1;3D', 'word-left'],
  ['b', 'word-left'],
  ['\x7f', 'kill-word'],
  ['\b', 'kill-word'],
  ['\r', 'newline'],
  ['\n', 'newline'],
])

// CSI and SS3 (ECMA-48 §5.4), strings of OSC, DCS, APC and PM up to their end, Meta with one character
const WHOLE = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)|[^[O\]P_^X\x1b])/s
const BEGUN = /^\x1b(?:\[[0-?]*[ -/]*|O|[\]P_^X][^\x07\x1b]*\x1b?)?$/s

export interface KeyDecoder {
  /** The keys that these bytes complete. */
  push(bytes: Uint8Array): Key[]
  /** Whether a sequence has begun that a lone Escape would begin too. */
  readonly waiting: boolean
  /** Nothing more came in time: what has begun was a lone Escape, or nothing known. */
  flush(): void
}

function key(name: KeyName): Key {
  return { kind: 'key', name }
}

/** Line ends of all systems become `\n`; other control characters but the tab are no text. */
export function typedText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '')
}

/**
 * Reads the bytes of a terminal in raw mode. With `bracketed` the terminal marks pastes; without, a line end with more
 * behind it in the same read can only be one, since nobody types that fast.
 */
export function createKeyDecoder({ bracketed }: { bracketed: boolean }): KeyDecoder {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  let held = ''
  let paste: string | undefined
  let pasteLength = 0

  /** Takes the next key of what is held, or nothing when it is not whole. */
  function takePaste(keys: Key[]): boolean {
    const end = held.indexOf(PASTE_ENDS)
    // the end may be cut: its beginning stays
    const stop = end === -1 ? Math.max(0, held.length - PASTE_ENDS.length + 1) : end
    pasteLength += stop
    if (pasteLength <= MAX_PASTE_LENGTH) paste += held.slice(0, stop)
    held = held.slice(end === -1 ? stop : end + PASTE_ENDS.length)
    if (end === -1) return false
    keys.push(pasteLength > MAX_PASTE_LENGTH ? { kind: 'too-long' } : { kind: 'paste', text: typedText(paste ?? '') })
    paste = undefined
    return true
  }

  function takeSequence(keys: Key[]): boolean {
    if (held.startsWith(PASTE_BEGINS)) {
      held = held.slice(PASTE_BEGINS.length)
      paste = ''
      pasteLength = 0
      return true
    }
    const [whole] = WHOLE.exec(held) ?? []
    if (whole === undefined && BEGUN.test(held) && held.length <= MAX_SEQUENCE_LENGTH) return false
    const name = SEQUENCES.get((whole ?? '\x1b').slice(1))
    if (name !== undefined) keys.push(key(name))
    held = held.slice((whole ?? '\x1b').length)
    return true
  }

  function takeText(keys: Key[]): boolean {
    const name = CONTROLS.get(held.charAt(0))
    const [text = held.charAt(0)] = /^[^\0-\x1f\x7f]+/.exec(held) ?? []
    if (name !== undefined) keys.push(key(name))
    else if (typedText(text) !== '') keys.push({ kind: 'text', text: typedText(text).replace('\t', ' ') })
    held = held.slice(text.length)
    return true
  }

  return {
    push(bytes) {
      held += utf8.decode(bytes, { stream: true })
      if (!bracketed && /[\r\n](?!\n?$)[^\x1b]/.test(held)) {
        const text = held.slice(0, MAX_PASTE_LENGTH + 1)
        held = ''
        return [text.length > MAX_PASTE_LENGTH ? { kind: 'too-long' } : { kind: 'paste', text: typedText(text) }]
      }
      const keys: Key[] = []
      while (held !== '') {
        const whole =
          paste !== undefined ? takePaste(keys) : held.startsWith('\x1b') ? takeSequence(keys) : takeText(keys)
        if (!whole) break
      }
      return keys
    },
    get waiting() {
      return held !== '' && paste === undefined
    },
    flush() {
      if (paste === undefined) held = ''
    },
  }
}
