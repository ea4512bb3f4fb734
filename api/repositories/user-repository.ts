import { DomainError } from "../../shared/domain/errors.ts";
import type { UserRepository } from "../../shared/domain/ports.ts";
import type { Credentials, User } from "../../shared/domain/user.ts";
import { notReadyOnOutage, UniqueConstraintError } from "../../shared/mysql/errors.ts";
import { toSqlInstant } from "../../shared/mysql/instant.ts";
import type { Models, UserModel } from "../../shared/mysql/models.ts";

export function createUserRepository({ users }: Models, now: () => number): UserRepository {
  return { insert, findById, findByLogin };

  async function insert(user: Parameters<UserRepository["insert"]>[0]): Promise<User> {
    const createdAt = now();
    try {
      const row = await users.create({ ...user, createdAt: toSqlInstant(createdAt) });
      return { id: row.id, username: user.username, email: user.email, role: user.role, createdAt };
    } catch (error) {
      if (error instanceof UniqueConstraintError) throw taken(error);
      return notReadyOnOutage(error);
    }
  }

  async function findById(id: number): Promise<User | null> {
    const row = await users.findByPk(id).catch(notReadyOnOutage);
    return row && withoutHash(toCredentials(row));
  }

  async function findByLogin(login: { username: string } | { email: string }): Promise<Credentials | null> {
    const row = await users.findOne({ where: login }).catch(notReadyOnOutage);
    return row && toCredentials(row);
  }
}

/** MySQL names the key as `users.users_email_unique`, MariaDB without the table. */
function taken(error: UniqueConstraintError): DomainError {
  const key = error.parent.message;
  return key.includes("users_email_unique")
    ? new DomainError("email_taken", "This e-mail address is in use.", {}, { cause: error })
    : new DomainError("username_taken", "This user name is in use.", {}, { cause: error });
}

function toCredentials(row: UserModel): Credentials {
  const { id, username, email, role, passwordHash } = row;
  return { id, username, email, role, passwordHash, createdAt: new Date(row.createdAt).getTime() };
}

function withoutHash({ passwordHash: _hash, ...user }: Credentials): User {
  return user;
}
