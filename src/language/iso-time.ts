const DAY_MS = 86_400_000;

const TWO = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));
const two = (number: number): string => TWO[number] ?? '';

/** The days of 1970 to 2099, as they are met: nearly all dates of records are among them. */
const MET_UNTIL = Date.UTC(2100, 0) / DAY_MS;
const MET = new Array<string | undefined>(MET_UNTIL);

/** `YYYY-MM-DD` of days since 1970-01-01, in the years 1 to 9999. Records are full of dates: Date takes three times as long. */
export function isoDate(days: number): string {
  if (!(days >= 0 && days < MET_UNTIL)) return dateOf(days);
  const known = MET[days];
  if (known !== undefined) return known;
  const made = dateOf(days);
  MET[days] = made;
  return made;
}

function dateOf(days: number): string {
  // The Gregorian calendar by its eras of 400 years, whose years begin in March.
  const sinceEra = days + 719_468;
  const era = Math.floor(sinceEra / 146_097);
  const dayOfEra = sinceEra - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${two(Math.floor(year / 100))}${two(year % 100)}-${two(month)}-${two(day)}`;
}

/** As Date writes it: `2026-03-01T09:00:00.000Z`, in the years 1 to 9999. @param ms whole milliseconds since 1970 */
export function isoInstant(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const ofDay = ms - days * DAY_MS;
  const millis = ofDay % 1_000;
  const seconds = (ofDay - millis) / 1_000;
  const minutes = Math.floor(seconds / 60);
  const time = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return `${isoDate(days)}T${time}.${two(Math.floor(millis / 10))}${millis % 10}Z`;
}
