import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame } from "./frames";
import type { LinkState } from "./linkState";
import { openStream } from "./stream";

/** Stands for the browser's EventSource: the test says when it opens, speaks and breaks. */
class FakeSource extends EventTarget {
  static opened: FakeSource[] = [];
  closed = false;
  constructor(readonly url: string) {
    super();
    FakeSource.opened.push(this);
  }
  say(kind: string, data: object): void {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) }));
  }
  break(): void {
    this.dispatchEvent(new Event("error"));
  }
  close(): void {
    this.closed = true;
  }
}

let cursor: number | null;
let frames: Frame[];
let states: LinkState[];

function start(): () => void {
  return openStream(() => cursor, {
    onFrame: (frame) => {
      cursor = frame.seq;
      frames.push(frame);
    },
    onState: (state) => states.push(state),
    onCursor: (position) => (cursor = position),
  }, (url) => new FakeSource(url) as unknown as EventSource);
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSource.opened = [];
  cursor = null;
  frames = [];
  states = [];
});
afterEach(() => vi.useRealTimers());

describe("openStream", () => {
  it("starts at the server's position and is live after its greeting", () => {
    start();
    FakeSource.opened[0]!.say("hello", { cursor: 41 });
    expect(FakeSource.opened[0]!.url).toBe("/api/v1/events");
    expect(cursor).toBe(41);
    expect(states).toEqual([{ kind: "live" }]);
  });

  it("goes on behind the last event after a cut, with growing pauses", () => {
    start();
    FakeSource.opened[0]!.say("hello", { cursor: 41 });
    FakeSource.opened[0]!.say("guest.gone", { seq: 57, id: "g1" });
    FakeSource.opened[0]!.break();
    expect(FakeSource.opened[0]!.closed).toBe(true);
    vi.advanceTimersByTime(1_000);
    expect(FakeSource.opened[1]!.url).toBe("/api/v1/events?cursor=57");
    FakeSource.opened[1]!.break();
    vi.advanceTimersByTime(1_999);
    expect(FakeSource.opened).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(FakeSource.opened).toHaveLength(3);
  });

  it("says since when it is lost, and keeps that moment over several tries", () => {
    vi.setSystemTime(1_000_000);
    start();
    FakeSource.opened[0]!.break();
    vi.advanceTimersByTime(1_000);
    FakeSource.opened[1]!.break();
    expect(states).toEqual([
      { kind: "lost", since: 1_000_000, nextTry: 1_001_000 },
      { kind: "lost", since: 1_000_000, nextTry: 1_003_000 },
    ]);
  });

  it("opens nothing more once it is stopped", () => {
    const stop = start();
    stop();
    FakeSource.opened[0]!.break();
    vi.advanceTimersByTime(60_000);
    expect(FakeSource.opened).toHaveLength(1);
    expect(FakeSource.opened[0]!.closed).toBe(true);
  });
});
