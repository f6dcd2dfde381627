/** "Debian 12" of "Debian GNU/Linux 12 (bookworm)": what tells systems apart, short enough for a column. */
export function shortSystem(name: string): string {
  return name
    .replace(/ \(.*\)$/, "")
    .replace("GNU/Linux ", "")
    .replace(/ Linux (?=\d)/, " ")
    .replace(/(\d+\.\d+)\.\d+ LTS$/, "$1");
}
