/** Values that examples of several routes share, so that one example leads to the next. */
export const SAMPLE = {
  correlation: '01983a4e-6b7c-7d10-9a54-3f2b8c1d0e77',
  run: '01983a4e-6c02-7a91-8c33-5b0f6e2d9a10',
  step: '01983a4e-6c40-7e1f-b2a8-9d4c7f3e5b21',
  event: '01983a4e-6b90-7c55-a1f2-0e8d6b4c3a32',
  agent: '01983a4d-1f20-7b3a-9e61-7c5d4f2e8b43',
  instance: '01983a4d-2a11-7f0c-8d72-6e9b5a3c1f54',
  task: '01983a4e-6d01-7d22-b483-2f1e0d9c8b65',
  artifact: '01983a4f-0b33-7a44-9594-8d7c6b5a4f76',
  host: '01983a4a-5c33-7e88-b8a1-6d7e8f9a0b1c',
  message: '01983a4e-6e11-7b88-a7d5-4c3b2a190f88',
  alert: '01983a50-2d55-7e66-b7b6-0f9e8d7c6b98',
  cost: '01983a50-3e66-7f77-88c7-1a0f9e8d7ca9',
  intervention: '01983a50-1c44-7d55-a6a5-9e8d7c6b5a87',
  key: '01983a4b-7d44-7c77-9796-4e5f6a7b8c98',
  item: '01983a50-2c44-7b99-8a6b-5d4e3f2a1b0c',
  sync: '01983a4c-9e55-7b66-86a5-1c2d3e4f5a87',
  revision: '3f2a91c0d4e5b6a7980f1e2d3c4b5a6978869504',
  digest: '9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab',
  time: '2026-03-28T09:15:00.000Z',
  later: '2026-03-28T09:15:04.250Z',
} as const

export const samplePage = <T>(...items: readonly T[]) => ({
  items,
  next_cursor: null,
  correlation_id: SAMPLE.correlation,
})
