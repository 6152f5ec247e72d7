/** One thing that has to hold before this process may be sent traffic. */
export interface ReadinessCheck {
  readonly name: string
  /** A sentence for people when it does not hold, else null. Must answer soon. */
  readonly problem: () => Promise<string | null>
}
