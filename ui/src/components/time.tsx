import type { ReactNode } from 'react'
import { useNow } from '../settings/clock.tsx'
import { useSettings } from '../settings/settings.tsx'
import { ago, duration, stamp, zoneName } from '../text/time.ts'

/**
 * A moment: its age or its date, as somebody prefers, with the other one as its title. `absolute` always shows the date, and the
 * zone it is in; for the others the top of the page says the zone.
 */
export function Time(props: { readonly at: string | null | undefined; readonly absolute?: boolean }): ReactNode {
  const { zone, relative } = useSettings()
  if (props.at === null || props.at === undefined || props.at === '') return <span className="numeric">–</span>
  const time = Date.parse(props.at)
  const exact = `${stamp(time, zone, true)} ${zone}`
  if (props.absolute === true || !relative)
    return (
      <time className="numeric" dateTime={props.at} title={exact}>
        {stamp(time, zone)}
        {props.absolute === true ? ` ${zoneName(time, zone)}` : ''}
      </time>
    )
  return <Age time={time} iso={props.at} title={exact} />
}

function Age(props: { readonly time: number; readonly iso: string; readonly title: string }): ReactNode {
  return (
    <time className="numeric" dateTime={props.iso} title={props.title}>
      {ago(props.time, useNow())}
    </time>
  )
}

/** How long something took, or takes so far when it has no end. */
export function Duration(props: { readonly from: string | null; readonly to: string | null }): ReactNode {
  if (props.from === null) return <span className="numeric">–</span>
  const from = Date.parse(props.from)
  if (props.to === null) return <Running from={from} />
  return <span className="numeric">{duration(Date.parse(props.to) - from)}</span>
}

function Running({ from }: { readonly from: number }): ReactNode {
  return <span className="numeric">{duration(Math.max(0, useNow() - from))}</span>
}
