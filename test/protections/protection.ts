/** One edit of a source file. `find` stands in it exactly once. */
export interface Edit {
  /** When it is another than the one that the protection is built in: what is held twice goes in both places. */
  readonly file?: string
  readonly find: string
  readonly replace: string
}

/** Something that the program does against somebody, how to take it out, and the test that fails then. */
export interface Protection {
  readonly protection: string
  /** What would happen without it, in a clause. */
  readonly threat: string
  /** Where it is built. */
  readonly file: string
  /** Takes the protection out and leaves a program that runs. */
  readonly takeOut: readonly Edit[]
  /** `name` is the title of the test or a part of it, as both its file and the reporter write it. */
  readonly test: { readonly file: string; readonly name: string }
}

/** Protections of one part of the program, as a table of its own. */
export interface Part {
  readonly title: string
  readonly protections: readonly Protection[]
}
