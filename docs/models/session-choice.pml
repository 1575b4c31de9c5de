/*
 * Which session two devices send in: docs/protocol.md sections 7, 8 and 12; lib/chat/sessions.ts, admission.ts,
 * session-entry.ts, binding.ts, incoming.ts. What is asked, what is left out and how to run it: docs/models/README.md.
 *
 * Two honest devices A and B, who accepted each other, share one confirmed session. Then come faults, in any order: starts by
 * either side (at once, too), frames that are lost, late, reordered or repeated, clocks that are slow or fast, lost rows, and
 * a thief of B's prekeys who begins sessions with B in A's name. At some time the faults end: `calm`. From then on what is
 * repeated arrives, and the rules by which a side begins a new session have to bring the two together.
 *
 * Each -D... below takes one rule away; the model must then fail.
 */

#define A 0
#define B 1
#define NOBODY 255              /* no session */

#ifndef STARTS
#define STARTS 2                /* honest starts while there are faults */
#endif
#ifndef FORGERIES
#define FORGERIES 2             /* sessions that the thief begins: as many as unconfirmed ones are kept */
#endif
#ifndef LOSSES
#define LOSSES 1                /* how often a side loses its session rows */
#endif
#ifndef REMEDIES
#define REMEDIES 2              /* sessions that the two may need to begin after the faults until they agree */
#endif
#define SLOTS (1 + STARTS + FORGERIES + REMEDIES)

#define CONFIRMED_KEPT 2        /* the protocol keeps 3; fewer are reached in smaller runs */
#define UNCONFIRMED_KEPT 2

/* Generations. A clock shows SLOW or FAST whenever it is asked; AHEAD stands for "26 h ahead of every honest clock". */
#define SLOW 0
#define FAST 8
#define AHEAD 20

/* The rules. The verifier names the one that is broken; `hidden` keeps them out of the states. */
#define MUST(rule, holds) rule = (holds); assert(rule)
hidden byte nothing_sealed_for_the_thief, confirmed_not_evicted, confirmed_not_displaced, nothing_taken_from_the_thief;
hidden byte link_not_bound_to_the_thief, remedies_suffice, bounds_suffice, both_agree;

/* What a side holds of a session. Chains 0 to 2 of section 8: */
#define NONE 0
#define ASKED 1                 /* initiator: sent in chain 0, repeats it */
#define ANSWERED 2              /* responder: opened chain 0, sent in chain 1, repeats that; the initiator is not confirmed */
#define SURE 3                  /* confirmed: the initiator opened chain 1, or the responder opened chain 2 */
#define OVER 4                  /* responder: dropped or refused, its prefix is remembered (section 12) */

typedef Session {
  bit from;                     /* whose name is in the handshake: the initiator */
  bit forged;                   /* the thief began it, posing as A */
  byte gen;
  byte at[2];                   /* what A and B hold of it */
  byte life;                    /* the responder ran this handshake so many times; each time it draws another r_B */
  byte heard;                   /* initiator: the life whose chain 1 it opened; chain 2 opens in no other */
  byte answers;                 /* set of lives whose chain 1 left */
  bit follows;                  /* chain 2 left, for the present life */
  byte told                     /* responder refused: 1 + the gen in its `gen-too-low`, else 0 */
}

Session S[SLOTS];
byte made = 0;                  /* sessions begun; an index also is the session id that breaks ties */
byte begun = 0, forgeries = 0, losses = 0;
byte lastGen[2];                /* `last gen` of section 12 */
byte newest[2];                 /* the unconfirmed session that came last */
byte best[2];                   /* the sending session */
bit calm = 0;                   /* no more faults */
bit bound = 0;                  /* a link between the two is proved (only looked at when calm) */

byte i, x, worst, high, kept, was;   /* scratch of one step */

