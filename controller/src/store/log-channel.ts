/** The channel on which every batch announces its last number, in its own transaction. */
export const LOG_CHANNEL = 'stateward_log'
