// Dates of HTTP (RFC 9110 §5.6.7): one format is written, three are read. Pure.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const IMF_FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC_850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;

/**
 * @param now milliseconds since the epoch: a two-digit year is the latest that is not more than 50 years ahead of it
 * @returns milliseconds since the epoch, or NaN: an invalid date must be ignored by who asked (§13.1.3)
 */
export function parseHttpDate(text: string, now: number): number {
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed) return utc(Number(fixed[3]), fixed[2], fixed[1], fixed[4], fixed[5], fixed[6]);
  const long = RFC_850.exec(text);
  if (long) return utc(fullYear(Number(long[3]), now), long[2], long[1], long[4], long[5], long[6]);
  const unix = ASCTIME.exec(text);
  if (unix) return utc(Number(unix[6]), unix[1], unix[2], unix[3], unix[4], unix[5]);
  return Number.NaN;
}

/** @param time milliseconds since the epoch; the part below a second is dropped */
export function formatHttpDate(time: number): string {
  return new Date(time).toUTCString();
}

type Text = string | undefined;

function utc(year: number, monthName: Text, dayText: Text, hour: Text, minute: Text, second: Text): number {
  const month = MONTHS.indexOf(monthName ?? '');
  const day = Number(dayText);
  const time = Date.UTC(year, month, day, Number(hour), Number(minute), Math.min(59, Number(second)));
  const read = new Date(time);
  const exists = month !== -1 && read.getUTCDate() === day && Number(hour) < 24 && Number(minute) < 60;
  return exists && Number(second) <= 60 ? time : Number.NaN;
}

function fullYear(twoDigits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  if (year > thisYear + 50) return year - 100;
  return year <= thisYear - 50 ? year + 100 : year;
}
