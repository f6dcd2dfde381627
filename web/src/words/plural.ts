const rules = new Intl.PluralRules("en");
const digits = new Intl.NumberFormat("en", { useGrouping: false });

/** A whole number with tabular digits; from 10 000 its thousands stand apart by a thin space. */
export function number(value: number): string {
  const plain = digits.format(value);
  return value < 10_000 ? plain : plain.replaceAll(/\B(?=(\d{3})+$)/g, "\u2009");
}

/** "1 guest", "2 guests": the count and the word in the form that this count asks for. */
export function count(value: number, one: string, other: string): string {
  return `${number(value)} ${rules.select(value) === "one" ? one : other}`;
}

/** "pve1", "pve1 and pve2", "pve1, pve2 and 3 more". */
export function listed(names: readonly string[], limit = 3): string {
  const shown = names.length > limit ? [...names.slice(0, limit), `${number(names.length - limit)} more`] : names;
  return new Intl.ListFormat("en", { type: "conjunction" }).format(shown).replace(/,(?= and )/, "");
}
