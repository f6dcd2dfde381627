import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { contend, type Lease } from "./lease";

/** The tabs of one browser: they share storage, hear of each other's writes, and can be closed, killed or put to sleep. */
class FakeBrowser {
  readonly stored = new Map<string, string>();
  readonly tabs: FakeTab[] = [];

  open(name: string): FakeTab {
    const tab = new FakeTab(this, name);
    this.tabs.push(tab);
    tab.start();
    return tab;
  }
  leaders(): string[] {
    return this.tabs.filter((tab) => tab.leads).map((tab) => tab.name);
  }
  changed(by: FakeTab): void {
    for (const tab of this.tabs) if (tab !== by) queueMicrotask(() => tab.onStored?.());
  }
}

class FakeTab {
  leads = false;
  /** A killed or frozen tab does and hears nothing; a sleeping one answers, but does nothing by itself. */
  state: "awake" | "asleep" | "frozen" | "killed" = "awake";
  private lastRead: string | null = null;
  onStored: (() => void) | null = null;
  onLeaving: (() => void) | null = null;
  private lease: Lease | null = null;
  constructor(
    private readonly browser: FakeBrowser,
    readonly name: string,
  ) {}

  start(): void {
    const { stored } = this.browser;
    this.lease = contend(
      {
        name: "lease",
        tab: this.name,
        storage: {
          getItem: (name) => {
            if (this.state !== "frozen") this.lastRead = stored.get(name) ?? null;
            return this.lastRead;
          },
          setItem: (name, value) => {
            if (this.state !== "awake") return;
            stored.set(name, value);
            this.browser.changed(this);
          },
          removeItem: (name) => {
            stored.delete(name);
            this.browser.changed(this);
          },
        },
        onStored: (listener) => {
          this.onStored = () => this.hears() && listener();
          return () => (this.onStored = null);
        },
        onLeaving: (listener) => {
          this.onLeaving = listener;
          return () => (this.onLeaving = null);
        },
        ask: () => {
          for (const tab of this.browser.tabs) if (tab !== this) tab.answer(this);
        },
      },
      { lead: () => (this.leads = true), follow: () => (this.leads = false) },
    );
  }
  close(): void {
    this.onLeaving?.();
    this.kill();
  }
  kill(): void {
    this.state = "killed";
    this.leads = false;
  }
  wake(): void {
    this.state = "awake";
    this.lease?.asked();
  }
  private hears(): boolean {
    return this.state === "awake" || this.state === "asleep";
  }
  private answer(asking: FakeTab): void {
    if (!this.hears() || !this.leads) return;
    this.lease?.asked();
    queueMicrotask(() => asking.lease?.heard());
  }
}

let browser: FakeBrowser;
const wait = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers();
  browser = new FakeBrowser();
});
afterEach(() => vi.useRealTimers());

describe("contend", () => {
  it("makes one of six tabs that open together the leader, and keeps it", async () => {
    for (const name of ["a", "b", "c", "d", "e", "f"]) browser.open(name);
    await wait(1_000);
    const [leader, ...others] = browser.leaders();
    expect(others).toEqual([]);
    await wait(60_000);
    expect(browser.leaders()).toEqual([leader]);
  });

  it("passes on at once when the leader is closed", async () => {
    const first = browser.open("a");
    await wait(1_000);
    browser.open("b");
    browser.open("c");
    await wait(1_000);
    expect(browser.leaders()).toEqual(["a"]);
    first.close();
    await wait(200);
    expect(browser.leaders()).toHaveLength(1);
  });

  it("passes on when the leader crashed without a word, but not before its lease ran out", async () => {
    const first = browser.open("a");
    await wait(1_000);
    browser.open("b");
    browser.open("c");
    await wait(1_000);
    first.kill();
    await wait(3_000);
    expect(browser.leaders()).toEqual([]);
    await wait(6_000);
    expect(browser.leaders()).toHaveLength(1);
  });

  it("leaves a leader whose timers sleep in the background alone, because it answers when it is asked", async () => {
    const first = browser.open("a");
    await wait(1_000);
    browser.open("b");
    first.state = "asleep";
    await wait(60_000);
    expect(browser.leaders()).toEqual(["a"]);
  });

  it("ends the leadership of a tab that was frozen meanwhile, as soon as it runs again", async () => {
    const first = browser.open("a");
    await wait(1_000);
    browser.open("b");
    first.state = "frozen";
    await wait(10_000);
    expect(browser.leaders()).toEqual(["a", "b"]);
    first.wake();
    expect(browser.leaders()).toEqual(["b"]);
  });
});
