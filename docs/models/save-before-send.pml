/*
 * The commit window (docs/architecture.md "The commit window"; node/driver.ts, node/window.ts) under crashes, with numbers,
 * receipts and repetition (docs/protocol.md sections 9 "Resending" and 11; lib/chat/delivering.ts, authoring.ts, applying.ts).
 * What is asked, what is left out and how to run it: docs/models/README.md.
 *
 * An author writes texts to a reader. Each node has three copies of its state: in memory, in the window on its way to the disk,
 * on the disk. A crash (or a batch that the disk refused, which the driver answers in the same way) loses the first two and
 * everything that waited behind them. Frames and receipts that left may arrive late, repeatedly, in any order, or never. At
 * some time the faults end: `calm`. What left until then is lost for good, and what the author still repeats arrives.
 *
 * Each -D... below takes one rule away; the model must then fail.
 */

#define TEXTS 2
#ifndef CRASHES
#define CRASHES 2               /* of either node, together */
#endif
#ifndef KEYS
#define KEYS 3                  /* message keys of the author's chain: one for each text, and for what is sealed anew */
#endif

#define SET(n) (1 << (n))
#define HAS(set, n) (((set) >> (n)) & 1)

/* The rules. The verifier names the one that is broken; `hidden` keeps them out of the states. */
#define MUST(rule, holds) rule = (holds); assert(rule)
hidden byte key_seals_one_text, number_names_one_text, acknowledged_is_kept, nothing_stands_twice, nothing_shown_twice;
hidden byte accepted_arrives, author_knows;

/* How far a window is: nothing is being written; closed; on disk (driver.ts write, release). */
#define IDLE 0
#define CLOSED 1
#define ON_DISK 2

typedef Writer {                /* the author's rows: `head`, `session`, `outbox`, `message` */
  byte counter;                 /* numbers used */
  byte next;                    /* the next message key */
  byte number[TEXTS + 1];       /* of each text; 0: not written */
  byte key[TEXTS + 1];          /* the key that its frame in `outbox` is sealed with */
  byte delivered                /* set of texts that left the outbox */
}

typedef Reader {                /* the reader's rows: `session`, `head`, `message` */
  byte opened;                  /* set of keys used up */
  byte seen;                    /* set of numbers */
  byte history                  /* set of texts */
}

/* The copy in the window counts while it is CLOSED; before and after it is zero, so that equal situations are equal states. */
Writer wMem, wWindow, wDisk;
Reader rMem, rWindow, rDisk;
byte wStage = IDLE, rStage = IDLE;
bit wRows, rRows;               /* the open window has rows */

/* What waits behind the open window and behind the one on its way. */
byte wSends, wSendsNext;        /* sets of texts whose frame leaves */
byte wReplies, wRepliesNext;    /* sets of texts whose `send` is answered */
byte rReceipts, rReceiptsNext;  /* sets of numbers */
byte rShows, rShowsNext;        /* sets of texts */

/* What the world saw. */
byte typed;                     /* texts that the author's user wrote; what a crash took is not written again */
byte sealed[KEYS];              /* key -> text of the frame that left; 0: none */
byte numberOf[KEYS];            /* key -> number inside the frame */
byte numbered[KEYS + 1];        /* number -> text that left under it (a twin uses a number for each key) */
byte accepted;                  /* texts whose author was told that they are safe */
byte shown;                     /* texts that the reader's user was told of */
byte receipts;                  /* numbers in receipts that left */
byte crashes;
bit calm = 0;                   /* no more faults */

byte t, k, c;                   /* scratch of one step */

inline copyWriter(to, from) {
  to.counter = from.counter; to.next = from.next; to.delivered = from.delivered;
  copyOutbox(to, from)
}

inline copyOutbox(to, from) {
  t = 1;
  do
  :: t <= TEXTS -> to.number[t] = from.number[t]; to.key[t] = from.key[t]; t++
  :: else -> break
  od;
  t = 0
}

inline clearWriter(w) {
  w.counter = 0; w.next = 0; w.delivered = 0;
  t = 1;
  do
  :: t <= TEXTS -> w.number[t] = 0; w.key[t] = 0; t++
  :: else -> break
  od;
  t = 0
}

inline copyReader(to, from) { to.opened = from.opened; to.seen = from.seen; to.history = from.history }

inline clearReader(r) { r.opened = 0; r.seen = 0; r.history = 0 }

/* The frame of text n leaves, as `from` has it. */
inline leave(from, n) {
  k = from.key[n]; c = from.number[n];
  /* SAFETY: as far as anybody can see, a message key seals one plaintext and a number names one text. */
  MUST(key_seals_one_text, sealed[k] == 0 || (sealed[k] == n && numberOf[k] == c));
  MUST(number_names_one_text, numbered[c] == 0 || numbered[c] == n);
  sealed[k] = n; numberOf[k] = c; numbered[c] = n;
  k = 0; c = 0
}

