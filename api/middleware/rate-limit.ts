import type { RequestHandler, Response } from "express";
import { DomainError } from "../../shared/domain/errors.ts";
import type { RateLimit, TakenUnit } from "../../shared/domain/ports.ts";
import { principalOf } from "../request-context.ts";

/** What a client hears of a limit, and what is counted when it is refused. */
export interface LimitNotes {
  refused(limit: string): void;
}

/** Requests of one address, over all routes. */
export function limitPerAddress(limit: RateLimit, notes: LimitNotes): RequestHandler {
  const policy = policyOf("address", limit);
  return (req, res, next) => {
    res.setHeader("RateLimit-Policy", policy);
    admit(res, "address", limit.take(addressOf(req.ip)), notes);
    next();
  };
}

/** Orders of one user; told beside the limit of the address. */
export function limitOrdersPerUser(limit: RateLimit, notes: LimitNotes): RequestHandler {
  const policy = policyOf("orders", limit);
  return (req, res, next) => {
    appendField(res, "RateLimit-Policy", policy);
    admit(res, "orders", limit.take(String(principalOf(req).userId)), notes);
    next();
  };
}

/** draft-ietf-httpapi-ratelimit-headers-10: `"orders";q=20;w=1`, at most 20 in 1 s. */
const policyOf = (name: string, { points, windowMs }: RateLimit): string =>
  `"${name}";q=${points};w=${windowMs / 1_000}`;

function admit(res: Response, name: string, { outcome, left, endsInMs }: TakenUnit, notes: LimitNotes): void {
  const seconds = Math.max(1, Math.ceil(endsInMs / 1_000));
  appendField(res, "RateLimit", `"${name}";r=${left};t=${seconds}`);
  if (outcome === "taken") return;
  notes.refused(name);
  throw new DomainError("too_many_requests", "Too many requests. Slow down.", { retryAfterS: seconds });
}

/** One line for all members of a list: lines cost more bytes. */
function appendField(res: Response, field: string, member: string): void {
  const before = res.getHeader(field);
  res.setHeader(field, before === undefined ? member : `${String(before)}, ${member}`);
}

/**
 * Whom an address stands for. A site of IPv6 owns at least a /64 and could come from another of its addresses each time;
 * one of IPv4 may be written as IPv6.
 */
export function addressOf(ip: string | undefined): string {
  if (ip === undefined) return "unknown";
  if (!ip.includes(":")) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  return mapped ?? `${firstGroups(ip)}::/64`;
}

function firstGroups(ip: string): string {
  const [head = "", tail] = ip.replace(/%.*$/, "").split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(Math.max(0, zeros)).fill("0"), ...after];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
