const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const unit = (value: number, name: string) => `${value}\u00A0${name}`;

const dateOnly = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const clockShort = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** How long ago: "now", "48 s", "4 min", "2 h", "23 d"; a date from 30 days on. Without "ago": the column says that. */
export function age(at: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(at)) / 1000));
  if (seconds < 5) return "now";
  if (seconds < minute) return unit(seconds, "s");
  if (seconds < hour) return unit(Math.floor(seconds / minute), "min");
  if (seconds < day) return unit(Math.floor(seconds / hour), "h");
  if (seconds < 30 * day) return unit(Math.floor(seconds / day), "d");
  return date(at);
}

/** How long until: "48 s", "4 min", "2 h", "23 d"; "now" when the moment has passed. */
export function until(at: string, now: number): string {
  const seconds = Math.floor((Date.parse(at) - now) / 1000);
  return seconds <= 0 ? "now" : age(new Date(now - seconds * 1000).toISOString(), now);
}

/** A span of time: "900 ms", "31 s", "4 min 31 s", "2 h 5 min", "3 d 4 h". */
export function duration(milliseconds: number): string {
  if (milliseconds === 0) return unit(0, "s");
  if (milliseconds < 1000) return unit(Math.max(0, Math.round(milliseconds)), "ms");
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < minute) return unit(seconds, "s");
  const [size, name, lower, lowerName] =
    seconds < hour ? [minute, "min", 1, "s"] as const : seconds < day ? [hour, "h", minute, "min"] as const : [day, "d", hour, "h"] as const;
  const rest = Math.floor((seconds % size) / lower);
  const whole = unit(Math.floor(seconds / size), name);
  return rest === 0 ? whole : `${whole} ${unit(rest, lowerName)}`;
}

export const date = (at: string) => dateOnly.format(new Date(at));
export const fullTime = (at: string) => full.format(new Date(at));
export const clockTime = (at: string) => clock.format(new Date(at));
export const hourAndMinute = (at: string) => clockShort.format(new Date(at));
