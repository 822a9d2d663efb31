/** A line of a service's log: structured when it is one of its JSON lines. */
export interface LogLine {
  severity: 'info' | 'warning' | 'error';
  text: string;
}

/** Reads a line of output. Lines that are not JSON (a stack trace, a runtime's notice) are `info`: a death shows them. */
export function readLogLine(line: string): LogLine {
  const entry = jsonOf(line);
  if (!entry || typeof entry['msg'] !== 'string') return { severity: 'info', text: line };
  return { severity: severityOf(entry), text: [entry['msg'], ...details(entry)].join('  ') };
}

/** Fields that every line has, or that are shown in another way. */
const hidden = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'app', 'service', 'name', 'v', 'err', 'error', 'stack']);

function details(entry: Record<string, unknown>): string[] {
  const fields = Object.entries(entry)
    .filter(([key]) => !hidden.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const error = (entry['err'] ?? entry['error']) as { message?: unknown } | string | undefined;
  const message = typeof error === 'string' ? error : error?.message;
  return typeof message === 'string' && message !== entry['msg'] ? [...fields, `(${message})`] : fields;
}

function severityOf({ level, scope }: Record<string, unknown>): LogLine['severity'] {
  // The Kafka client calls every hiccup an error, several times a second while a broker is away. What follows from it our own code says.
  if (scope === 'kafkajs') return 'info';
  const rank = typeof level === 'number' ? level : ({ warn: 40, error: 50, fatal: 60 }[String(level).toLowerCase()] ?? 30);
  if (rank >= 50) return 'error';
  return rank >= 40 ? 'warning' : 'info';
}

function jsonOf(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
