import { admissions } from './admission.ts'
import { contacts } from './contacts.ts'
import { changesAndErasing } from './changes.ts'
import { conversation } from './conversation.ts'
import { cryptography } from './cryptography.ts'
import { groupFrames } from './group-frames.ts'
import { groupMembership } from './groups.ts'
import { identity } from './identity.ts'
import { links } from './links.ts'
import { mailboxes } from './mailbox.ts'
import { network } from './network.ts'
import type { Part } from './protection.ts'
import { rest } from './rest.ts'
import { sessions } from './sessions.ts'
import { userInterface } from './interface.ts'

/** Every protection that is known to have a test which fails without it. */
export const parts: readonly Part[] = [
  cryptography,
  sessions,
  identity,
  conversation,
  changesAndErasing,
  admissions,
  contacts,
  links,
  mailboxes,
  groupMembership,
  groupFrames,
  network,
  rest,
  userInterface,
]
