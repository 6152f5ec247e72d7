// What this process writes about itself.

const LOG_FORMATS = ['auto', 'json', 'pretty'] as const
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export const logSection = {
  type: 'object',
  properties: {
    level: { type: 'string', enum: LOG_LEVELS, default: 'info', description: 'The least severe lines to write.' },
    format: {
      type: 'string',
      enum: LOG_FORMATS,
      default: 'auto',
      description: '`auto` is pretty on a terminal and JSON elsewhere.',
    },
  },
  required: ['level', 'format'],
  additionalProperties: false,
} as const
