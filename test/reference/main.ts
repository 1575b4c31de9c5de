/** `npm run docs`: writes the parts of `docs/api.md` that follow from the schema of the local API, and `docs/errors.md`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { root } from '../support/source-tree.ts'
import { errorsText } from './errors.ts'
import { withReference } from './text.ts'

const path = `${root}docs/api.md`
writeFileSync(path, withReference(readFileSync(path, 'utf8')))
writeFileSync(`${root}docs/errors.md`, errorsText())
