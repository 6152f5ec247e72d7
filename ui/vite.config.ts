import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The page is served at `/ui/` by the controller; `vite ui` serves its sources and asks a controller at the usual port. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/ui/',
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Inlined files would need `data:` in the policy of the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    // `build.ts` says what it made.
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(['/api', '/events', '/health'].map((path) => [path, 'http://127.0.0.1:8088'])),
  },
})
