import type { Route } from '../../http/route.ts'
import { listTemplates, readTemplate } from './list-templates.ts'
import { proposeTemplate } from './propose-template.ts'

/** What agents are made of; a new one is a proposed commit. */
export const TEMPLATE_ROUTES: readonly Route[] = [listTemplates, readTemplate, proposeTemplate]
