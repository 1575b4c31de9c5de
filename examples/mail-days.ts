/**
 * Three days of mail: five to nine people of whom nearly a third is away at any time, three of them keep the mail of the others
 * and two of these die, while everything goes wrong that has a name. At the end somebody has to get from the one mailbox that is
 * left what a writer who is gone was told to be stored.
 *
 *     sotto -v mesh simulate examples/mail-days.ts --seeds 100000 --for 1h --junit mail.xml     a line for each seed
 *     sotto mesh simulate examples/mail-days.ts --seed 42                                       one seed as a story
 */
import { MAIL_FAULTS, mailDay, type Scenario } from 'sotto/mesh'

const story: Scenario = mailDay({
  people: [5, 9],
  hours: 72,
  churn: 0.3,
  faults: [...MAIL_FAULTS, 'sleep', 'offline', 'hostile-visit', 'roll-back'],
})

export default story