#define OTHER(s) (1 - (s))
#define TO(n) (1 - S[n].from)
#define I(n) S[n].at[S[n].from] /* what the initiator holds */
#define R(n) S[n].at[1 - S[n].from]
#define LIVE(s, n) (S[n].at[s] == ASKED || S[n].at[s] == ANSWERED || S[n].at[s] == SURE)
#define WEAK(s, n) (S[n].at[s] == ASKED || S[n].at[s] == ANSWERED)
#define HAS(set, n) (((set) >> (n)) & 1)

/* ---- Preference: session-entry.ts byPreference. Confirmed first, then the higher gen, then the lower id. ---- */

#ifdef THIEF_DISPLACES          /* the higher gen, confirmed or not */
#define RANK(s, n) (S[n].gen)
#else
#define RANK(s, n) (S[n].gen + (S[n].at[s] == SURE -> 64 : 0))
#endif

#ifdef EQUAL_GEN_ANY            /* of equal gens each side takes its own, instead of both the same */
#define BEATS(s, n, m) (RANK(s, n) > RANK(s, m) || (RANK(s, n) == RANK(s, m) && S[n].from == s && S[m].from != s))
#else
#define BEATS(s, n, m) (RANK(s, n) > RANK(s, m))
#endif

#ifdef CONTENT_UNCONFIRMED      /* content leaves in whatever session is preferred (against decision 0014) */
#define SEALS(s, n) LIVE(s, n)
#else
#define SEALS(s, n) (S[n].at[s] == SURE)
#endif

/* sendingSession: run after every change of what `s` holds. Content that waits is sealed in it at once. */
inline choose(s) {
  best[s] = NOBODY;
  i = 0;
  do
  :: i < made ->
     if
     :: LIVE(s, i) && best[s] == NOBODY -> best[s] = i
     :: LIVE(s, i) && best[s] != NOBODY && BEATS(s, i, best[s]) -> best[s] = i
     :: else
     fi;
     i++
  :: else -> break
  od;
  /* SAFETY: nothing is sealed in a session of the thief. */
  if
  :: best[s] != NOBODY && SEALS(s, best[s]) -> MUST(nothing_sealed_for_the_thief, !S[best[s]].forged)
  :: else
  fi;
  i = 0
}

/* dropSession: the prefix of a confirmed one stays remembered, that of an unconfirmed one may come again. */
inline drop(s, n) {
  if
  :: S[n].at[s] == SURE && S[n].from != s -> S[n].at[s] = OVER
  :: else -> S[n].at[s] = NONE
  fi
}

/* letGo: at most so many of each kind. */
inline letGo(s) {
  worst = NOBODY; kept = 0; i = 0;
  do                            /* confirmed: the least preferred goes */
  :: i < made ->
     if
     :: S[i].at[s] == SURE ->
        kept++;
        if
        :: worst == NOBODY -> worst = i
        :: worst != NOBODY && !BEATS(s, i, worst) -> worst = i
        :: else
        fi
     :: else
     fi;
     i++
  :: else -> break
  od;
  if
  :: kept > CONFIRMED_KEPT -> drop(s, worst)
  :: else
  fi;
  worst = NOBODY; kept = 0; i = 0;
  do                            /* unconfirmed: those that came last stay */
  :: i < made ->
     if
#ifdef EVICT_TOGETHER           /* confirmed and unconfirmed share one limit, and the gen decides */
     :: LIVE(s, i) ->
        kept++;
        if
        :: worst == NOBODY -> worst = i
        :: worst != NOBODY && S[i].gen < S[worst].gen -> worst = i
        :: else
        fi
#else
     :: WEAK(s, i) ->
        kept++;
        if
#ifdef EVICT_LOWEST             /* the lowest gen goes, be it the newcomer */
        :: worst == NOBODY -> worst = i
        :: worst != NOBODY && !BEATS(s, i, worst) -> worst = i
#else
        :: i != x && i != newest[s] -> worst = i
#endif
        :: else
        fi
#endif
     :: else
     fi;
     i++
  :: else -> break
  od;
  if
  :: kept > UNCONFIRMED_KEPT && worst != NOBODY ->
     /* SAFETY: what is confirmed does not give way to what is not. */
     MUST(confirmed_not_evicted, S[worst].at[s] != SURE);
     drop(s, worst)
  :: else
  fi;
  if
  :: WEAK(s, x) -> newest[s] = x
  :: newest[s] != NOBODY && !WEAK(s, newest[s]) -> newest[s] = NOBODY
  :: else
  fi;
  worst = 0; kept = 0; i = 0
}

