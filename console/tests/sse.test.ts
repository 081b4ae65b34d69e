// The grammar of server-sent events, however the bytes are cut.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLines, type ServerEvent } from "../src/api/sse.ts";

const STREAM =
  'retry: 1000\nid: 0:0\n\nid: 0:1\nevent: record\ndata: {"a":1}\n\n: a remark\n\ndata:two\r\ndata: lines\r\n\r\nid: 0:2\nevent: x\ndata\n\nevent: half\ndata: never dispatched';

const EVENTS: ServerEvent[] = [
  { event: "record", data: '{"a":1}', id: "0:1" },
  { event: "message", data: "two\nlines", id: "0:1" },
  { event: "x", data: "", id: "0:2" },
];

test("events are the same wherever the stream is cut", () => {
  for (let size = 1; size <= STREAM.length; size += 1) {
    const lines = new EventLines();
    const events: ServerEvent[] = [];
    for (let at = 0; at < STREAM.length; at += size) events.push(...lines.push(STREAM.slice(at, at + size)));
    assert.deepEqual(events, EVENTS, `pieces of ${size}`);
    assert.equal(lines.lastId, "0:2");
    assert.equal(lines.retry, 1_000);
  }
});
