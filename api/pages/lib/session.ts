/** Who is logged in, in this tab; it ends with the tab. */
export interface Session {
  readonly token: string;
  readonly username: string;
  readonly role: "user" | "admin";
}

const KEY = "flashpay.session";

export function readSession(): Session | null {
  return readStored(KEY) as Session | null;
}

/** Null ends it, and nothing else: what a buyer has begun goes on after the next log-in. */
export function keepSession(session: Session | null): void {
  if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
  else sessionStorage.removeItem(KEY);
}

/** What this tab keeps under a key; null when there is nothing that can be read. */
export function readStored(key: string): unknown {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}
