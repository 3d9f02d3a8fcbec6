// The programs' own log: one JSON object a line, the same keys everywhere, so that a cluster's collector needs no parser.
// Pure: where lines go is the caller's `write`. The access log has its own fast path in http/.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log that adds `fields` to each line. */
  with(fields: LogFields): Log;
}

/** Longest string value in a log line, in UTF-16 units; what is longer is cut and says so. */
const MAX_VALUE = 8192;

/**
 * @param write takes one line without its newline
 * @param wall milliseconds since the epoch
 */
export function makeLog(
  write: (line: string) => void,
  wall: () => number,
  least: LogLevel = 'info',
  base: LogFields = {},
): Log {
  const emit = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (ORDER[level] < ORDER[least]) return;
    write(JSON.stringify({ time: new Date(wall()).toISOString(), level, msg: message, ...base, ...fields }, shorten));
  };
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    with: (fields) => makeLog(write, wall, least, { ...base, ...fields }),
  };
}

function shorten(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message;
  if (typeof value === 'string' && value.length > MAX_VALUE)
    return `${value.slice(0, MAX_VALUE)}… (${value.length} long)`;
  return value;
}
