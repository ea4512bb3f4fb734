import { setTimeout as delay } from "node:timers/promises";
import Joi from "joi";
import { listOf, type ConfigServerSettings } from "./settings.ts";

/** One file of the server's, flat; the sources stand in their order of precedence. */
export interface PropertySource {
  readonly name: string;
  readonly source: Readonly<Record<string, string | number | boolean | null>>;
}

/** The server, or none of them, gave settings; the message is one sentence without its full stop, and holds no secret. */
export class NotReadable extends Error {
  override readonly name = "NotReadable";
  /** Another attempt may end differently. */
  readonly passing: boolean;

  constructor(message: string, passing: boolean) {
    super(message);
    this.passing = passing;
  }
}

export type Asked = ConfigServerSettings & {
  readonly SPRING_CONFIG_URI: string;
  readonly SPRING_CONFIG_PROFILE: string;
};

const ANSWER_BYTES_MAX = 1_048_576;
const HTTP_NOT_FOUND = 404;
const HTTP_SERVER_ERROR = 500;

const environment = Joi.object<{ readonly propertySources: readonly PropertySource[] }>({
  propertySources: Joi.array()
    .items(Joi.object({ name: Joi.string().required(), source: Joi.object().required() }).unknown())
    .required(),
})
  .unknown()
  .required();

/**
 * `GET {uri}/{name}/{profile}[/{label}]`. As Spring's client does, it tries again only when it must not do without (fail fast).
 * @throws NotReadable
 */
export async function fetchSources(asked: Asked): Promise<readonly PropertySource[]> {
  const failFast = asked.SPRING_CONFIG_FAIL_FAST === "true";
  const attempts = failFast ? asked.SPRING_CONFIG_RETRY_MAX_ATTEMPTS : 1;
  let waitMs = asked.SPRING_CONFIG_RETRY_INITIAL_INTERVAL_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askForLabels(asked);
    } catch (error) {
      if (!(error instanceof NotReadable) || !error.passing) throw error;
      if (attempt >= attempts) throw new NotReadable(`${error.message}, asked ${attempt} time(s)`, true);
    }
    await delay(Math.min(waitMs, asked.SPRING_CONFIG_RETRY_MAX_INTERVAL_MS));
    waitMs *= asked.SPRING_CONFIG_RETRY_MULTIPLIER;
  }
}

/** The first label that the server knows. */
async function askForLabels(asked: Asked): Promise<readonly PropertySource[]> {
  const labels = asked.SPRING_CONFIG_LABEL === undefined ? [undefined] : listOf(asked.SPRING_CONFIG_LABEL);
  for (const label of labels) {
    const found = await askServers(asked, label);
    if (found) return found;
  }
  throw new NotReadable("SPRING_CONFIG_LABEL: the config server knows no such label", false);
}

/** Undefined when the server that answered does not know the label. A server that is away leaves it to the next. */
async function askServers(asked: Asked, label: string | undefined) {
  let failure: unknown;
  for (const uri of listOf(asked.SPRING_CONFIG_URI)) {
    try {
      return await ask(new URL(uri), asked, label);
    } catch (error) {
      if (!(error instanceof NotReadable) || !error.passing) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function ask(
  uri: URL,
  asked: Asked,
  label: string | undefined,
): Promise<readonly PropertySource[] | undefined> {
  const refuse = (why: string, passing: boolean) =>
    new NotReadable(`SPRING_CONFIG_URI: ${uri.protocol}//${uri.host} ${why}`, passing);
  const { status, text } = await get(addressOf(uri, asked, label), {
    headers: { Accept: "application/json", ...credentialsOf(uri, asked) },
    signal: AbortSignal.timeout(asked.SPRING_CONFIG_REQUEST_TIMEOUT_MS),
    // Where a redirect leads is nobody's setting.
    redirect: "manual",
  }).catch((error: unknown) => {
    throw refuse(`gave no settings (${reasonOf(error)})`, true);
  });
  if (status === HTTP_NOT_FOUND && label !== undefined) return undefined;
  if (status !== 200) throw refuse(`gave no settings (status ${status})`, status >= HTTP_SERVER_ERROR);
  const answer = environment.validate(parsed(text));
  if (answer.error) throw refuse("gave an answer that is none of Spring Cloud Config", false);
  return answer.value.propertySources;
}

async function get(url: URL, options: RequestInit): Promise<{ status: number; text: string }> {
  const response = await fetch(url, options);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return { status: response.status, text: Buffer.concat(chunks).toString("utf8") };
}

function addressOf(uri: URL, asked: Asked, label: string | undefined): URL {
  const { SPRING_CONFIG_NAME, SPRING_CONFIG_PROFILE } = asked;
  // A slash in a label, like that of a branch, is written so on the way.
  const parts = [SPRING_CONFIG_NAME, SPRING_CONFIG_PROFILE, label?.replaceAll("/", "(_)")];
  const path = parts.flatMap((part) => (part === undefined ? [] : [encodeURIComponent(part)])).join("/");
  return new URL(`${uri.origin}${uri.pathname.replace(/\/$/, "")}/${path}`);
}

/** Those of the settings before those of the address. */
function credentialsOf(uri: URL, asked: Asked): Record<string, string> {
  const user = asked.SPRING_CONFIG_USERNAME ?? decodeURIComponent(uri.username);
  const password = asked.SPRING_CONFIG_PASSWORD ?? decodeURIComponent(uri.password);
  if (user === "" && password === "") return {};
  return { Authorization: `Basic ${Buffer.from(`${user || "user"}:${password}`).toString("base64")}` };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What fetch says of a connection that failed stands one level below. */
function reasonOf(error: unknown): string {
  const told = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code, message } = told as Error & { code?: unknown };
  return typeof code === "string" ? code : message;
}
