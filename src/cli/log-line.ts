const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };
const FRAME = ['level', 'time', 'pid', 'hostname', 'msg'];

/** A pino line for a person at a terminal: `12:00:01 info  node connected  node=edge-1`. */
export function formatLogLine(json: string): string {
  const entry = parse(json);
  if (entry === undefined) return json;
  const time = new Date(Number(entry.time)).toTimeString().slice(0, 8);
  const level = (LEVELS[Number(entry.level)] ?? '').padEnd(5);
  const fields = Object.entries(entry)
    .filter(([key]) => !FRAME.includes(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${[`${time} ${level} ${String(entry.msg)}`, fields.join(' ')].join('  ').trimEnd()}\n`;
}

function parse(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(json) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
