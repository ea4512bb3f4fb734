import type { Server } from "node:http";
import type { Express } from "express";
import supertest, { type Response, type Test } from "supertest";
import { misfitOf } from "./document-check.ts";

const METHODS = ["get", "post", "put", "patch", "delete", "options", "head"] as const;
type Method = (typeof METHODS)[number];

/** supertest, whose every request also fails when its answer departs from the OpenAPI document. */
export function request(app: Express | Server): Readonly<Record<Method, (path: string) => Test>> {
  const ask = (method: Method) => (path: string) =>
    supertest(app)
      [method](path)
      .expect(({ status, headers, text }: Response) => {
        const heard = {
          status,
          headers: headers as Record<string, string>,
          text: (text as string | undefined) ?? "",
        };
        const misfit = misfitOf({ method, path }, heard);
        if (misfit !== undefined) throw new Error(misfit);
      });
  return Object.fromEntries(METHODS.map((method) => [method, ask(method)])) as ReturnType<typeof request>;
}