/* What can have no effect any more is set to zero, so that equal situations are equal states. No rule of the protocol. */
inline tidy() {
  i = 0;
  do
  :: i < made ->
     if :: I(i) != ASKED -> S[i].answers = 0; S[i].told = 0 :: else fi;
     if :: I(i) != SURE -> S[i].heard = 0 :: else fi;
     if :: R(i) != ANSWERED -> S[i].follows = 0 :: else fi;
     i++
  :: else -> break
  od;
  i = 0
}

/* ---- Beginning a session: section 12, sessions.ts start ---- */

#ifdef NO_GEN_RULE              /* the clock alone */
#define GEN(s, clock) (clock)
#else
#define GEN(s, clock) ((clock) > lastGen[s] -> (clock) : lastGen[s] + 1)
#endif

inline begin(s, clock) {
  d_step {
    /* LIVENESS: after the faults the two agree after at most REMEDIES more starts. */
    MUST(remedies_suffice, made < SLOTS);
    x = made;
    made++;
    S[x].from = s;
    S[x].gen = GEN(s, clock);
    S[x].at[s] = ASKED;
    lastGen[s] = S[x].gen;
    letGo(s);
    choose(s);
    tidy();
    x = 0
  }
}

/* ---- What arrives ---- */

/* The gen of the best confirmed session of `s` into `high`. */
inline highest(s) {
  high = 0; i = 0;
  do
  :: i < made ->
     if
     :: S[i].at[s] == SURE && S[i].gen > high -> high = S[i].gen
     :: else
     fi;
     i++
  :: else -> break
  od;
  i = 0
}

/* Section 8, steps 4 to 10 of the responder (admission.ts admit): a prefix of which nothing is known. */
inline opensPrefix(n, r) {
  d_step {
    x = n;
    was = best[r];
    highest(r);
    if
#ifndef NO_GEN_TOO_LOW
    :: S[n].gen <= high -> S[n].at[r] = OVER; S[n].told = 1 + high
    :: S[n].gen > high ->
#else
    :: true ->
#endif
       S[n].at[r] = ANSWERED;
#ifdef GEN_AT_OPEN              /* a gen is believed when the session opens (against decision 0020) */
       lastGen[r] = (S[n].gen > lastGen[r] -> S[n].gen : lastGen[r]);
#endif
#ifdef WEAK_APPLIED             /* content of chain 0 is taken at once (against decision 0021) */
       MUST(nothing_taken_from_the_thief, !S[n].forged);
#endif
       letGo(r);
       if
       :: S[n].at[r] == ANSWERED ->
          S[n].life++;
          S[n].follows = 0;
          MUST(bounds_suffice, S[n].life < 8);
          S[n].answers = S[n].answers | (1 << S[n].life)
       :: calm && S[n].at[r] != ANSWERED -> S[n].at[r] = OVER       /* for good: it would be the same each time */
       :: else
       fi
    fi;
    choose(r);
    /* SAFETY: what somebody unconfirmed begins does not displace a confirmed session. */
    MUST(confirmed_not_displaced, was == NOBODY || S[was].at[r] != SURE || best[r] == was);
    tidy();
    x = 0; high = 0; was = 0
  }
}

/* The initiator opens the first frame of chain 1: the responder is who it should be (incoming.ts onConfirmed). */
inline opensChain1(n, k) {
  d_step {
    x = n;
    S[n].at[S[n].from] = SURE;
    S[n].heard = k;
    if :: k == S[n].life -> S[n].follows = 1 :: else fi;
    lastGen[S[n].from] = (S[n].gen > lastGen[S[n].from] -> S[n].gen : lastGen[S[n].from]);
    letGo(S[n].from);
    choose(S[n].from);
    tidy();
    x = 0
  }
}

