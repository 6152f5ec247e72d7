/** The name that stands for a file in what the controller declares itself. */
export const BUILTIN_PATH = '(built-in)'
