// What a browser shows while the application is suspended: one file, light or dark as the reader's system is. Pure.

/** @returns a whole HTML document that needs nothing from anywhere */
export function makeMaintenancePage(retryAfterSeconds: number): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Down for maintenance</title>
<style>
:root{color-scheme:light dark}
body{font:1.125rem/1.6 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;
background:#fafafa;color:#222}
main{max-width:32rem;padding:2rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem}
p{margin:0}
@media (prefers-color-scheme:dark){body{background:#16181c;color:#e4e6ea}}
</style>
<main>
<h1>Down for maintenance</h1>
<p>This site is being worked on and will be back. Please try again in ${inWords(retryAfterSeconds)}.</p>
</main>
</html>
`;
}

function inWords(seconds: number): string {
  if (seconds < 90) return seconds < 45 ? 'a moment' : 'a minute';
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} minutes` : 'an hour or more';
}