/* The responder opens the first frame of chain 2: what was held of chain 0 and this frame's content are taken. */
inline opensChain2(n, r) {
  d_step {
    /* SAFETY: nothing of the thief's is taken for A's. */
    MUST(nothing_taken_from_the_thief, !S[n].forged);
    x = n;
    S[n].at[r] = SURE;
    lastGen[r] = (S[n].gen > lastGen[r] -> S[n].gen : lastGen[r]);
    letGo(r);
    choose(r);
    tidy();
    x = 0
  }
}

/* `gen-too-low [G]` (applying.ts applyControl): believed, the session forgotten; the new start follows. */
inline isRefused(n) {
  d_step {
    x = n;
    was = S[n].from;
    high = (S[n].told - 1 > S[n].gen -> S[n].told - 1 : S[n].gen);
    lastGen[was] = (high > lastGen[was] -> high : lastGen[was]);
    S[n].at[was] = NONE;
    letGo(was);
    choose(was);
    tidy();
    x = 0; was = 0; high = 0
  }
}

/*
 * Carries the frames of session n. With faults every frame that ever left may arrive at any time, any number of times or
 * never. When calm, what arrives is what a side still repeats ("Confirmation is driven", section 12).
 */
proctype Carrier(byte n) {
  do
  :: atomic { n < made && R(n) == NONE && S[n].gen <= AHEAD &&
       (calm -> I(n) == ASKED && !S[n].forged : S[n].life < 2) -> opensPrefix(n, TO(n)) }
  :: atomic { n < made && !S[n].forged && I(n) == ASKED && HAS(S[n].answers, 1) &&
       (!calm || (R(n) == ANSWERED && S[n].life == 1)) -> opensChain1(n, 1) }
  :: atomic { n < made && !S[n].forged && I(n) == ASKED && HAS(S[n].answers, 2) &&
       (!calm || (R(n) == ANSWERED && S[n].life == 2)) -> opensChain1(n, 2) }
  :: atomic { n < made && calm && !S[n].forged && I(n) == ASKED && R(n) == ANSWERED && S[n].life > 2 ->
       opensChain1(n, S[n].life) }
  :: atomic { n < made && R(n) == ANSWERED && S[n].follows && (!calm || I(n) == SURE) ->
       opensChain2(n, TO(n)) }
#ifdef NO_AUTH                  /* r_B is not mixed with IK_A: chain 1 opens for whoever did the handshake */
  :: atomic { n < made && S[n].forged && R(n) == ANSWERED && !calm -> opensChain2(n, TO(n)) }
#endif
  :: atomic { n < made && !S[n].forged && I(n) == ASKED && R(n) == OVER && S[n].told > 0 ->
       isRefused(n);
       if                       /* with faults a `Side` begins whenever it likes */
       :: calm -> if :: begin(S[n].from, SLOW) :: begin(S[n].from, FAST) fi
       :: !calm
       fi }
  od
}

/* ---- Faults ---- */

/* While there are faults a side may begin at any time: a proof or a frame was lost, ten minutes went by. */
proctype Side(bit s) {
  do
  :: atomic { !calm && begun < STARTS -> begun++; if :: begin(s, SLOW) :: begin(s, FAST) fi }
  :: atomic { !calm && losses < LOSSES -> losses++;
       if :: true :: lastGen[s] = 0 fi;       /* the rows of the sessions alone, or with what it knew of generations */
       d_step {
         i = 0;
         do
         :: i < made -> S[i].at[s] = NONE;
            if :: S[i].from != s -> S[i].told = 0 :: else fi;
            i++
         :: else -> break
         od;
         i = 0;
         newest[s] = NOBODY;
         choose(s);
         tidy()
       } }
  od
}

