import type { ProtocolErrorCode } from '../lib/errors.ts'
import type { NodeErrorCode } from '../node/errors.ts'

/** What only the command line and the local API refuse. */
export type CliErrorCode =
  /** The command was not understood. */
  | 'usage'
  /** No node runs on this home and the command needs one. */
  | 'no-node'
  /** A signal ended the command. */
  | 'interrupted'
  /** The home is protected and no passphrase was given. */
  | 'passphrase-needed'
  /** An address to listen on is in use already. */
  | 'address-in-use'
  /** `config.json` is no configuration. */
  | 'bad-config'
  /** A client of the local API was too slow, too greedy or spoke something else. */
  | 'refused'
  /** The operating system refused something. */
  | 'system'
  /** A defect of Sotto. */
  | 'internal'

export type ErrorCode = CliErrorCode | NodeErrorCode | ProtocolErrorCode

/** How a command ends. Part of the contract with scripts. */
export const EXIT = { ok: 0, failed: 1, usage: 2, noNode: 3, notReached: 4, interrupted: 130 } as const

interface Explanation {
  readonly exit: number
  /** For the reference. */
  readonly meaning: string
  /** Replaces a message that is not written for people. */
  readonly sentence?: string
  /** What to do, unless the error itself says something better. */
  readonly hint: string
}

