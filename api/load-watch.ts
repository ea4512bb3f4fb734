import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Log } from "../shared/domain/ports.ts";

/** How late the event loop runs, in words. */
export type Load = "normal" | "late" | "very_late";

const LOOK_EVERY_MS = 250;
/** How often the loop is asked to be on time; a loop that is never late is late by so much. */
const RESOLUTION_MS = 20;
/** Below this part of a threshold it counts as passed: else the relief of refusing would end the refusing. */
const OVER_PART = 1 / 2;

export interface DelayMeter {
  /** Mean since the last reset, ns. */
  readonly mean: number;
  reset(): void;
}

export interface LoadWatchOptions {
  readonly lateAboveMs: number;
  readonly veryLateAboveMs: number;
  readonly log: Log;
  readonly meter?: DelayMeter;
}

export type LoadWatch = ReturnType<typeof createLoadWatch>;

/** Looks four times a second whether requests wait for the event loop. A single long turn is no load: the mean counts. */
export function createLoadWatch(options: LoadWatchOptions) {
  const { lateAboveMs, veryLateAboveMs, log, meter = startMeter() } = options;
  let load: Load = "normal";
  const timer = setInterval(look, LOOK_EVERY_MS).unref();

  return {
    load: () => load,
    stop: () => {
      clearInterval(timer);
    },
  };

  function look(): void {
    const delayMs = Math.max(0, meter.mean / 1e6 - RESOLUTION_MS);
    meter.reset();
    const before = load;
    load = loadAt(delayMs);
    if (load === before) return;
    const fields = { delayMs: Math.round(delayMs), load };
    if (load === "normal") log.info(fields, "the event loop is on time again; serving everything");
    else log.warn(fields, "the event loop is late; refusing what is no order");
  }

  function loadAt(delayMs: number): Load {
    const isAbove = (thresholdMs: number, already: boolean): boolean =>
      delayMs > (already ? thresholdMs * OVER_PART : thresholdMs);
    if (isAbove(veryLateAboveMs, load === "very_late")) return "very_late";
    return isAbove(lateAboveMs, load !== "normal") ? "late" : "normal";
  }
}

function startMeter(): DelayMeter {
  const meter = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  meter.enable();
  return meter;
}
