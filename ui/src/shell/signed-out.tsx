import { KeyRound } from 'lucide-react'
import type { ReactNode } from 'react'
import { useSession } from '../api/session.ts'
import { Command } from '../components/command.tsx'
import { PageFrame } from '../components/page.tsx'
import { Empty } from '../components/states.tsx'

/** Who may read has to be known, and nobody is: how to sign in. */
export function SignedOut(): ReactNode {
  const session = useSession()
  return (
    <PageFrame title="Sign in">
      <Empty title="This Stateward wants to know who reads" icon={KeyRound}>
        {session.data?.provider === true ? (
          <p>
            {/* Not a page of this program: the server sends the browser on. */}
            <a href="/ui/sign-in" data-testid="sign-in-provider">
              Sign in with your identity provider
            </a>
          </p>
        ) : null}
        <p>On a machine where the command line works, this prints a link that signs this browser in. It works once.</p>
        <Command command="stateward ui" label="Sign in" testId="sign-in" />
      </Empty>
    </PageFrame>
  )
}
