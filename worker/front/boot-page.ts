// What a developer's browser shows while the application does not start: the reason, the mend and the application's own
// traceback, instead of a wait. Never in production, where it would tell strangers about the inside. Pure.
import type { BootFailure } from '../runtimes/runtime.ts';

/** @returns a whole HTML document */
export function makeBootPage({ reason, mend, traceback }: BootFailure): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The application does not start</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;margin:3rem auto;max-width:60rem;padding:0 1rem}
pre{background:#f4f4f4;padding:1rem;overflow:auto}</style>
<h1>The application does not start</h1>
<p><strong>${escapeHtml(reason)}</strong></p>
<p>${escapeHtml(mend)}</p>
${traceback === '' ? '' : `<pre>${escapeHtml(traceback)}</pre>`}
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
