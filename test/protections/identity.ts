import type { Part } from './protection.ts'

const account = 'lib/identity/account-record.ts'
const accountTest = 'test/lib/identity/account-record.test.ts'
const device = 'lib/identity/device-record.ts'
const deviceTest = 'test/lib/identity/device-record.test.ts'
const pins = 'lib/identity/pins.ts'
const pinsTest = 'test/lib/identity/pins.test.ts'
const slot = 'lib/identity/slot.ts'
const value = 'lib/identity/slot-value.ts'
const slotTest = 'test/lib/identity/slot.test.ts'

/** Who somebody is, and what the DHT may say about them. */
export const identity: Part = {
  title: 'Identity and slots',
  protections: [
    {
      protection: 'An account record is signed by its key',
      threat: 'a DHT node makes up the devices of somebody',
      file: account,
      takeOut: [
        {
          find: "assertSigned(primitives, record.key, 'account', splitSigned(bytes, 'account record', MAX_ACCOUNT_RECORD_BYTES))",
          replace: '',
        },
      ],
      test: { file: accountTest, name: 'is refused when another key signed it, or the right one as something else' },
    },
    {
      protection: 'In epoch 0 the account key itself signs',
      threat: 'anybody signs a record of anybody',
      file: account,
      takeOut: [
        {
          find: "if (epoch === 0 && !equalBytes(account, key)) throw malformed('account record: epoch 0 is signed by AK_0')",
          replace: '',
        },
      ],
      test: { file: accountTest, name: 'another key than AK_0 in epoch 0' },
    },
    {
      protection: 'No key serves two purposes',
      threat: 'a signature or an agreement is used for what it was not made for',
      file: account,
      takeOut: [
        {
          find: 'if (hasDuplicate([...accountKeys, ...devices.flatMap(({ dsk, ik }) => [dsk, ik])])) {',
          replace: 'if (accountKeys.length === 0) {',
        },
      ],
      test: { file: accountTest, name: 'one DSK twice' },
    },
    {
      protection: 'No id names two devices',
      threat: 'what one device signed is taken for the other',
      file: account,
      takeOut: [
        {
          find: "if (hasDuplicate(devices.map(({ did }) => did))) throw malformed('account record: a did stands in it twice')",
          replace: '',
        },
      ],
      test: { file: accountTest, name: 'one did twice' },
    },
    {
      protection: 'An account record holds for at most ninety days',
      threat: 'a stolen account key speaks for ever by one record',
      file: account,
      takeOut: [
        {
          find: 'if (expires <= issued || expires - issued > ACCOUNT_RECORD_LIFETIME_SECONDS) {',
          replace: 'if (expires <= issued) {',
        },
      ],
      test: { file: accountTest, name: 'a life of more than ninety days' },
    },
    {
      protection: 'An expired account record is refused',
      threat: 'a device that was revoked long ago is believed again',
      file: account,
      takeOut: [
        {
          find: "if (record.expires < seconds) throw new ProtocolError('out-of-date', 'account record: it has expired')",
          replace: '',
        },
      ],
      test: { file: pinsTest, name: 'that has expired or comes from the future is refused, and nothing is pinned' },
    },
    {
      protection: 'An account record from the future is refused',
      threat: 'a number far ahead locks the true records out',
      file: account,
      takeOut: [
        {
          find: 'if (Math.max(record.seq, record.issued) > seconds + MAX_AHEAD_SECONDS) {',
          replace: 'if (seconds < 0) {',
        },
      ],
      test: { file: pinsTest, name: 'that has expired or comes from the future is refused, and nothing is pinned' },
    },
    {
      protection: 'The record of another account is not believed',
      threat: 'a contact is replaced by somebody else',
      file: pins,
      takeOut: [
        { find: "throw new ProtocolError('unauthentic', 'account record: it is of another account')", replace: '' },
      ],
      test: { file: pinsTest, name: 'of another account is not believed' },
    },
    {
      protection: 'A lower account seq is ignored',
      threat: 'a replayed record brings back a revoked device',
      file: pins,
      takeOut: [
        {
          find: "if (record.epoch === pin.record.epoch && record.seq < pin.record.seq) return { kind: 'older', pin }",
          replace: '',
        },
      ],
      test: { file: pinsTest, name: 'is the first one, then only what has a higher seq' },
    },
    {
      protection: 'Two account records of one number are an equivocation',
      threat: 'a stolen account key shows different devices to different people',
      file: pins,
      takeOut: [{ find: 'return record.seq === pinned.seq || !equalBytes', replace: 'return !equalBytes' }],
      test: { file: pinsTest, name: 'with a twin of the same seq is an equivocation until a newer one comes' },
    },
    {
      protection: 'The next account key never changes',
      threat: 'a thief of the account key names his own successor',
      file: pins,
      takeOut: [{ find: '!equalBytes(record.next, pinned.next) || ', replace: '' }],
      test: { file: pinsTest, name: 'never changes its next key or the keys of a device, whatever the seq' },
    },
    {
      protection: 'The keys of a known device never change',
      threat: 'a thief of the account key takes the place of a device without a new one being told',
      file: pins,
      takeOut: [{ find: ' || changesKeys(record, pinned)', replace: '' }],
      test: { file: pinsTest, name: 'never changes its next key or the keys of a device, whatever the seq' },
    },
    {
      protection: 'A later epoch needs a path from the pinned one',
      threat: 'anybody declares an epoch of an account',
      file: pins,
      takeOut: [
        {
          find: 'return record.epoch === pinned.epoch + 1 && equalBytes(record.key, pinned.next)',
          replace: 'return record.epoch === pinned.epoch + 1',
        },
      ],
      test: { file: pinsTest, name: 'of an epoch that nothing leads to is not believed' },
    },
    {
      protection: 'Without a pin only epoch 0 is believed',
      threat: 'anybody declares an epoch of an account to newcomers',
      file: pins,
      takeOut: [
        {
          find: 'pin === null ? record.epoch === 0 : isNextEpoch',
          replace: 'pin === null ? record.epoch >= 0 : isNextEpoch',
        },
      ],
      test: { file: pinsTest, name: 'of an epoch that nothing leads to is not believed' },
    },
    {
      protection: 'An earlier epoch is void',
      threat: 'the stolen key of an epoch that is over goes on speaking',
      file: pins,
      takeOut: [{ find: "if (record.epoch < pin.record.epoch) return { kind: 'older', pin }", replace: '' }],
      test: { file: pinsTest, name: 'of the next epoch voids the one before, whatever its seq' },
    },
    {
      protection: 'A device record is signed by a device that the account lists',
      threat: 'a DHT node makes up prekeys and addresses of somebody',
      file: device,
      takeOut: [
        {
          find: "assertSigned(primitives, device.dsk, 'device', splitSigned(bytes, 'device record', MAX_DEVICE_RECORD_BYTES))",
          replace: '',
        },
      ],
      test: { file: deviceTest, name: 'is refused when another device signed it in its name' },
    },
    {
      protection: 'A device record names its account',
      threat: "one person's record is served as another's",
      file: device,
      takeOut: [
        { find: "throw new ProtocolError('unauthentic', 'device record: it names another account')", replace: '' },
      ],
      test: {
        file: deviceTest,
        name: 'is refused when it names another account or a device that the account does not list',
      },
    },
    {
      protection: 'A device record that knows a newer account record reveals an old one',
      threat: 'an old list of devices is served beside a new device record',
      file: device,
      takeOut: [{ find: 'if (account.seq < record.minAccountSeq) {', replace: 'if (account.seq < 0) {' }],
      test: { file: deviceTest, name: 'is refused beside an account record that is older than the device knows' },
    },
    {
      protection: 'A lower device seq is ignored',
      threat: 'a replayed record brings back old addresses and prekeys',
      file: pins,
      takeOut: [{ find: "if (record.seq < pin.seq) return { kind: 'older', pin }", replace: '' }],
      test: { file: pinsTest, name: 'goes up only' },
    },
    {
      protection: 'Two device records of one number are an equivocation',
      threat: 'a stolen device key shows different prekeys to different people',
      file: pins,
      takeOut: [
        {
          find: "if (record.seq === pin.seq) return { kind: 'equivocation', pin: { ...pin, equivocated: true } }",
          replace: '',
        },
      ],
      test: {
        file: 'test/lib/identity/pins.test.ts',
        name: 'with a twin of the same seq is an equivocation until a newer one comes',
      },
    },
    {
      protection: 'A device record from the future is refused',
      threat: 'a number far ahead locks the true records out',
      file: pins,
      takeOut: [
        {
          find: 'if (Math.max(record.seq, record.issued) > unixSeconds(now) + MAX_AHEAD_SECONDS) {',
          replace: 'if (now < 0) {',
        },
      ],
      test: { file: pinsTest, name: 'from the future is refused' },
    },
    {
      protection: 'A device record names at most eight addresses',
      threat: 'a contact makes others dial whomever it likes',
      file: device,
      takeOut: [{ find: "'addresses', { max: MAX_ADDRESSES })", replace: "'addresses')" }],
      test: { file: deviceTest, name: 'nine addresses' },
    },
    {
      protection: 'A prekey lives at most nine days',
      threat: 'privates that should be erased are needed for ever',
      file: 'lib/identity/prekeys.ts',
      takeOut: [
        {
          find: "if (expires <= issued || expires - issued > PREKEY_LIFETIME_SECONDS) throw malformed('prekey: at most nine days')",
          replace: '',
        },
      ],
      test: { file: 'test/lib/identity/prekeys.test.ts', name: 'of the wrong sizes, times or fields is refused' },
    },
    {
      protection: 'No session begins with an expired prekey',
      threat: 'recorded first messages open for a thief who comes late',
      file: 'lib/identity/prekeys.ts',
      takeOut: [{ find: 'return unixSeconds(now) < prekey.expires', replace: 'return prekey.expires > 0' }],
      test: { file: 'test/lib/identity/prekeys.test.ts', name: 'begins sessions for nine days' },
    },
    {
      protection: 'Privates of prekeys are erased eight days after they expired',
      threat: 'recorded first messages open for a thief who comes late',
      file: 'lib/identity/prekeys.ts',
      takeOut: [
        {
          find: 'return since >= (drained ? PREKEY_GRACE_SECONDS : PREKEY_GRACE_LIMIT_SECONDS)',
          replace: 'return since > 1e9 && drained',
        },
      ],
      test: { file: 'test/lib/identity/prekeys.test.ts', name: 'erases a private eight days after expiry' },
    },
    {
      protection: 'A slot is signed by the key it lies under',
      threat: 'anybody overwrites the slot of somebody',
      file: value,
      takeOut: [
        {
          find: "assertSigned(primitives, slot.blindedKey, 'dht', splitSigned(value, 'slot', MAX_SLOT_VALUE_BYTES))",
          replace: '',
        },
      ],
      test: { file: slotTest, name: 'signed by another key is refused, also when it names the right one' },
    },
    {
      protection: 'A slot value has one of two sizes',
      threat: 'the size tells whose slot it is, and nodes store whatever fits',
      file: value,
      takeOut: [
        {
          find: 'if (!SLOT_CT_SIZES.includes(ctBytes)) throw malformed(`slot: ${value.length} bytes is none of its sizes`)',
          replace: '',
        },
      ],
      test: { file: slotTest, name: 'a ciphertext of 4097 bytes' },
    },
    {
      protection: 'A storing node takes a value under its own key only',
      threat: 'an owner of one key fills the slots of others',
      file: value,
      takeOut: [
        {
          find: "if (key !== slotKeyOf(blindedKey)) throw malformed('slot: the value belongs under another key')",
          replace: '',
        },
      ],
      test: { file: slotTest, name: 'lies under its own key only, and only on its day and the two beside it' },
    },
    {
      protection: 'A storing node takes a value on its day and the two beside it',
      threat: 'old addresses are served for ever',
      file: value,
      takeOut: [{ find: 'if (Math.abs(day - today) > 1) {', replace: 'if (today < 0) {' }],
      test: { file: slotTest, name: 'lies under its own key only, and only on its day and the two beside it' },
    },
    {
      protection: 'A reader takes the key that it computed',
      threat: "somebody else's slot is taken for the one that was looked for",
      file: slot,
      takeOut: [
        { find: "throw new ProtocolError('unauthentic', \"slot: the value is not the account's\")", replace: '' },
      ],
      test: {
        file: 'test/lib/identity/strangers-protection.test.ts',
        name: 'a slot by somebody who knows its secret, but is not its owner',
      },
    },
    {
      protection: 'The padding of a slot is zero',
      threat: 'a value carries what nobody reads and everybody stores',
      file: slot,
      takeOut: [
        {
          find: "if (!isZero(padding)) throw malformed('slot: the padding is not zero')",
          replace: '',
        },
      ],
      test: { file: slotTest, name: 'with a ciphertext that does not open, or holds nonsense, is refused by readers' },
    },
    {
      protection: 'Each slot counts from a start of its own',
      threat: 'the clock in two revs links the slots of two days',
      file: slot,
      takeOut: [
        {
          find: 'const start = uintFrom(primitives.hkdf(secret, account, concat(REV, u32be(day)), 5))',
          replace: 'const start = 0',
        },
      ],
      test: {
        file: slotTest,
        name: 'starts counting elsewhere on each day, so that the clock behind two revs shows in neither',
      },
    },
    {
      protection: 'No rev is used twice',
      threat: 'an older value is as good as a newer one',
      file: slot,
      takeOut: [
        {
          find: 'return compareBytes(fromClock, afterLast) > 0 ? fromClock : afterLast',
          replace: 'return afterLast.length > 0 ? fromClock : afterLast',
        },
      ],
      test: { file: slotTest, name: 'goes up with every publication, also when the clock went back' },
    },
    {
      protection: 'The higher rev wins',
      threat: 'a replayed value takes the place of the newer one',
      file: value,
      takeOut: [
        { find: 'if (revs !== 0 || equalBytes(a, b)) return revs', replace: 'if (equalBytes(a, b)) return revs' },
      ],
      test: { file: slotTest, name: 'is replaced by the higher rev; of equal ones the lower hash stays' },
    },
    {
      protection: 'The key in a link is an account key',
      threat: 'a crafted link makes slots that nobody owns',
      file: 'lib/identity/invite.ts',
      takeOut: [
        { find: '  assertAccountKey(account)\n  return { account, secret', replace: '  return { account, secret' },
      ],
      test: { file: 'test/lib/identity/invite.test.ts', name: 'a key of small order' },
    },
    {
      protection: 'A link has at most 512 characters',
      threat: 'a pasted text is decoded whatever its size',
      file: 'lib/identity/invite.ts',
      takeOut: [
        {
          find: 'if (text.length > MAX_TEXT_LENGTH) throw malformed(`a link has at most ${MAX_LINK_LENGTH} characters`)\n  const',
          replace: 'const',
        },
        {
          find: '  if (link.length > MAX_LINK_LENGTH) throw malformed(',
          replace: '  if (link.length > 1e9) throw malformed(',
        },
        {
          find: "type: 'invite', fields: 4, maxBytes: MAX_LINK_LENGTH",
          replace: "type: 'invite', fields: 4, maxBytes: 1e9",
        },
      ],
      test: {
        file: 'test/lib/identity/strangers-protection.test.ts',
        name: 'a link that is well formed, but longer than 512 characters, is refused',
      },
    },
    {
      protection: 'A refused link does not quote its secret',
      threat: 'the secret of an invite stands in a log',
      file: 'lib/identity/invite.ts',
      takeOut: [
        {
          find: "throw malformed('invite: a character is wrong or missing')",
          replace: 'throw malformed(`invite: ${text} is wrong`)',
        },
      ],
      test: { file: 'test/lib/identity/invite.test.ts', name: 'tells nobody its secret when it is refused' },
    },
    {
      protection: 'A wrong recovery word is named by its place',
      threat: 'recovery words stand in a log',
      file: 'lib/identity/words.ts',
      takeOut: [
        {
          find: 'throw malformed(`word ${unknown + 1} is not in the word list`)',
          replace: 'throw malformed(`${words[unknown]} is not in the word list`)',
        },
      ],
      test: {
        file: 'test/lib/identity/words.test.ts',
        name: 'a word that is not in the list is named by its place, and never repeated',
      },
    },
  ],
}
