import { describe, expect, it } from "vitest";
import { parseEvent } from "./logLines";

describe("parseEvent", () => {
  it("joins the lines of the data and keeps its spaces", () => expect(parseEvent('id: 7\ndata: {"n":7,\ndata:  "text":"x"}')).toEqual({ name: "message", data: '{"n":7,\n "text":"x"}' }));
  it("reads the name of an event", () => expect(parseEvent("event: end\ndata: {}")).toEqual({ name: "end", data: "{}" }));
  it("takes a comment for nothing", () => expect(parseEvent(": ping")).toEqual({ name: "message", data: "" }));
});