/** Every code, what it means, how a command ends with it and what is said. */
export const EXPLANATIONS: { readonly [Code in ErrorCode]: Explanation } = {
  usage: {
    exit: EXIT.usage,
    meaning: 'The command line was not understood, or a value in it is not possible.',
    hint: 'See: sotto COMMAND --help',
  },
  'no-node': {
    exit: EXIT.noNode,
    meaning: 'The command needs a running node, and none runs on this home.',
    hint: 'Start one with: sotto up',
  },
  interrupted: {
    exit: EXIT.interrupted,
    meaning: 'A signal ended the command.',
    hint: 'Run it again; what was accepted before is safe.',
  },
  'passphrase-needed': {
    exit: EXIT.usage,
    meaning: 'The home is protected by a passphrase and none was given.',
    hint: 'Give it with --passphrase-file FILE or --passphrase-fd N, or run this on a terminal.',
  },
  'address-in-use': {
    exit: EXIT.failed,
    meaning: 'Another program uses an address to listen on.',
    hint: 'Choose another with --listen, or stop what uses it.',
  },
  'bad-config': {
    exit: EXIT.failed,
    meaning: '`config.json` in the home is no configuration.',
    hint: 'Correct config.json in the home, or remove it.',
  },
  refused: {
    exit: EXIT.failed,
    meaning:
      'The node refused a request of a client of its local API, which was too slow, too greedy or spoke something else.',
    hint: 'Ask for less at once, and use the program of the same version as the node: sotto --version',
  },
  system: {
    exit: EXIT.failed,
    meaning: 'The operating system refused something, and said why.',
    hint: 'Look for the permissions, the space and the limits that the message names.',
  },
  internal: {
    exit: EXIT.failed,
    meaning: 'A defect of Sotto.',
    hint: 'This is a defect of Sotto; -v shows where.',
  },

  'wrong-passphrase': {
    exit: EXIT.failed,
    meaning: 'The passphrase does not open this home, or this backup.',
    hint: 'Try again; there is no way in without it but the 24 recovery words.',
  },
  damaged: {
    exit: EXIT.failed,
    meaning: 'A file of the home, or a backup, was altered or is damaged; nothing was changed.',
    hint: 'Restore the home from a backup.',
  },
  'newer-schema': {
    exit: EXIT.failed,
    meaning: 'A newer Sotto wrote this home, or this backup.',
    hint: 'Install that version of Sotto, or a newer one.',
  },
  locked: {
    exit: EXIT.failed,
    meaning: 'Another process uses this home.',
    hint: 'Stop the other one (sotto down), or wait until it is done.',
  },
  'no-account': {
    exit: EXIT.failed,
    meaning: 'There is no account in this home yet.',
    hint: 'Make one with: sotto init',
  },
  'account-exists': {
    exit: EXIT.failed,
    meaning: 'There is an account in this home already.',
    hint: 'Use it, or make another in a new home: sotto --home DIR init',
  },
  'file-exists': {
    exit: EXIT.failed,
    meaning: 'There is a file of that name already.',
    hint: 'Choose another name, or replace it with --force.',
  },
  'not-found': {
    exit: EXIT.failed,
    meaning: 'Nobody and nothing goes by that name.',
    hint: 'Whom you know: sotto contacts, sotto requests, sotto group list',
  },
  ambiguous: {
    exit: EXIT.usage,
    meaning: 'Several contacts or groups go by that name; they are listed.',
    hint: 'Write more of the account or id, as listed.',
  },
  invalid: {
    exit: EXIT.usage,
    meaning: 'What was given is no link, account, text … of the expected form.',
    hint: 'Copy it again in full, or see the help of the command.',
  },
  'wrong-state': {
    exit: EXIT.failed,
    meaning:
      'The contact or group is not in a state in which this can be done: not accepted yet, blocked, or yourself; left, or not yours to change.',
    hint: 'See how they stand: sotto contacts, sotto requests, sotto group list',
  },
  revoked: {
    exit: EXIT.failed,
    meaning:
      'This device is none of its account any more: the account was restored or recovered on another one. It sends nothing; what is on it can be read and backed up.',
    hint: 'Go on where the account was made again. If that was not you, make it again from its words in a new home: sotto --home DIR init --recover FILE',
  },
  peer_away: {
    exit: EXIT.notReached,
    meaning: 'In `live` mode: there is no live way to them now, and nothing was kept.',
    hint: 'Try again when they are online, or let the node keep it: sotto up --delivery outbox',
  },
  'outbox-full': {
    exit: EXIT.failed,
    meaning: 'So much waits for delivery that no more is taken.',
    hint: 'Wait until what is queued was delivered.',
  },
  timeout: {
    exit: EXIT.notReached,
    meaning: 'The state that was waited for was not reached in time. What was sent is still on its way.',
    hint: 'See how far it got: sotto log WHO',
  },
  failed: {
    exit: EXIT.failed,
    meaning: 'It cannot be done, or the state that was waited for can no longer be reached; the message says why.',
    hint: 'Read the reason, and try another way.',
  },
  unreachable: {
    exit: EXIT.failed,
    meaning: 'None of the addresses of the other side answers.',
    hint: 'See whether you are connected: sotto status',
  },
  storage: {
    exit: EXIT.failed,
    meaning: 'The disk refused a write; nothing was accepted.',
    hint: 'Look for free space, permissions of the home, and errors of the disk in the log of the system.',
  },
  stopped: {
    exit: EXIT.noNode,
    meaning: 'The node was stopped meanwhile.',
    hint: 'Start it again with: sotto up',
  },

  malformed: {
    exit: EXIT.failed,
    meaning: 'Bytes that are not of the form that the protocol gives them.',
    sentence: 'This is not in the expected form.',
    hint: 'Copy it again in full, or ask for a new one.',
  },
  unauthentic: {
    exit: EXIT.failed,
    meaning: 'A signature or a proof that does not hold.',
    sentence: 'A signature does not hold; this was altered or is not from whom it claims.',
    hint: 'Ask the person for a new one, over a channel that you trust.',
  },
  'out-of-date': {
    exit: EXIT.failed,
    meaning: 'Good once, or not yet, by the clock of this machine.',
    sentence: 'This is no longer valid.',
    hint: 'Ask for a new one.',
  },
  'rolled-back': {
    exit: EXIT.failed,
    meaning: 'Lower than what is known, or the same number with other content.',
    sentence: 'This is older than what is known already.',
    hint: 'Ask for a new one.',
  },
  'newer-version': {
    exit: EXIT.failed,
    meaning: 'Another version of a format, written by a newer Sotto.',
    sentence: 'This was made by a newer version of Sotto.',
    hint: 'Install a newer version of Sotto.',
  },
  limit: {
    exit: EXIT.failed,
    meaning: 'More than a limit of the protocol allows.',
    sentence: 'This is larger than the protocol allows.',
    hint: 'Split it, or make it smaller.',
  },
  unreadable: {
    exit: EXIT.failed,
    meaning: 'A message for which no key is held any more.',
    sentence: 'There is no key that opens this.',
    hint: 'Ask the sender to send it again.',
  },
}
