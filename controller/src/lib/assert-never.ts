/** Makes a `switch` over a union exhaustive: a new member fails the type check, and a value from outside throws. */
export function assertNever(value: never, what = 'value'): never {
  throw new Error(`unexpected ${what}: ${JSON.stringify(value)}`)
}
