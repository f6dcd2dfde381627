import { expect, it } from "vitest";
import { shortSystem } from "./system";

it.each([
  ["Debian GNU/Linux 12 (bookworm)", "Debian 12"],
  ["Ubuntu 24.04.3 LTS (Noble Numbat)", "Ubuntu 24.04"],
  ["Fedora Linux 42 (Container Image)", "Fedora 42"],
  ["openSUSE Leap 15.6", "openSUSE Leap 15.6"],
  ["Alpine Linux v3.22", "Alpine Linux v3.22"],
  ["Debian", "Debian"],
])("%j is %j in a column", (name, short) => expect(shortSystem(name)).toBe(short));
