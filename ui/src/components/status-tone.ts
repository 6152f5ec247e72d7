export const TONES = ['good', 'busy', 'wait', 'warn', 'bad', 'idle'] as const
export type Tone = (typeof TONES)[number]

const WORDS: Readonly<Record<Tone, string>> = {
  good: 'ready true healthy running-agent completed complete succeeded synced applied approved allow allowed active-agent resolved delivered ok merged closed passed enforced current verified online present handled acknowledged',
  busy: 'running starting leased progressing reconciling in_progress applying draining retrying stopping sending claimed open-run working',
  wait: 'pending queued created waiting requires_approval require_approval collect_requirements proposed open draft held scheduled deferred needs_approval waiting_for_approval',
  warn: 'degraded late warning warn drifted half_open outofsync out_of_sync overbudget suspended paused stalled blocked high medium unknown expiring evaluate_only cordoned throttled',
  bad: 'failed failure error false dead dead_letter dead_lettered silent critical crit denied deny rejected lost unhealthy exhausted opened tripped quarantined conflict',
  idle: 'cancelled canceled skipped stopped terminated terminating deleted superseded expired unchanged off idle low info none withdrawn inactive',
}

const TONE_OF = new Map(TONES.flatMap((tone) => WORDS[tone].split(' ').map((word) => [word, tone] as const)))

/** What a word of status means at a glance; words nobody knows are `idle`. */
export function toneOf(word: string): Tone {
  return TONE_OF.get(word.toLowerCase().replaceAll(/[\s-]+/g, '_')) ?? 'idle'
}
