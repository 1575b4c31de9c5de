import type { Part } from './protection.ts'

const server = 'test/cli/server.test.ts'
const rpc = 'test/cli/rpc.test.ts'
const terminal = 'test/cli/terminal.test.ts'

/** The terminal and the local API. */
export const userInterface: Part = {
  title: 'Terminal and local API',
  protections: [
    {
      protection: 'No text of a peer commands the terminal',
      threat: 'a message sets the title, the clipboard or the colours of whoever reads it',
      file: 'cli/terminal.ts',
      takeOut: [{ find: ".replace(UNSAFE, '')", replace: '' }],
      test: { file: terminal, name: 'no text of a peer reaches a terminal with a character that commands it' },
    },
    {
      protection: 'No later line of a message passes for a line of its own',
      threat: 'a message shows what somebody else never said',
      file: 'cli/terminal.ts',
      takeOut: [{ find: "return safeText(text).replaceAll('\\n', '\\n  ')", replace: 'return safeText(text)' }],
      test: { file: terminal, name: 'no later line of a text can pass for a line of its own' },
    },
    {
      protection: 'A name stands on one line',
      threat: 'a claimed name fakes entries in a list',
      file: 'cli/terminal.ts',
      takeOut: [{ find: "    .join(' ')", replace: "    .join('\\n')" }],
      test: { file: terminal, name: 'what is no command stays: letters of all scripts, emoji with joiners, line ends' },
    },
    {
      protection: 'What has no width does not hide in a line',
      threat: 'a name or a word that looks like another one holds characters that nobody sees',
      file: 'cli/terminal.ts',
      takeOut: [{ find: "plain.replace(STRAY_JOINER, '')", replace: 'plain' }],
      test: {
        file: terminal,
        name: 'what hides in a line is gone: joiners where they join nothing, more marks than a letter has',
      },
    },
    {
      protection: 'No part of a long line begins a row of the chat',
      threat: 'a message is filled with spaces until its end stands as a line of somebody else',
      file: 'cli/chat/cells.ts',
      takeOut: [{ find: 'row = `${indent}${word}`', replace: 'row = word' }],
      test: {
        file: 'test/cli/chat/screen.test.ts',
        name: 'a line that is too long is broken at its spaces, and every row but the first is indented',
      },
    },
    {
      protection: 'A paste is one input',
      threat: 'lines that were copied from elsewhere are sent or run one by one',
      file: 'cli/chat/keys.ts',
      takeOut: [{ find: 'if (held.startsWith(PASTE_BEGINS)) {', replace: "if (held === '-') {" }],
      test: {
        file: 'test/cli/chat/keys.test.ts',
        name: 'a paste is one text, whatever is in it, and Enter behind it is a key',
      },
    },
    {
      protection: 'A text of several lines is no command of the chat',
      threat: 'a paste deletes a message',
      file: 'cli/chat/commands.ts',
      takeOut: [{ find: "if (line.trimEnd().includes('\\n')) {", replace: "if (line === '-') {" }],
      test: {
        file: 'test/cli/chat/conversation.test.ts',
        name: 'a text of several lines is no command, whatever it begins with',
      },
    },
    {
      protection: 'A name that somebody else chose is not completed as a flag',
      threat: 'completing the name of a group puts a flag into the command that its maker chose',
      file: 'cli/commands/completion.ts',
      takeOut: [{ find: " && !name.startsWith('-')", replace: '' }],
      test: {
        file: 'test/cli/completion.test.ts',
        name: 'completes the names of contacts as words, whatever they are, and runs nothing of them',
      },
    },
    {
      protection: 'A group that is called as an account is does not pass for it',
      threat: 'what is written to the account of a contact goes to a group that somebody named like it',
      file: 'node/people.ts',
      takeOut: [
        {
          find: 'const found = byId.length > 0 ? byId : entered',
          replace: 'const found = named.length === 0 ? byId : entered',
        },
      ],
      test: {
        file: 'test/node/groups.test.ts',
        name: 'a group whose name is the account of a contact, or the beginning of it, does not pass for the contact',
      },
    },
    {
      protection: 'A name that somebody claims stands in quotes that it cannot end',
      threat: 'a member of a group calls themselves as somebody else is called here',
      file: 'cli/names.ts',
      takeOut: [{ find: '.replaceAll(\'"\', "\'")', replace: '' }],
      test: { file: 'test/cli/names.test.ts', name: 'a claimed name cannot end its quotes' },
    },
    {
      protection: 'A shell reads the name of a contact as a word',
      threat: 'completing a name runs a command that somebody chose as their name',
      file: 'cli/completion.ts',
      takeOut: [
        {
          find: "const quote = kind === 'id' ? '' : '; _sotto_quote'",
          replace: "const quote = ''",
        },
      ],
      test: {
        file: 'test/cli/completion.test.ts',
        name: 'completes the names of contacts as words, whatever they are, and runs nothing of them',
      },
    },
    {
      protection: 'JSON holds no raw control character',
      threat: 'a message in JSON commands the terminal that it is printed on',
      file: 'cli/terminal.ts',
      takeOut: [
        {
          find: 'return json.replace(UNSAFE_IN_JSON, escapeUnits)',
          replace: 'return json',
        },
      ],
      test: {
        file: 'test/cli/limits-protection.test.ts',
        name: 'every character that a terminal takes for a command is escaped in JSON',
      },
    },
    {
      protection: 'The log shows messages of peers without commands',
      threat: 'a claimed name in the log commands a terminal later',
      file: 'cli/format.ts',
      takeOut: [
        {
          find: 'const text = message.text === undefined ? `(${safeLine(message.kind)})` : safeBlock(message.text)',
          replace: "const text = message.text ?? ''",
        },
      ],
      test: {
        file: 'test/cli/commands.test.ts',
        name: 'for people: who and when, no commands of the peer to the terminal, no line that fakes another',
      },
    },
    {
      protection: 'Only this user may open the socket',
      threat: 'another user of the machine reads and writes messages',
      file: 'cli/socket-path.ts',
      takeOut: [{ find: 'protect: () => chmod(natural, 0o600),', replace: 'protect: () => chmod(natural, 0o666),' }],
      test: { file: server, name: 'only this user may open the socket, and it is gone with the server' },
    },
    {
      protection: 'A socket elsewhere lies in a directory that nobody could prepare',
      threat: 'another user of the machine listens at the place of the socket first',
      file: 'cli/socket-path.ts',
      takeOut: [
        {
          find: "const made = await mkdtemp(join(base, 'sotto-')).catch(() => undefined)",
          replace:
            "const made = await (await import('node:fs/promises')).mkdir(join(base, 'sotto-fixed'), { recursive: true, mode: 0o755 }).then(() => join(base, 'sotto-fixed'))",
        },
      ],
      test: {
        file: 'test/cli/limits-protection.test.ts',
        name: 'a socket outside of the home lies in a new directory of its own that is closed to others',
      },
    },
    {
      protection: 'A node that answers is not pushed aside',
      threat: 'a second node takes the socket of the first',
      file: 'cli/socket-path.ts',
      takeOut: [{ find: "throw new NodeError('locked', 'Another node runs on this home and answers.')", replace: '' }],
      test: { file: server, name: 'what a killed node left does not stop the next; a node that answers does' },
    },
    {
      protection: 'A line of the local API has at most 512 KiB',
      threat: 'a client fills the memory of the node',
      file: 'cli/lines.ts',
      takeOut: [
        {
          find: 'if (!skipping && heldBytes + part.length > maxBytes) {',
          replace: 'if (!skipping && heldBytes + part.length > 1e9) {',
        },
      ],
      test: {
        file: 'test/cli/lines.test.ts',
        name: 'a line that is too long is reported once, skipped to its end, and the next is read',
      },
    },
    {
      protection: 'A client has at most 256 calls unanswered',
      threat: 'a client keeps the node busy without end',
      file: 'cli/server.ts',
      takeOut: [
        {
          find: 'else if (calls >= limits.maxCalls) outbound.answer(encodeLine(tooMany(limits.maxCalls)))\n',
          replace: '',
        },
      ],
      test: { file: server, name: 'more calls at once than allowed are refused one by one' },
    },
    {
      protection: 'A client that does not read is dropped',
      threat: 'events for it fill the memory of the node',
      file: 'cli/outbound.ts',
      takeOut: [
        {
          find: 'if (toldBytes > 0 && toldBytes + line.length > maxBytes) {',
          replace: 'if (queue.length > 1e9) {',
        },
      ],
      test: { file: server, name: 'a client that does not read is dropped with the reason, and the others go on' },
    },
    {
      protection: 'A client that asks faster than it reads is not read meanwhile',
      threat: 'answers to it fill the memory of the node',
      file: 'cli/server.ts',
      takeOut: [
        {
          find: 'while (lines.length > 0 && working < limits.maxWorking && !congested)',
          replace: 'while (lines.length > 0)',
        },
        { find: 'if (lines.length > 0 || congested) socket.pause()\n    else socket.resume()', replace: '' },
      ],
      test: { file: 'test/cli/hostile-clients.test.ts', name: 'a client that asks and never reads waits for itself' },
    },
    {
      protection: 'Events for clients that come back are kept within 4 MiB',
      threat: 'long messages fill the memory of the node',
      file: 'cli/events.ts',
      takeOut: [{ find: ' || rememberedBytes > REMEMBERED_BYTES', replace: '' }],
      test: { file: 'test/cli/events.test.ts', name: 'events of many bytes are remembered for a shorter time' },
    },
    {
      protection: 'A cursor of another run of the node is not resumed',
      threat: 'a client misses what happened in between and is not told',
      file: 'cli/events.ts',
      takeOut: [{ find: 'ofRun === run && ', replace: '' }],
      test: {
        file: 'test/cli/events.test.ts',
        name: 'when the node lost events, subscribers are told and a cursor of before leads to a snapshot',
      },
    },
    {
      protection: 'At most 64 clients are served',
      threat: 'clients take all descriptors of the node',
      file: 'cli/server.ts',
      takeOut: [{ find: '  server.maxConnections = limits.maxClients\n', replace: '' }],
      test: {
        file: 'test/cli/limits-protection.test.ts',
        name: 'no more clients are served at a time than allowed, and those who are there stay',
      },
    },
    {
      protection: 'A parameter that is not known is refused',
      threat: 'a typing error passes for a default',
      file: 'cli/validate.ts',
      takeOut: [
        {
          find: 'if (unknown !== undefined) throw new NodeError(\'invalid\', `There is no parameter "${unknown.slice(0, 40)}" here.`)',
          replace: '',
        },
      ],
      test: { file: rpc, name: 'are refused with their name' },
    },
    {
      protection: 'Parameters have limits',
      threat: 'a client hands over texts of any size',
      file: 'cli/validate.ts',
      takeOut: [{ find: ' && Buffer.byteLength(value) <= maxBytes)', replace: ')' }],
      test: { file: rpc, name: 'are refused with their name' },
    },
    {
      protection: 'What is no call is answered, never thrown',
      threat: 'a client ends the node',
      file: 'cli/rpc.ts',
      takeOut: [
        {
          find: '  try {\n    return JSON.parse(decoder.decode(line))\n  } catch {\n    return undefined\n  }',
          replace: '  return JSON.parse(decoder.decode(line))',
        },
      ],
      test: { file: rpc, name: 'not UTF-8' },
    },
    {
      protection: 'A reader of events that is too slow is told and dropped',
      threat: 'events that nobody reads fill the memory',
      file: 'node/subscribers.ts',
      takeOut: [{ find: 'if (each.unread.length >= MAX_UNREAD) {', replace: 'if (each.unread.length >= 1e9) {' }],
      test: {
        file: 'test/node/driver-protection.test.ts',
        name: 'a reader of events that reads nothing is told that some are lost, and holds no more of them',
      },
    },
    {
      protection: 'A typed passphrase is not shown',
      threat: 'somebody reads it from the screen',
      file: 'cli/passphrase.ts',
      takeOut: [{ find: '  io.stdin.setRawMode?.(true)\n', replace: '' }],
      test: { file: 'test/cli/passphrase.test.ts', name: 'a new passphrase is typed twice, unseen' },
    },
    {
      protection: 'The log of a node in the background is bounded',
      threat: 'a peer fills the disk with warnings',
      file: 'cli/rotating-file.ts',
      takeOut: [{ find: 'if (size > 0 && size + bytes.length > maxBytes) rotate()', replace: '' }],
      test: {
        file: 'test/cli/logs.test.ts',
        name: 'the log of a node in the background is a few files of bounded size that only this user reads',
      },
    },
    {
      protection: 'Only this user reads the log',
      threat: 'another user of the machine learns when who was online',
      file: 'cli/rotating-file.ts',
      takeOut: [{ find: "openSync(path, 'a', 0o600)", replace: "openSync(path, 'a', 0o644)" }],
      test: {
        file: 'test/cli/logs.test.ts',
        name: 'the log of a node in the background is a few files of bounded size that only this user reads',
      },
    },
    {
      protection: 'No line of the log has a field with a text, a name, an account, an address or a key',
      threat: 'a log that somebody sends for help tells who talks with whom, or how to open a home',
      file: 'cli/log.ts',
      takeOut: [{ find: 'paths: HIDDEN.flatMap(', replace: 'paths: [].flatMap(' }],
      test: {
        file: 'test/cli/logs.test.ts',
        name: 'a field that people or secrets could be in shows in no line, at the top or within another',
      },
    },
    {
      protection: 'Of the values in the lines of libp2p only numbers and the names of errors are logged',
      threat: 'a log names the peers that a node has met, and where they are',
      file: 'node/network/component-log.ts',
      takeOut: [{ find: "value instanceof Error ? value.name : '(…)'", replace: 'String(value)' }],
      test: {
        file: 'test/node/network/component-log.test.ts',
        name: 'what libp2p calls an error is a line for debug, with its numbers and the kinds of its errors',
      },
    },
    {
      protection: 'Compiled code is taken only from a directory that nobody else can write',
      threat: 'another user of the machine puts a program of theirs in the place of compiled code',
      file: 'cli/compile-cache.ts',
      takeOut: [{ find: 'own && (stat.mode & 0o022) === 0', replace: 'own' }],
      test: {
        file: 'test/cli/compile-cache.test.ts',
        name: 'there is no cache where others can write, where somebody prepared a link, or where nothing can be made',
      },
    },
    {
      protection: 'What fails inside keeps its stack to itself',
      threat: 'an error shows secrets or paths',
      file: 'cli/errors.ts',
      takeOut: [
        {
          find: 'error instanceof Error ? `${error.name}: ${error.message}`',
          replace: 'error instanceof Error ? `${error.stack}`',
        },
      ],
      test: { file: 'test/cli/errors.test.ts', name: 'anything else is a defect and keeps its stack to itself' },
    },
  ],
}
