/*
 * The commit window (docs/architecture.md "The commit window"; node/driver.ts, node/window.ts) under crashes, with numbers,
 * receipts and repetition (docs/protocol.md sections 9 "Resending" and 11; lib/chat/delivering.ts, authoring.ts, applying.ts).
 * What is asked, what is left out and how to run it: docs/models/README.md.
 *
 * An author writes texts to a reader. Each node has three copies of its state: in memory, in the window on its way to the disk,
 * on the disk. A crash (or a batch that the disk refused, which the driver answers in the same way) loses the first two and
 * everything that waited behind them. Frames and receipts that left may arrive late, repeatedly, in any order, or never.
 *
 * Each -D... below takes one rule away; the model must then fail.
 */

#define TEXTS 2
#ifndef CRASHES
#define CRASHES 1               /* of either node, together */
#endif
#define KEYS 3                  /* message keys of the author's chain: one for each text, and for what is sealed anew */

#define SET(n) (1 << (n))
#define HAS(set, n) (((set) >> (n)) & 1)
#define ALL (SET(TEXTS + 1) - 2)

/* How far a window is: nothing is being written; closed; on disk; its sends left (driver.ts write, release). */
#define IDLE 0
#define CLOSED 1
#define ON_DISK 2
#define SENT 3

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

Writer wMem, wWindow, wDisk;
Reader rMem, rWindow, rDisk;
byte wStage = IDLE, rStage = IDLE;
bit wRows, rRows;               /* the open window has rows */

/* What waits behind the open window and behind the one on its way. */
byte wSends, wSendsNext;        /* sets of texts whose frame leaves */
byte wReplies, wRepliesNext;    /* sets of texts whose `send` is answered */
byte rReceipts, rReceiptsNext;  /* sets of numbers */
byte rShows, rShowsNext;        /* sets of texts */
byte again;                     /* after a start: texts in the outbox that are to leave again */

/* What the world saw. */
byte sealed[KEYS];              /* key -> text of the frame that left; 0: none */
byte numbered[TEXTS + 1];       /* number -> text that left under it */
byte numberOf[KEYS];            /* key -> number inside the frame */
byte accepted;                  /* texts whose author was told that they are safe */
byte shown;                     /* texts that the reader's user was told of */
byte receipts;                  /* numbers in receipts that left */
byte crashes;
bit calm = 0;                   /* no more crashes; what is repeated arrives */

byte t, k, c;                   /* scratch of one step */

inline copyWriter(to, from) {
  to.counter = from.counter; to.next = from.next; to.delivered = from.delivered;
  t = 1;
  do
  :: t <= TEXTS -> to.number[t] = from.number[t]; to.key[t] = from.key[t]; t++
  :: else -> break
  od;
  t = 0
}

inline copyReader(to, from) { to.opened = from.opened; to.seen = from.seen; to.history = from.history }

