/** An output without a value reads the field of its name in the last step's output; null when that has no such field. */
export function defaultOutputValue(lastStep: string, name: string): string {
  return `{{ steps.${lastStep}.output.?${name}.orValue(null) }}`
}
