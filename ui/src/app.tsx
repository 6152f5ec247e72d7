import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClientProvider } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense } from 'react'
import { Route, Router, Switch } from 'wouter'
import { createQueryClient } from './api/use-read.ts'
import { Skeleton } from './components/states.tsx'
import { Live } from './live/live.ts'
import { LiveProvider } from './live/live-context.tsx'
import { NotFound } from './pages/not-found/page.tsx'
import { PAGES } from './pages.ts'
import { ClockProvider } from './settings/clock.tsx'
import { SettingsProvider } from './settings/settings.tsx'
import { ErrorBoundary } from './shell/error-boundary.tsx'
import { Shell } from './shell/shell.tsx'

const client = createQueryClient()
const live = new Live(client)
const ROUTES = PAGES.map(({ path, load }) => ({ path, Page: lazy(async () => ({ default: (await load()).Page })) }))

/** The whole page: what all pages share around the one that the address names. */
export function App(): ReactNode {
  return (
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={client}>
        <LiveProvider value={live}>
          <SettingsProvider>
            <ClockProvider>
              <Router base="/ui">
                <Shell>
                  <Switch>
                    {ROUTES.map(({ path, Page }) => (
                      <Route key={path} path={path}>
                        {(params) => (
                          <ErrorBoundary key={path}>
                            <Suspense fallback={<Loading />}>
                              <Page params={params as Readonly<Record<string, string>>} />
                            </Suspense>
                          </ErrorBoundary>
                        )}
                      </Route>
                    ))}
                    <Route>
                      <NotFound />
                    </Route>
                  </Switch>
                </Shell>
              </Router>
            </ClockProvider>
          </SettingsProvider>
        </LiveProvider>
      </QueryClientProvider>
    </CSPProvider>
  )
}

function Loading(): ReactNode {
  return (
    <div className="loading-page">
      <Skeleton lines={12} />
    </div>
  )
}
