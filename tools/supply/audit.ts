/** What `npm audit --json` said: how many known holes of each severity, or that nobody could be asked. */
export type Audit =
  | { readonly kind: "asked"; readonly high: number; readonly lower: number }
  | { readonly kind: "not asked"; readonly why: string };

const WHY_CHARS_MAX = 120;

export function readAudit(output: string): Audit {
  const report = parsed(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1));
  const found = report?.metadata?.vulnerabilities;
  if (!found) {
    const why = report?.message ?? "npm audit gave no report";
    // Without the address: which registry it is, is nobody's business.
    return { kind: "not asked", why: why.replace(/ - .*/s, "").slice(0, WHY_CHARS_MAX) };
  }
  const { critical = 0, high = 0, moderate = 0, low = 0 } = found;
  return { kind: "asked", high: critical + high, lower: moderate + low };
}

interface Report {
  readonly message?: string;
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
}

function parsed(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}
