import type { Command, Reply } from '../lib/chat/events.ts'
import type { Person } from '../lib/chat.ts'
import type { Primitives } from '../lib/crypto/primitives.ts'
import { formatSafetyNumber, safetyNumber } from '../lib/identity/safety-number.ts'
import type { Contact, Contacts } from './api.ts'
import { NodeError } from './errors.ts'

export interface ContactsOptions {
  readonly primitives: Primitives
  /** The own account, 32 bytes. */
  readonly self: Uint8Array
  people(): Iterable<Person>
  personOf(id: string): Person | undefined
  /** By petname, account or a prefix of it. Throws `not-found` or `ambiguous`. */
  find(who: string): Person
  shown(person: Person): Contact
  /** Runs a command of the machine; a refusal becomes a `NodeError`. */
  run<K extends Reply['kind']>(command: Command, expected: K): Promise<Extract<Reply, { kind: K }>>
  /** Somebody went with everything that was written; resolves when nothing of it is left on the disk. */
  removed(id: string): Promise<void>
}

/** The people of a node, as whoever embeds it sees them. */
export function createContacts(options: ContactsOptions): Contacts {
  const { primitives, self, people, personOf, find, shown, run } = options

  async function change(command: Command): Promise<Contact> {
    const { contact } = await run(command, 'contact')
    const person = personOf(contact)
    if (person === undefined) throw new NodeError('not-found', 'The contact is gone.')
    return shown(person)
  }

  function person(who: string): Person {
    const found = find(who)
    if (found.group === null) return found
    throw new NodeError('invalid', `"${who}" is a group, not a person.`, { hint: "See 'sotto group --help'." })
  }

  return {
    list: async () => [...people()].filter(({ row, group }) => group === null && row.state !== 'requested').map(shown),
    requests: async () => [...people()].filter(({ row }) => row.state === 'requested').map(shown),
    add: (link, how = {}) => change({ kind: 'add', link, ...how }),
    accept: async (who, how = {}) => change({ kind: 'accept', contact: person(who).id, ...how }),
    async decline(who) {
      await run({ kind: 'decline', contact: person(who).id }, 'done')
    },
    block: async (who) => change({ kind: 'block', contact: person(who).id }),
    unblock: async (who) => change({ kind: 'unblock', contact: person(who).id }),
    rename: async (who, petname) => change({ kind: 'rename', contact: person(who).id, petname }),
    async remove(who) {
      const { id } = person(who)
      await run({ kind: 'remove', contact: id }, 'done')
      await options.removed(id)
    },
    configure: async (who, settings) => change({ kind: 'configure', contact: person(who).id, ...settings }),
    async verify(who, { confirm } = {}) {
      const found = person(who)
      if (confirm === true) await run({ kind: 'confirm', contact: found.id }, 'contact')
      const contact = shown(personOf(found.id) ?? found)
      const digits = safetyNumber(primitives, self, found.row.account)
      return { petname: contact.petname, safetyNumber: formatSafetyNumber(digits), verified: contact.verified }
    },
    resolve: async (who) => shown(person(who)),
  }
}
