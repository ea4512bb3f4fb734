import type { Request, Response } from "express";
import { principalOf } from "../request-context.ts";
import type { LiveStreams } from "../services/live-streams.ts";
import { openEventStream, type EventStream } from "./event-stream.ts";
import { parse } from "./parse.ts";
import { liveBody } from "./present.ts";
import { noQuery } from "./schemas.ts";

export type LiveController = ReturnType<typeof createLiveController>;

export function createLiveController(streams: Pick<LiveStreams, "follow">) {
  return { watch };

  function watch(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    const open: { stream?: EventStream } = {};
    const unfollow = streams.follow({
      principal: principalOf(req),
      show: (snapshot) => {
        // A client that does not keep up hears the next one instead.
        if (!res.writableNeedDrain) open.stream?.send("snapshot", String(snapshot.at), liveBody(snapshot));
      },
      end: () => open.stream?.end(),
    });
    res.once("close", unfollow);
    open.stream = openEventStream(res);
    if (req.method === "HEAD") open.stream.end();
    return Promise.resolve();
  }
}
