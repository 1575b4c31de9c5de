import type { BackupSeal, DeliveryMode, HistoryMode, Logger, MailboxPolicy, Node, PublicMode } from '../node/api.ts'
import type { RestoreOptions, RestoreSummary } from '../node/backup/files.ts'
import type { Home } from '../node/home.ts'

export interface NodeOptions {
  readonly directory: string
  readonly passphrase?: string | Uint8Array
  readonly bootstrap?: string[]
  readonly listen?: string[]
  readonly delivery?: DeliveryMode
  readonly public?: PublicMode
  readonly mailbox?: MailboxPolicy
  readonly history?: HistoryMode
  readonly typing?: boolean
  /** `none`: the home is opened, nobody is reached. */
  readonly network?: 'tcp' | 'none'
  readonly logger?: Logger
  readonly waitForLockMs?: number
  /** Called when an invite brought bootstrap addresses while none was known. */
  rememberBootstrap?(addresses: readonly string[]): void
}

export interface AccountOptions {
  readonly directory: string
  readonly passphrase?: string | Uint8Array
  readonly noPassphrase?: boolean
  readonly name?: string
  /** The words of an account that there is already. */
  readonly recoveryWords?: string
}

export interface BootstrapOptions {
  readonly listen: string[]
  readonly announce?: string[]
  /** Keep a mailbox for whoever asks. */
  readonly mailbox?: boolean
  /** Where its key is kept, so that its PeerId stays. */
  readonly directory?: string
  readonly logger?: Logger
}

export interface Bootstrap {
  readonly peerId: string
  addresses(): string[]
  stop(): Promise<void>
}

/** What the command line uses of the node. */
export interface NodeModule {
  createNode(options: NodeOptions): Promise<Node>
  createAccount(options: AccountOptions): Promise<{ account: string; recoveryWords: string }>
  createBootstrap(options: BootstrapOptions): Promise<Bootstrap>
  createBackupSeal(passphrase: Uint8Array): Promise<BackupSeal>
  restoreBackup(file: string, options: RestoreOptions): Promise<RestoreSummary>
  /** Opens a home without a node on it. */
  openHome(
    directory: string,
    options: { passphrase?: string; waitMs: number },
  ): Promise<Pick<Home, 'changePassphrase' | 'close'>>
  /** How a home is opened, or null when there is none. */
  homeProtection(directory: string): Promise<'passphrase' | 'key-file' | null>
}

/** The real one; each part, heavy as it is, is imported when it is called. */
export const nodeModule: NodeModule = {
  createNode: async (options) => (await import('../node/index.ts')).createNode(options),
  createAccount: async (options) => (await import('../node/index.ts')).createAccount(options),
  createBootstrap: async (options) => (await import('../node/bootstrap.ts')).createBootstrap(options),
  createBackupSeal: async (passphrase) => (await import('../node/backup/files.ts')).createBackupSeal(passphrase),
  restoreBackup: async (file, options) => (await import('../node/backup/files.ts')).restoreBackup(file, options),
  openHome: async (directory, options) => (await import('../node/home.ts')).openHome(directory, options),
  homeProtection: async (directory) => (await import('../node/home.ts')).homeProtection(directory),
}
