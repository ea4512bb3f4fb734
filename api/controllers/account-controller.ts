import type { Request, Response } from "express";
import { principalOf, traceIdOf } from "../request-context.ts";
import type { AccountService, Login } from "../services/account-service.ts";
import { parse } from "./parse.ts";
import { success, userBody } from "./present.ts";
import { loginBody, noQuery, signupBody, type LoginBody } from "./schemas.ts";

export type AccountController = ReturnType<typeof createAccountController>;

export function createAccountController(accounts: AccountService) {
  return { signUp, logIn, logOut, logOutEverywhere, me };

  async function signUp(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    const user = await accounts.signUp(parse(signupBody, req.body), req.ip ?? "");
    res
      .status(201)
      .location("/api/users/me")
      .json(success(userBody(user)));
  }

  async function logIn(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    const body = parse(loginBody, req.body);
    const { accessToken, expiresInS } = await accounts.logIn(
      loginOf(body),
      body.password,
      req.ip ?? "",
      traceIdOf(req),
    );
    res.set("Cache-Control", "no-store");
    res.json(success({ accessToken, tokenType: "Bearer", expiresIn: expiresInS }));
  }

  async function logOut(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    await accounts.logOut(principalOf(req), traceIdOf(req));
    res.status(204).end();
  }

  async function logOutEverywhere(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    await accounts.logOutEverywhere(principalOf(req), traceIdOf(req));
    res.status(204).end();
  }

  async function me(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    res.json(success(userBody(await accounts.me(principalOf(req)))));
  }
}

/** The schema lets exactly one of the two through. */
function loginOf({ username, email }: LoginBody): Login {
  return username === undefined ? { email: email ?? "" } : { username };
}
