import type { Part } from './protection.ts'

const sealing = 'node/store/sealing.ts'
const sealed = 'test/node/store/sealed-store.test.ts'
const vault = 'node/store/vault.ts'
const vaultTest = 'test/node/store/vault.test.ts'
const home = 'test/node/home.test.ts'

/** The disk, and what must be on it before anything leaves. */
export const rest: Part = {
  title: 'At rest',
  protections: [
    {
      protection: 'State is on disk before its bytes leave',
      threat: 'after a crash other bytes leave under the same key',
      file: 'node/driver.ts',
      takeOut: [
        {
          find: '      writing = window\n      if (window.rows',
          replace: '      writing = window\n      release(window)\n      if (window.rows',
        },
      ],
      test: {
        file: 'test/node/driver-protection.test.ts',
        name: 'nothing leaves on a link and no command is answered before its rows are on disk',
      },
    },
    {
      protection: 'What the disk refused is neither sent nor answered',
      threat: 'a message counts as accepted and is gone',
      file: 'node/driver.ts',
      takeOut: [
        {
          find: '          await onWriteFailed(cause)\n          continue\n',
          replace: "          logger.warn({ error: String(cause) }, 'the disk refused a write')\n",
        },
      ],
      test: {
        file: 'test/node/driver.test.ts',
        name: 'accepts nothing that the disk refused, and goes on when there is room again',
      },
    },
    {
      protection: 'A defect costs a restart from disk, not the process',
      threat: 'a peer ends the process of another again and again',
      file: 'node/driver.ts',
      takeOut: [{ find: '      onDefect(cause)\n      return\n', replace: '      throw cause\n' }],
      test: {
        file: 'test/node/driver.test.ts',
        name: 'survives a defect of the machine: the command fails, and the next one works',
      },
    },
    {
      protection: 'A sealed value is bound to its place',
      threat: 'who can write the disk puts one row in the place of another',
      file: sealing,
      takeOut: [
        {
          find: 'NONCE_0, associatedData(place), value, before)',
          replace: 'NONCE_0, new Uint8Array(), value, before)',
        },
        { find: 'NONCE_0, associatedData(place), ciphertext)', replace: 'NONCE_0, new Uint8Array(), ciphertext)' },
      ],
      test: {
        file: sealed,
        name: 'a row that was moved to another key or range, or comes from another master key, reads as damage',
      },
    },
    {
      protection: 'Every value has a key of its own',
      threat: 'a disk that was brought back repeats a nonce',
      file: sealing,
      takeOut: [
        { find: '  const salt = random.bytes(SALT_BYTES)\n', replace: '  const salt = new Uint8Array(SALT_BYTES)\n' },
      ],
      test: {
        file: 'test/node/store/sealing-protection.test.ts',
        name: 'one value that is sealed twice at one place shares nothing but its format',
      },
    },
    {
      protection: 'A message gets a new key each time it is written',
      threat: 'two texts are sealed under one key',
      file: 'node/store/sealed-store.ts',
      takeOut: [
        {
          find: 'const salt = value && random.bytes(SALT_BYTES)',
          replace: 'const salt = value && new Uint8Array(SALT_BYTES)',
        },
      ],
      test: {
        file: sealed,
        name: 'a message gets a new key each time it is written, and deleting it deletes the key in the same batch',
      },
    },
    {
      protection: 'Every range has a sub-key',
      threat: 'a value of one kind is read as another',
      file: sealing,
      takeOut: [{ find: 'utf8(`sotto/1 store ${range}`)', replace: 'utf8(`sotto/1 store ${range.slice(0, 0)}`)' }],
      test: { file: sealed, name: 'a sealed value is format, salt and AES-256-GCM' },
    },
    {
      protection: 'What can be read is sealed',
      threat: 'a thief of the disk reads messages',
      file: 'node/store/sealed-store.ts',
      takeOut: [
        {
          find: "if (RANGES[range] === 'wire') return [{ range, key: ownKey, value: new Uint8Array(value) }]",
          replace: 'if (RANGES[range] !== undefined) return [{ range, key: ownKey, value: new Uint8Array(value) }]',
        },
      ],
      test: { file: home, name: 'shows nothing of what was written into sealed and erasable rows in any of its files' },
    },
    {
      protection: 'Deleting a message deletes its key in the same batch',
      threat: 'a deleted message can be read by who takes disk and passphrase',
      file: 'node/store/sealed-store.ts',
      takeOut: [
        {
          find: '      { range: `${range}-key`, key: ownKey, value: salt },',
          replace: '      ...(salt === null ? [] : [{ range: `${range}-key` as const, key: ownKey, value: salt }]),',
        },
      ],
      test: {
        file: sealed,
        name: 'a message gets a new key each time it is written, and deleting it deletes the key in the same batch',
      },
    },
    {
      protection: 'Deleted keys leave the disk',
      threat: 'the files of the database keep what was deleted',
      file: 'node/store/level-store.ts',
      takeOut: [{ find: '      await rewrite(range)\n      await rewrite(range)\n', replace: '' }],
      test: {
        file: 'test/node/store/erasure.test.ts',
        name: 'the key of a deleted message is nowhere on the disk after compacting, and its neighbours still open',
      },
    },
    {
      protection: 'The database is rewritten twice, between marks',
      threat: 'one rewriting leaves a deleted key',
      file: 'node/store/level-store.ts',
      takeOut: [
        {
          find: '      await rewrite(range)\n      await rewrite(range)\n',
          replace: '      await rewrite(range)\n',
        },
      ],
      test: {
        file: 'test/node/store/erasure.test.ts',
        name: 'the key of a deleted message is nowhere on the disk after compacting, and its neighbours still open',
      },
    },
    {
      protection: 'The vault has a checksum',
      threat: 'damage is taken for a wrong passphrase, and the user gives up a home',
      file: vault,
      takeOut: [
        {
          find: 'if (!equalBytes(primitives.sha256(body), bytes.subarray(-CHECKSUM_BYTES))) throw damaged(use)',
          replace: '',
        },
      ],
      test: {
        file: vaultTest,
        name: 'a vault cut short anywhere, with any bit flipped or with bytes behind it is damaged',
      },
    },
    {
      protection: 'The cost of a vault has bounds',
      threat: 'who can write the file makes the machine stop over it',
      file: vault,
      takeOut: [{ find: 'const stretched = isAllowed(cost)', replace: 'const stretched = cost.memoryKiB > 0' }],
      test: { file: vaultTest, name: 'is refused before anything is stretched' },
    },
    {
      protection: 'A passphrase has 1 to 1024 bytes',
      threat: 'an empty passphrase protects nothing and looks as if it did',
      file: vault,
      takeOut: [
        { find: "if (bytes.length === 0) throw new NodeError('invalid', 'the passphrase is empty')", replace: '' },
      ],
      test: { file: vaultTest, name: 'an empty or endless passphrase is refused before anything is stretched' },
    },
    {
      protection: 'A passphrase is stretched at full cost',
      threat: 'guessing is cheap',
      file: 'node/store/vault.ts',
      takeOut: [
        { find: 'memoryKiB: 65_536, passes: 3, lanes: 1 }', replace: 'memoryKiB: 1_024, passes: 1, lanes: 1 }' },
      ],
      test: { file: home, name: 'is asked for at its full cost unless another is given' },
    },
    {
      protection: 'One passphrase is stretched at a time',
      threat: 'several unlocks at once take all memory',
      file: 'node/home.ts',
      takeOut: [{ find: 'const turn = stretching.then(', replace: 'const turn = Promise.resolve().then(' }],
      test: {
        file: 'test/node/home-protection.test.ts',
        name: 'passphrases are stretched one at a time, however many ask at once',
      },
    },
    {
      protection: 'The files of a home that was closed in order are compared with a list',
      threat: 'messages that were cut off are lost without a word',
      file: 'node/home.ts',
      takeOut: [
        {
          find: "await onDisk('examine the database', () => checkInventory(paths.database, listed, native))",
          replace: '',
        },
      ],
      test: { file: home, name: 'is refused in one sentence, and nothing is changed' },
    },
    {
      protection: 'The database belongs to the vault',
      threat: 'the home of somebody else is put in the place of the own',
      file: 'node/store/schema.ts',
      takeOut: [
        {
          find: "if (value === null) throw damaged('the database does not belong to this home, or was altered')\n  const schema = schemaIn(value)",
          replace: 'const schema = value === null ? SCHEMA : schemaIn(value)',
        },
      ],
      test: {
        file: 'test/node/home-protection.test.ts',
        name: 'the database of another home does not open under this vault, also after a crash',
      },
    },
    {
      protection: 'Rows of a newer schema are refused and kept',
      threat: 'an old program destroys what a newer one wrote',
      file: 'node/store/schema.ts',
      takeOut: [{ find: 'if (schema > SCHEMA) throw newer()', replace: '' }],
      test: { file: home, name: 'rows of a newer schema are refused and kept' },
    },
    {
      protection: 'A home is closed to other users',
      threat: 'another user of the machine copies the home',
      file: 'node/home-files.ts',
      takeOut: [
        {
          find: 'await mkdir(directory, { recursive: true, mode: 0o700 })',
          replace: 'await mkdir(directory, { recursive: true })',
        },
        { find: 'if ((mode & 0o777) !== 0o700) await chmod(directory, 0o700)', replace: '' },
      ],
      test: { file: home, name: 'is closed to other users, also when its directory was open before' },
    },
    {
      protection: 'A shared directory cannot be a home',
      threat: 'closing it would break the machine for all others',
      file: 'node/home-files.ts',
      takeOut: [{ find: 'if ((mode & 0o1000) !== 0) {', replace: 'if (mode < 0) {' }],
      test: { file: home, name: 'is not made in a directory that is for everybody' },
    },
    {
      protection: 'The files of a home are readable by their owner only',
      threat: 'another user of the machine copies the key file',
      file: 'node/home-files.ts',
      takeOut: [
        {
          find: "await using file = await open(beside, 'w', 0o600)\n    await file.chmod(0o600)",
          replace: "await using file = await open(beside, 'w', 0o644)\n    await file.chmod(0o644)",
        },
      ],
      test: { file: home, name: 'is closed to other users, also when its directory was open before' },
    },
    {
      protection: 'A file of a home is read up to its limit',
      threat: 'a huge file in the home takes the memory',
      file: 'node/home-files.ts',
      takeOut: [
        {
          find: "if ((await stat(path)).size > maxBytes) throw new NodeError('damaged', `${path} is larger than ${maxBytes} bytes`)",
          replace: '',
        },
      ],
      test: {
        file: 'test/node/home-protection.test.ts',
        name: 'a file of a home that is larger than it can be is not read',
      },
    },
    {
      protection: 'A changed passphrase removes the key file',
      threat: 'the home goes on opening without the passphrase',
      file: 'node/home.ts',
      takeOut: [{ find: "if (secret.kind === 'passphrase') await removeSecret(paths.key)", replace: '' }],
      test: { file: home, name: 'can be changed, dropped and set again, and the rows stay' },
    },
    {
      protection: 'The name of a contact in the database is random',
      threat: 'a thief of the disk finds out by a guess who is a contact',
      file: 'lib/chat/machine.ts',
      takeOut: [
        {
          find: 'const handle = machine.random.bytes(16)',
          replace: 'const handle = machine.primitives.sha256(row.account).slice(0, 16)',
        },
      ],
      test: {
        file: 'test/lib/chat/records-protection.test.ts',
        name: 'what a contact is called in the database says nothing about who it is',
      },
    },
  ],
}
