import { KeyRound } from 'lucide-react'
import type { ReactNode } from 'react'
import { Command } from '../components/command.tsx'
import { PageFrame } from '../components/page.tsx'
import { Empty } from '../components/states.tsx'

/** Who may read has to be known, and nobody is: how to sign in. */
export function SignedOut(): ReactNode {
  return (
    <PageFrame title="Sign in">
      <Empty title="This Stateward wants to know who reads" icon={KeyRound}>
        <p>On a machine where the command line works, this opens a link that signs this browser in. It works once.</p>
        <Command command="stateward ui" label="Sign in" testId="sign-in" />
      </Empty>
    </PageFrame>
  )
}
