import type { Verb } from './verb.ts'

interface VerbEntry {
  readonly name: string
  readonly summary: string
  load(): Promise<{ verb: Verb }>
}

/** Every command, in the order of the help. Only the one that is called is imported. */
export const VERBS: readonly VerbEntry[] = [
  { name: 'init', summary: 'make an account', load: () => import('./commands/init.ts') },
  {
    name: 'passphrase',
    summary: 'change the passphrase of the home',
    load: () => import('./commands/passphrase.ts'),
  },
  { name: 'backup', summary: 'write everything into one sealed file', load: () => import('./commands/backup.ts') },
  { name: 'restore', summary: 'make the account of a backup again', load: () => import('./commands/restore.ts') },
  { name: 'up', summary: 'run the node', load: () => import('./commands/up.ts') },
  { name: 'down', summary: 'stop the node', load: () => import('./commands/down.ts') },
  { name: 'status', summary: 'how the node is doing', load: () => import('./commands/status.ts') },
  { name: 'id', summary: 'my account', load: () => import('./commands/id.ts') },
  { name: 'devices', summary: 'the devices of my account', load: () => import('./commands/devices.ts') },
  { name: 'invite', summary: 'a link by which others find me', load: () => import('./commands/invite.ts') },
  { name: 'add', summary: 'add somebody by link or account', load: () => import('./commands/add.ts') },
  { name: 'contacts', summary: 'whom I know', load: () => import('./commands/contacts.ts') },
  { name: 'requests', summary: 'who wants to know me', load: () => import('./commands/requests.ts') },
  { name: 'accept', summary: 'accept a request', load: () => import('./commands/accept.ts') },
  { name: 'decline', summary: 'decline a request', load: () => import('./commands/decline.ts') },
  { name: 'block', summary: 'hear no more of somebody', load: () => import('./commands/block.ts') },
  { name: 'unblock', summary: 'hear of them again', load: () => import('./commands/unblock.ts') },
  { name: 'rename', summary: 'call somebody by another name', load: () => import('./commands/rename.ts') },
  { name: 'remove', summary: 'forget somebody and what was written', load: () => import('./commands/remove.ts') },
  { name: 'verify', summary: 'make sure who somebody is', load: () => import('./commands/verify.ts') },
  { name: 'send', summary: 'send a message', load: () => import('./commands/send.ts') },
  { name: 'chat', summary: 'talk with somebody', load: () => import('./commands/chat.ts') },
  { name: 'log', summary: 'show a conversation', load: () => import('./commands/log.ts') },
  { name: 'edit', summary: 'change a message of mine', load: () => import('./commands/edit.ts') },
  { name: 'delete', summary: 'delete a message', load: () => import('./commands/delete.ts') },
  { name: 'react', summary: 'react to a message', load: () => import('./commands/react.ts') },
  { name: 'read', summary: 'mark a conversation as read', load: () => import('./commands/read.ts') },
  { name: 'group', summary: 'talk with several people at once', load: () => import('./commands/group.ts') },
  { name: 'config', summary: 'show and change settings', load: () => import('./commands/config.ts') },
  { name: 'mailbox', summary: 'who keeps my mail', load: () => import('./commands/mailbox.ts') },
  { name: 'logs', summary: 'what the node in the background told', load: () => import('./commands/logs.ts') },
  { name: 'mesh', summary: 'simulate many nodes', load: () => import('./commands/mesh.ts') },
  { name: 'bootstrap', summary: 'run a rendezvous server', load: () => import('./commands/bootstrap.ts') },
  {
    name: 'completion',
    summary: 'let a shell complete commands and names',
    load: () => import('./commands/completion.ts'),
  },
]

/** Commands and flags that the documentation announces and this version does not have. */
const LATER_VERBS: ReadonlySet<string> = new Set(
  `doctor pair search files pay
   device tui web`.split(/\s+/),
)
const LATER_FLAGS: ReadonlyMap<string, readonly string[]> = new Map([
  ['up', ['--mdns', '--web']],
  ['send', ['--file']],
])

export function isLaterVerb(name: string): boolean {
  return LATER_VERBS.has(name)
}

export function isLaterFlag(verb: string, flag: string): boolean {
  return LATER_FLAGS.get(verb)?.includes(flag.replace(/=.*$/s, '')) ?? false
}
