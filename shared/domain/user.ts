export const ROLES = ["user", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Who is asking, as the access token says. */
export interface Principal {
  readonly userId: number;
  readonly role: Role;
  /** Token id; what log-out revokes. */
  readonly jti: string;
  /** Epoch ms: what ends all of a user's tokens ends those that were issued before. */
  readonly issuedAt: number;
  /** Epoch seconds (RFC 7519 NumericDate). */
  readonly expiresAt: number;
}

export interface User {
  readonly id: number;
  readonly username: string;
  readonly email: string;
  readonly role: Role;
  readonly createdAt: number;
}

export interface Credentials extends User {
  readonly passwordHash: string;
}
