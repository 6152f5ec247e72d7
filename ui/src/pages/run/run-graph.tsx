import { Bot, Braces, Clock3, GitBranch, Hand, type LucideIcon, Repeat, Wrench } from 'lucide-react'
import { type ReactNode, useMemo, useRef } from 'react'
import type { RunGraphNode } from '../../api/reads.ts'
import { Link } from '../../components/link.tsx'
import { rootScale } from '../../components/root-scale.ts'
import { Empty } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status.tsx'
import { toneOf } from '../../components/status-tone.ts'
import { Duration } from '../../components/time.tsx'
import { useWidth } from '../../components/use-width.ts'
import { classNames } from '../../text/class-names.ts'
import { edgePath, fitScale, layoutGraph, type PlacedNode } from './graph-layout.ts'
import styles from './run-graph.module.css'
import { standingOfStep, stepHref } from './step-standing.ts'

export const KIND_ICONS: Readonly<Record<string, LucideIcon>> = {
  agent_task: Bot,
  action_task: Wrench,
  gate: Hand,
  transform: Braces,
  wait: Clock3,
  foreach: Repeat,
  blueprint: GitBranch,
}
/** Below this width steps go from top to bottom. */
const NARROW = 720
/** No smaller than this, so that words can be read. */
const SMALLEST = 0.8
const PADDING = 34

/** The plan of a run with where each step stands: what waits for what, loops and calls as boxes around what they hold. */
export function RunGraph(props: { readonly runId: string; readonly nodes: readonly RunGraphNode[] }): ReactNode {
  const { runId, nodes } = props
  const frame = useRef<HTMLDivElement>(null)
  const width = useWidth(frame)
  const direction = width > 0 && width < NARROW * rootScale() ? 'TB' : 'LR'
  // Where a step stands does not move it: the layout is made again only when steps come.
  const shape = nodes.map(({ path, container }) => `${path} ${container ?? ''}`).join('\n')
  // biome-ignore lint/correctness/useExhaustiveDependencies: the shape says when the steps are others
  const layout = useMemo(() => layoutGraph(nodes, direction), [shape, direction])
  const boxes = new Map(layout.nodes.map((placed) => [placed.node.path, placed]))
  const letters = rootScale()
  const scale = letters * fitScale(layout.width * letters, width - PADDING * letters, SMALLEST)
  const byPath = new Map(nodes.map((node) => [node.path, node]))
  if (nodes.length === 0) return <Empty title="The plan of this run is not held any more" />
  return (
    <div
      ref={frame}
      className={styles['frame']}
      tabIndex={0}
      role="region"
      aria-label="Steps and what they wait for"
      data-testid="run-graph"
    >
      <div style={{ width: layout.width * scale, height: layout.height * scale }}>
        <div
          className={styles['canvas']}
          style={{ width: layout.width, height: layout.height, transform: `scale(${scale})` }}
        >
          {layout.nodes
            .filter(({ isGroup }) => isGroup)
            .map((placed) => (
              <Group key={placed.node.path} placed={placed} node={byPath.get(placed.node.path)!} runId={runId} />
            ))}
          <svg className={styles['edges']} width={layout.width} height={layout.height} aria-hidden>
            <defs>
              <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
                <path d="M0,0.5 L7,4 L0,7.5 z" className={styles['arrow']} />
              </marker>
            </defs>
            {layout.edges.map(({ id, from, to, points }) => (
              <path
                key={id}
                d={edgePath(boxes.get(from)!, boxes.get(to)!, points, direction)}
                className={classNames(styles['edge'], byPath.get(from)?.status === 'completed' && styles['passed'])}
                markerEnd="url(#arrow)"
              />
            ))}
          </svg>
          <ol className={styles['list']}>
            {layout.nodes
              .filter(({ isGroup }) => !isGroup)
              .map((placed) => (
                <Step key={placed.node.path} placed={placed} node={byPath.get(placed.node.path)!} runId={runId} />
              ))}
          </ol>
        </div>
      </div>
    </div>
  )
}

interface NodeProps {
  readonly placed: PlacedNode
  readonly node: RunGraphNode
  readonly runId: string
}

function Step({ placed, node, runId }: NodeProps): ReactNode {
  const standing = standingOfStep(node)
  const tone = standing.tone
  const Icon = KIND_ICONS[node.kind] ?? Braces
  const content = (
    <>
      <span className={styles['top']}>
        <StatusIcon value={standing.word} tone={tone} />
        <span className={styles['name']}>
          {node.iteration === null ? node.name : `${node.name} [${node.iteration}]`}
        </span>
        <span className={styles['took']}>
          {node.started_at === null ? null : <Duration from={node.started_at} to={node.completed_at} />}
        </span>
      </span>
      <span className={styles['bottom']}>
        <Icon size={13} aria-hidden />
        <span className={styles['does']}>{node.does ?? node.kind.replaceAll('_', ' ')}</span>
        {node.attempt > 1 ? <span className={styles['attempt']}>attempt {node.attempt}</span> : null}
      </span>
    </>
  )
  const className = classNames(styles['node'], styles[tone], node.started_at === null && styles['still'])
  const style = { left: placed.x, top: placed.y, width: placed.width, height: placed.height }
  const title = [
    `${node.path}: ${standing.word}`,
    standing.message,
    node.condition_expression === null ? null : `if ${node.condition_expression}`,
  ]
    .filter((line) => line !== null && line !== '')
    .join('\n')
  return (
    <li className={styles['place']} style={style}>
      {node.step_id === null ? (
        <div className={className} title={title}>
          {content}
        </div>
      ) : (
        <Link href={stepHref(runId, node.path)} className={className} title={title} data-testid={`graph-${node.path}`}>
          {content}
        </Link>
      )}
    </li>
  )
}

function Group({ placed, node, runId }: NodeProps): ReactNode {
  const Icon = KIND_ICONS[node.kind] ?? Braces
  const { iterations } = node
  return (
    <div
      className={classNames(styles['group'], styles[toneOf(node.status)])}
      style={{ left: placed.x, top: placed.y, width: placed.width, height: placed.height }}
    >
      <div className={styles['groupHead']}>
        <StatusIcon value={node.status} />
        <Icon size={13} aria-hidden />
        <Link href={stepHref(runId, node.path)} className={styles['groupName']} data-testid={`graph-${node.path}`}>
          {node.name}
        </Link>
        {iterations === null || iterations.total === 0 ? null : (
          <span className={styles['iterations']}>
            {iterations.shown < iterations.total
              ? `${iterations.shown} of ${iterations.total}`
              : `${iterations.total}×`}
            {iterations.failed > 0 ? `, ${iterations.failed} failed` : ''}
          </span>
        )}
      </div>
    </div>
  )
}