inline leaveAll(from, set) {
  t = 1;
  do
  :: t <= TEXTS ->
     if
     :: HAS(set, t) -> leave(from, t)
     :: else
     fi;
     t++
  :: else -> break
  od;
  t = 0
}

/* ---- The author ---- */

/* `send`: numbers a text (authoring.ts write) and seals it (delivering.ts deliver); rows, frame and answer in one window. */
inline write(n) {
  wMem.counter++;
  wMem.number[n] = wMem.counter;
  wMem.key[n] = wMem.next;
  wMem.next++;
  wRows = 1;
  wSends = wSends | SET(n);
  wReplies = wReplies | SET(n);
#ifdef SEND_BEFORE_SAVE
  leave(wMem, n);
#endif
#ifdef REPLY_BEFORE_SAVE
  accepted = accepted | SET(n);
#endif
}

#define WAITS(n) (wMem.number[n] != 0 && !HAS(wMem.delivered, n))

/* The same bytes leave (resendOutbox). Only the first time tells the world anything; later ones are in ARRIVES. */
#define UNSENT(n) (WAITS(n) && sealed[wMem.key[n]] == 0 && !HAS(wSends | wSendsNext, n))

inline resend(n) { wSends = wSends | SET(n) }

/* The payload is sealed anew, because the session is another one or the chains went on (resendOutbox, deliver). */
#define RESEALABLE(n) (WAITS(n) && !HAS(wSends, n) && wMem.next < KEYS)

inline reseal(n) {
#ifdef NEW_NUMBER               /* what is sealed anew gets another number, too */
  wMem.counter++;
  wMem.number[n] = wMem.counter;
#endif
  wMem.key[n] = wMem.next;
#ifndef SAME_KEY                /* what is sealed anew does not use up its key */
  wMem.next++;
#endif
  wSends = wSends | SET(n);
  wRows = 1
}

/* A receipt (authoring.ts applyReceipts): the text leaves the outbox. */
#define ACKNOWLEDGED(n) (WAITS(n) && HAS(receipts, wMem.number[n]))

inline receipt(n) {
  /* SAFETY: what is acknowledged is on the reader's disk, whatever happens next. */
  MUST(acknowledged_is_kept, HAS(rDisk.history, n));
  wMem.delivered = wMem.delivered | SET(n);
  wRows = 1
}

#define OUTBOX_SAVED (wDisk.number[1] == wWindow.number[1] && wDisk.number[2] == wWindow.number[2] && \
  wDisk.key[1] == wWindow.key[1] && wDisk.key[2] == wWindow.key[2])

proctype Author() {
  do
  :: d_step { !calm && typed == 0 && wMem.next < KEYS -> typed = 1; write(1) }
  :: d_step { !calm && typed == 1 && wMem.next < KEYS -> typed = 2; write(2) }
  :: d_step { UNSENT(1) -> resend(1) }
  :: d_step { UNSENT(2) -> resend(2) }
  :: d_step { RESEALABLE(1) -> reseal(1) }
  :: d_step { RESEALABLE(2) -> reseal(2) }

  /* No write is under way: the window closes, the next one fills. */
  :: d_step { wStage == IDLE && (wRows || wSends || wReplies) ->
       copyWriter(wWindow, wMem);
       wSendsNext = wSends; wRepliesNext = wReplies;
       wSends = 0; wReplies = 0; wRows = 0;
       wStage = CLOSED }
  /* One synced batch. */
#ifdef SPLIT_RATCHET            /* two: the outbox with the texts and their numbers, then the ratchet */
  :: d_step { wStage == CLOSED && !OUTBOX_SAVED -> copyOutbox(wDisk, wWindow); wDisk.counter = wWindow.counter }
#define BATCH OUTBOX_SAVED
#endif
#ifdef SPLIT_COUNTER            /* two: the outbox with the ratchet, then the head with the number used last */
  :: d_step { wStage == CLOSED && !OUTBOX_SAVED -> copyOutbox(wDisk, wWindow); wDisk.next = wWindow.next }
#define BATCH OUTBOX_SAVED
#endif
#ifndef BATCH
#define BATCH true
#endif
  :: d_step { wStage == CLOSED && BATCH -> copyWriter(wDisk, wWindow); clearWriter(wWindow); wStage = ON_DISK }
  /* A crash between the sends and the answers differs from one after them only in that fewer know that a text is safe. */
  :: d_step { wStage == ON_DISK ->
       leaveAll(wDisk, wSendsNext);
#ifdef FORGET_ON_SEND           /* what left leaves the outbox, receipt or not */
       if :: wSendsNext -> wMem.delivered = wMem.delivered | wSendsNext; wRows = 1 :: else fi;
#endif
       accepted = accepted | wRepliesNext;
       wSendsNext = 0; wRepliesNext = 0; wStage = IDLE }

  :: d_step { ACKNOWLEDGED(1) -> receipt(1) }
  :: d_step { ACKNOWLEDGED(2) -> receipt(2) }

  /* The process dies: nothing is left but the disk. */
  :: d_step { !calm && crashes < CRASHES ->
       crashes++;
       copyWriter(wMem, wDisk);
       clearWriter(wWindow);
       wStage = IDLE; wRows = 0; wSends = 0; wSendsNext = 0; wReplies = 0; wRepliesNext = 0 }
  od
}

