import { call, Problem } from "./api.ts";
import { keepSession, type Session } from "./session.ts";

/** @throws Problem */
export async function logIn(username: string, password: string): Promise<Session> {
  const { accessToken: token } = await call<{ accessToken: string }>("/api/users/login", {
    method: "POST",
    body: { username, password },
  }).catch((error: unknown) => {
    // Here it means another thing than elsewhere.
    if (error instanceof Problem && error.code === "unauthenticated")
      throw new Problem(error.status, "wrong_log_in", error.message);
    throw error;
  });
  const me = await call<Pick<Session, "username" | "role">>("/api/users/me", { token });
  return { token, username: me.username, role: me.role };
}

/** The session ends here in any case; the token is refused everywhere when the API hears of it. */
export async function logOut(): Promise<void> {
  try {
    await call("/api/users/logout", { method: "POST" });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
  keepSession(null);
}
