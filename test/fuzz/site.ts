import { readFileSync } from "node:fs";
import type { Program } from "../../tools/stack/programs.ts";
import type { SaleBody } from "../support/bodies.ts";
import type { HttpClient } from "../support/http-client.ts";
import type { Person, Sandbox } from "../support/sandbox.ts";

export interface FuzzWish {
  readonly seed: number;
  readonly requests: number;
  readonly messages: number;
  /** Connections on which random bytes come. */
  readonly connections: number;
  readonly report: (line: string) => void;
}

/** What the phases work on. */
export interface FuzzSite {
  readonly sandbox: Sandbox;
  readonly api: Program;
  readonly http: HttpClient;
  readonly sale: SaleBody;
  readonly buyers: readonly Person[];
  readonly problems: string[];
  readonly answers: Map<string, number>;
}

export function residentBytes({ pid }: Program): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024;
}