/* ---- The reader ---- */

/* A frame opens (incoming.ts open, applying.ts applyDurable). */
#ifdef NO_SEEN                  /* only the ratchet tells what came before */
#define IS_NEW(n) (!HAS(rMem.opened, n))
#else
#define IS_NEW(n) (!HAS(rMem.opened, n) && !HAS(rMem.seen, numberOf[n]))
#endif

inline receive(n) {
  c = numberOf[n];
  if
  :: IS_NEW(n) ->
     /* SAFETY: nothing stands in the history twice. */
     MUST(nothing_stands_twice, !HAS(rMem.history, sealed[n]));
     rMem.history = rMem.history | SET(sealed[n]);
     rShows = rShows | SET(sealed[n]);
#ifdef SHOW_BEFORE_SAVE
     tell(SET(sealed[n]));
     rShows = 0;
#endif
     rMem.seen = rMem.seen | SET(c)
  :: else                       /* a duplicate: only its receipt is due again */
  fi;
  rMem.opened = rMem.opened | SET(n);
  rReceipts = rReceipts | SET(c);
  rRows = 1;
#ifdef RECEIPT_BEFORE_SAVE
  receipts = receipts | SET(c);
#endif
  c = 0
}

inline tell(set) {
  /* SAFETY: the user is told of nothing twice. */
  MUST(nothing_shown_twice, (shown & (set)) == 0);
  shown = shown | (set)
}

/* What left may arrive at any time; when calm, what the author still repeats does. */
#define REPEATED(n) (WAITS(sealed[n]) && wMem.key[sealed[n]] == n)
/* Whether it would change anything: a frame that came, and whose receipt left or is about to, does not. */
#ifdef NO_SECOND_RECEIPT        /* a duplicate is dropped without a word */
#define MATTERS(n) IS_NEW(n)
#else
#define MATTERS(n) (!HAS(rMem.opened, n) || !HAS(receipts | rReceipts | rReceiptsNext, numberOf[n]))
#endif
#define ARRIVES(n) (sealed[n] != 0 && (!calm || REPEATED(n)) && MATTERS(n))

proctype Receiver() {
  do
  :: d_step { ARRIVES(0) -> receive(0) }
  :: d_step { ARRIVES(1) -> receive(1) }
  :: d_step { ARRIVES(2) -> receive(2) }
#if KEYS > 3
  :: d_step { ARRIVES(3) -> receive(3) }
#endif

  :: d_step { rStage == IDLE && rRows ->
       copyReader(rWindow, rMem);
       rReceiptsNext = rReceipts; rShowsNext = rShows;
       rReceipts = 0; rShows = 0; rRows = 0;
       rStage = CLOSED }
#ifdef SPLIT_READ               /* two batches: the ratchet and the numbers seen, then the history */
  :: d_step { rStage == CLOSED && (rDisk.opened != rWindow.opened || rDisk.seen != rWindow.seen) ->
       rDisk.opened = rWindow.opened; rDisk.seen = rWindow.seen }
  :: d_step { rStage == CLOSED && rDisk.opened == rWindow.opened && rDisk.seen == rWindow.seen ->
#else
  :: d_step { rStage == CLOSED ->
#endif
       copyReader(rDisk, rWindow); clearReader(rWindow); rStage = ON_DISK }
  :: d_step { rStage == ON_DISK ->
       receipts = receipts | rReceiptsNext; rReceiptsNext = 0;
       tell(rShowsNext); rShowsNext = 0;
       rStage = IDLE }

  :: d_step { !calm && crashes < CRASHES ->
       crashes++;
       copyReader(rMem, rDisk);
       clearReader(rWindow);
       rStage = IDLE; rRows = 0; rReceipts = 0; rReceiptsNext = 0; rShows = 0; rShowsNext = 0 }
  od
}

active proctype Judge() {
  atomic { run Author(); run Receiver() }
  d_step { calm = 1; receipts = 0 }
  timeout ->
  /* LIVENESS: what its author was told is safe is in the reader's history, and the author knows. */
  MUST(accepted_arrives, (accepted & ~rDisk.history) == 0);
  MUST(author_knows, (accepted & ~wDisk.delivered) == 0)
}
