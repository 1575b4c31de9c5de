/** `npm run docs`: writes the parts of `docs/api.md` that follow from the schema of the local API. */
import { readFileSync, writeFileSync } from 'node:fs'
import { root } from '../support/source-tree.ts'
import { withReference } from './text.ts'

const path = `${root}docs/api.md`
writeFileSync(path, withReference(readFileSync(path, 'utf8')))
