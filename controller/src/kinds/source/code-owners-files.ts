/** Where the owners of paths stand, in the root of the source or in a folder of forges; the first that is there counts. */
export const CODE_OWNERS_FILES = ['CODEOWNERS', '.github/CODEOWNERS', '.gitlab/CODEOWNERS', 'docs/CODEOWNERS'] as const
