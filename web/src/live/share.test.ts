import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Frame } from "./frames";
import type { Duties } from "./lease";
import { shareStream } from "./share";

/** Stands for the browser's EventSource; the test plays the server. */
class FakeSource extends EventTarget {
  static opened: FakeSource[] = [];
  constructor(readonly url: string) {
    super();
    FakeSource.opened.push(this);
  }
  say(kind: string, data: object): void {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) }));
  }
  close(): void {}
}

/** One tab; the test decides when it leads. */
function tab() {
  const numbers: number[] = [];
  let duties: Duties | null = null;
  const stop = shareStream({ onFrame: (frame: Frame) => numbers.push(frame.seq), onState: () => undefined }, (_name, _ask, given) => {
    duties = given;
    return { heard: () => undefined, asked: () => undefined, stop: given.follow };
  });
  return { seen: numbers, stop, lead: () => duties?.lead(), follow: () => duties?.follow() };
}

const gone = (seq: number) => ["guest.gone", { seq, id: "g1" }] as const;
let tabs: ReturnType<typeof tab>[];

beforeEach(() => {
  FakeSource.opened = [];
  globalThis.EventSource = FakeSource as unknown as typeof EventSource;
  tabs = [tab(), tab(), tab()];
});
afterEach(() => tabs.forEach(({ stop }) => stop()));

const seen = () => tabs.map((each) => each.seen);
const three = <T>(value: T) => [value, value, value];

describe("shareStream", () => {
  it("gives every tab each event once over a change of the leader", async () => {
    tabs[0]!.lead();
    FakeSource.opened[0]!.say("hello", { cursor: 40 });
    FakeSource.opened[0]!.say(...gone(41));
    await expect.poll(seen).toEqual(three([41]));
    tabs[1]!.lead();
    expect(FakeSource.opened[1]!.url).toBe("/api/v1/events?cursor=41");
    // Both lead for a moment and both are told the same.
    FakeSource.opened[0]!.say(...gone(42));
    FakeSource.opened[1]!.say(...gone(42));
    tabs[0]!.follow();
    FakeSource.opened[1]!.say(...gone(43));
    await expect.poll(seen).toEqual(three([41, 42, 43]));
  });

  it("goes on after a resync, whose number may be a smaller one", async () => {
    tabs[0]!.lead();
    FakeSource.opened[0]!.say("hello", { cursor: 900 });
    FakeSource.opened[0]!.say("resync", { seq: 3 });
    FakeSource.opened[0]!.say(...gone(4));
    await expect.poll(seen).toEqual(three([3, 4]));
  });
});
