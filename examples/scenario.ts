/**
 * A scenario: what people do and what befalls them, played with as many seeds as you like in virtual time. Each seed has
 * other chances; afterwards the history of every run is checked.
 *
 *     sotto mesh simulate examples/scenario.ts --seeds 200     play it
 *     sotto mesh simulate examples/scenario.ts --seed 42       play one seed again, and tell what happens
 */
import { day, FORGIVABLE_FAULTS, type Scenario } from 'sotto/mesh'

// A day of three to nine people who write, meet, block each other, crash, sleep, lose their network and their time.
const story: Scenario = day({ people: [3, 9], hours: 24, pace: 6, faults: FORGIVABLE_FAULTS })

export default story
