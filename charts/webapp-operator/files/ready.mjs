// `helm test`: ends with 0 as soon as the operator's Service says that it is ready, with 1 and the last answer when it does not for half a minute.
const [url] = process.argv.slice(1);
const deadline = Date.now() + 30_000;

async function ask() {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return { ready: answer.ok, said: `${answer.status} ${(await answer.text()).slice(0, 1000)}` };
  } catch (error) {
    return { ready: false, said: String(error.cause ?? error) };
  }
}

for (;;) {
  const { ready, said } = await ask();
  if (ready || Date.now() > deadline) {
    console.log(`GET ${url}: ${said}`);
    process.exit(ready ? 0 : 1);
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}
