import {
  Bot,
  Box,
  Boxes,
  Cable,
  CircleDollarSign,
  Cpu,
  FileStack,
  FolderGit2,
  GitBranch,
  Globe,
  KeyRound,
  type LucideIcon,
  Megaphone,
  Play,
  Route,
  Server,
  ShieldCheck,
  Stamp,
  Tag,
  Unplug,
  UserRound,
  Wrench,
} from 'lucide-react'

const ICONS: Readonly<Record<string, LucideIcon>> = {
  Agent: Bot,
  AgentTemplate: FileStack,
  Approval: Stamp,
  Blueprint: GitBranch,
  Breaker: Unplug,
  Budget: CircleDollarSign,
  Environment: Globe,
  EventType: Tag,
  Host: Server,
  McpServer: Cable,
  ModelProvider: Cpu,
  ModelRoute: Route,
  NotificationRoute: Megaphone,
  Operation: Play,
  Policy: ShieldCheck,
  Principal: UserRound,
  Project: Boxes,
  SecretStore: KeyRound,
  Source: FolderGit2,
  Tool: Wrench,
}

export function iconOfKind(kind: string): LucideIcon {
  return ICONS[kind] ?? Box
}

/** The page of an object, below `/ui`. A kind without namespaces has `-` in its place. */
export function resourceHref(object: {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}): string {
  return `/resources/${object.kind}/${object.namespace === '' ? '-' : object.namespace}/${encodeURIComponent(object.name)}`
}