/* The frame of text n leaves, as `from` has it. */
inline leave(from, n) {
  k = from.key[n]; c = from.number[n];
  /* SAFETY: a message key never seals two plaintexts, a number never names two texts, as far as anybody can see. */
  assert(sealed[k] == 0 || (sealed[k] == n && numberOf[k] == c));
  assert(numbered[c] == 0 || numbered[c] == n);
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
  d_step {
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
}

/* After a start what is in the outbox leaves again (resendOutbox): the same bytes, or the payload sealed anew. */
inline resend(n, anew) {
  d_step {
    again = again & ~SET(n);
    wSends = wSends | SET(n);
    if
    :: anew ->
#ifdef NEW_NUMBER               /* what is sealed anew gets another number, too */
       wMem.counter++;
       wMem.number[n] = wMem.counter;
#endif
#ifdef SAME_KEY                 /* the key counter is not saved with the frame */
       wMem.key[n] = 0;
#else
       wMem.key[n] = wMem.next;
       wMem.next++;
#endif
       wRows = 1
    :: else
    fi
  }
}

/* A receipt (authoring.ts applyReceipts): the text leaves the outbox. */
#define ACKNOWLEDGED(n) (wMem.number[n] != 0 && HAS(receipts, wMem.number[n]) && !HAS(wMem.delivered, n))

inline receipt(n) {
  d_step {
    /* SAFETY: what is acknowledged is on the reader's disk, whatever happens next. */
    assert(HAS(rDisk.history, n));
    wMem.delivered = wMem.delivered | SET(n);
    wRows = 1
  }
}

proctype Author() {
  do
  :: atomic { !calm && wMem.number[1] == 0 && wMem.next < KEYS -> write(1) }
  :: atomic { !calm && wMem.number[2] == 0 && wMem.next < KEYS -> write(2) }
  :: atomic { HAS(again, 1) -> resend(1, 0) }
  :: atomic { HAS(again, 2) -> resend(2, 0) }
  :: atomic { HAS(again, 1) && wMem.next < KEYS -> resend(1, 1) }
  :: atomic { HAS(again, 2) && wMem.next < KEYS -> resend(2, 1) }

  /* No write is under way: the window closes, the next one fills. */
  :: d_step { wStage == IDLE && (wRows || wSends || wReplies) ->
       copyWriter(wWindow, wMem);
       wSendsNext = wSends; wRepliesNext = wReplies;
       wSends = 0; wReplies = 0; wRows = 0;
       wStage = CLOSED }
#ifdef SPLIT_WRITE              /* two batches: the outbox with the texts, then the ratchet and the numbers */
  :: d_step { wStage == CLOSED && (wDisk.number[1] != wWindow.number[1] || wDisk.number[2] != wWindow.number[2]) ->
       t = 1;
       do
       :: t <= TEXTS -> wDisk.number[t] = wWindow.number[t]; wDisk.key[t] = wWindow.key[t]; t++
       :: else -> break
       od;
       t = 0 }
  :: d_step { wStage == CLOSED && wDisk.number[1] == wWindow.number[1] && wDisk.number[2] == wWindow.number[2] ->
       copyWriter(wDisk, wWindow); wStage = ON_DISK }
#else
  :: d_step { wStage == CLOSED -> copyWriter(wDisk, wWindow); wStage = ON_DISK }       /* one synced batch */
#endif
  :: d_step { wStage == ON_DISK ->
       leaveAll(wWindow, wSendsNext);
#ifdef FORGET_ON_SEND           /* what left leaves the outbox, receipt or not */
       wMem.delivered = wMem.delivered | wSendsNext; wRows = 1;
#endif
       wSendsNext = 0; wStage = SENT }
  :: d_step { wStage == SENT -> accepted = accepted | wRepliesNext; wRepliesNext = 0; wStage = IDLE }

  :: atomic { ACKNOWLEDGED(1) -> receipt(1) }
  :: atomic { ACKNOWLEDGED(2) -> receipt(2) }

  /* The process dies: nothing is left but the disk. */
  :: d_step { !calm && crashes < CRASHES ->
       crashes++;
       copyWriter(wMem, wDisk);
       copyWriter(wWindow, wDisk);
       wStage = IDLE; wRows = 0; wSends = 0; wSendsNext = 0; wReplies = 0; wRepliesNext = 0;
       again = 0; t = 1;
       do
       :: t <= TEXTS ->
          if
          :: wMem.number[t] != 0 && !HAS(wMem.delivered, t) -> again = again | SET(t)
          :: else
          fi;
          t++
       :: else -> break
       od;
       t = 0 }
  od
}

/* ---- The reader ---- */

/* A frame opens (incoming.ts open, applying.ts applyDurable). */
inline receive(n) {
  d_step {
    c = numberOf[n];
    if
#ifdef NO_SEEN                  /* only the ratchet tells what came before */
    :: !HAS(rMem.opened, n) ->
#else
    :: !HAS(rMem.opened, n) && !HAS(rMem.seen, c) ->
#endif
       /* SAFETY: nothing stands in the history twice. */
       assert(!HAS(rMem.history, sealed[n]));
       rMem.history = rMem.history | SET(sealed[n]);
       rShows = rShows | SET(sealed[n]);
#ifdef SHOW_BEFORE_SAVE
       assert(!HAS(shown, sealed[n]));
       shown = shown | SET(sealed[n]);
       rShows = 0;
#endif
       rMem.seen = rMem.seen | SET(c);
    :: else                     /* a duplicate: only its receipt is due again */
    fi;
    rMem.opened = rMem.opened | SET(n);
    rReceipts = rReceipts | SET(c);
    rRows = 1;
#ifdef RECEIPT_BEFORE_SAVE
    receipts = receipts | SET(c);
#endif
    c = 0
  }
}

/* What left may arrive at any time; when calm it is repeated until its receipt is on its way. */
#define ARRIVES(n) (sealed[n] != 0 && (!calm || (!HAS(receipts, numberOf[n]) && rStage == IDLE && !rRows)))

proctype Receiver() {
  do
  :: atomic { ARRIVES(0) -> receive(0) }
  :: atomic { ARRIVES(1) -> receive(1) }
  :: atomic { ARRIVES(2) -> receive(2) }

  :: d_step { rStage == IDLE && rRows ->
       copyReader(rWindow, rMem);
       rReceiptsNext = rReceipts; rShowsNext = rShows;
       rReceipts = 0; rShows = 0; rRows = 0;
       rStage = CLOSED }
  :: d_step { rStage == CLOSED -> copyReader(rDisk, rWindow); rStage = ON_DISK }
  :: d_step { rStage == ON_DISK -> receipts = receipts | rReceiptsNext; rReceiptsNext = 0; rStage = SENT }
  :: d_step { rStage == SENT ->
       /* SAFETY: the user is told of nothing twice. */
       assert((shown & rShowsNext) == 0);
       shown = shown | rShowsNext; rShowsNext = 0; rStage = IDLE }

  :: d_step { !calm && crashes < CRASHES ->
       crashes++;
       copyReader(rMem, rDisk);
       copyReader(rWindow, rDisk);
       rStage = IDLE; rRows = 0; rReceipts = 0; rReceiptsNext = 0; rShows = 0; rShowsNext = 0 }
  od
}

active proctype Judge() {
  atomic { run Author(); run Receiver() }
  calm = 1;
  timeout ->
  /* LIVENESS: what its author was told is safe is in the reader's history, and the author knows. */
  assert((accepted & ~rDisk.history) == 0);
  assert((accepted & ~wDisk.delivered) == 0)
}