/* Who stole B's prekeys can do A's part of the handshake and send in chain 0. What it cannot: open chain 1 (section 8). */
proctype Thief() {
  byte n;
  do
  :: atomic { !calm && forgeries < FORGERIES ->
       n = made; made++; forgeries++;
       S[n].from = A; S[n].forged = 1;
       S[n].gen = AHEAD;        /* the most that B believes */
       n = 0 }
#ifdef PROOF_UNCONFIRMED        /* the listener answers a proof by any session it has (against section 7) */
  :: atomic { !calm && forgeries > 0 ->
       n = 0;
       do
       :: n < made - 1 && !(S[n].forged && S[n].at[B] == ANSWERED) -> n++
       :: else -> break
       od;
       /* SAFETY: a link of the thief's is not bound to A. */
       MUST(link_not_bound_to_the_thief, !(S[n].forged && S[n].at[B] == ANSWERED));
       n = 0 }
#endif
  od
}

/* ---- Calm: section 7, Proof; section 12, Beginning a session ---- */

/* What the listener has of the session that `s` would prove itself by. */
#define ACCEPTS(s) (best[s] != NOBODY && (S[best[s]].at[OTHER(s)] == SURE || S[best[s]].at[OTHER(s)] == ASKED))
/* Whether frames of the other side's sending session open here. */
#define READS(s, n) (S[n].at[s] == SURE || (S[n].at[s] == ANSWERED && S[n].heard == S[n].life))
#define UNREADABLE(s) (best[OTHER(s)] != NOBODY && S[best[OTHER(s)]].at[OTHER(s)] == SURE && !READS(s, best[OTHER(s)]))
/* The answer of another life comes to an initiator that knows chain 1 already. */
#define CLONE(n) (n < made && I(n) == SURE && R(n) == ANSWERED && S[n].heard != S[n].life)
#define AGREED (bound && best[A] != NOBODY && best[A] == best[B] && S[best[A]].at[A] == SURE && S[best[A]].at[B] == SURE)

/*
 * Time passes only when nothing is on its way any more (`timeout`): patience ends, and so does the pause of ten minutes
 * between two starts. Then one of the sides does what its rules allow.
 */
active proctype Patience() {
  atomic {
    best[A] = NOBODY; best[B] = NOBODY; newest[A] = NOBODY; newest[B] = NOBODY;
    S[0].gen = 1; S[0].at[A] = SURE; S[0].at[B] = SURE; S[0].life = 1; S[0].heard = 1;
    lastGen[A] = 1; lastGen[B] = 1;
    made = 1;
    d_step { choose(A) };
    d_step { choose(B) };
    run Side(A); run Side(B); run Thief();
    i = 0;
    do
    :: i < SLOTS -> run Carrier(i); i++
    :: else -> i = 0; break
    od
  }
  /* The faults end; the link is new, or was proved before by a session that both have. */
  atomic {
    calm = 1;
    i = 0;
    do
    :: i < made && !(LIVE(A, i) && LIVE(B, i)) -> i++
    :: else -> break
    od;
    if
    :: i < made -> bound = 1
    :: true
    fi;
    i = 0
  }
  do
  :: atomic { timeout ->
     if
     :: !bound && (ACCEPTS(A) || ACCEPTS(B)) -> bound = 1
     /* A proof is not answered within 5 s, or there is no session to prove anything by. */
     :: !bound && !ACCEPTS(A) -> if :: begin(A, SLOW) :: begin(A, FAST) fi
     :: !bound && !ACCEPTS(B) -> if :: begin(B, SLOW) :: begin(B, FAST) fi
     /* Three frames on the bound link that no session opens. */
     :: bound && UNREADABLE(A) -> if :: begin(A, SLOW) :: begin(A, FAST) fi
     :: bound && UNREADABLE(B) -> if :: begin(B, SLOW) :: begin(B, FAST) fi
     :: else ->
        /* LIVENESS: when nothing moves any more, both seal in one confirmed session, over a proved link. */
        MUST(both_agree, AGREED);
        break
     fi }
  od
}
