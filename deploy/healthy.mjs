// A container's health: whether the processor in it is ready. An answer that stays away counts as no.
const TIMEOUT_MS = 3_000;
const url = `http://127.0.0.1:${process.env.PLUMBLINE_HTTP_PORT || '8080'}/health/ready`;

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  process.stdout.write(`${await response.text()}\n`);
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  process.stdout.write(`${url} does not answer: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
