/**
 * node request.mjs URL [HEADER [VALUE]]: asks until the answer is 200 and has the header with the value, at most a
 * minute; without a value the header must be absent, without a header any 200 will do. Exit code 1 when it never came.
 */
const [url = '', header, value] = process.argv.slice(2);
const deadline = Date.now() + 60_000;

async function ask() {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    const found = header === undefined ? null : response.headers.get(header);
    const said = `${response.status}${found === null ? '' : `   ${header}: ${found}`}`;
    return { good: response.status === 200 && (header === undefined || found === (value ?? null)), said };
  } catch (error) {
    return { good: false, said: String(error.cause?.code ?? error) };
  }
}

let answer = await ask();
while (!answer.good && Date.now() < deadline) {
  await new Promise(resolve => setTimeout(resolve, 200));
  answer = await ask();
}
process.stdout.write(`GET ${url}  ->  ${answer.said}\n`);
process.exitCode = answer.good ? 0 : 1;
