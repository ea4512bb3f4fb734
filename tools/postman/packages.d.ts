/** What we use of packages that bring no types. */
declare module "openapi-to-postmanv2" {
  type Conversion =
    { result: true; output: { type: string; data: unknown }[] } | { result: false; reason: string };

  const converter: {
    convertV2(
      input: { type: "json"; data: unknown },
      options: Readonly<Record<string, unknown>>,
      done: (error: Error | null, conversion: Conversion) => void,
    ): void;
  };
  export = converter;
}

declare module "newman" {
  namespace newman {
    interface NewmanExecution {
      readonly item: { readonly name: string };
      readonly request: { readonly method: string; readonly url: { getPath(): string } };
      readonly response?: {
        readonly code: number;
        readonly headers: { get(name: string): string | undefined };
        text(): string;
      };
      readonly assertions?: readonly { readonly assertion: string; readonly error?: Error }[];
    }
    interface NewmanSummary {
      readonly run: {
        readonly executions: readonly NewmanExecution[];
        readonly failures: readonly { readonly source?: { readonly name?: string }; readonly error: Error }[];
      };
    }
  }
  const newman: {
    run(
      options: Readonly<Record<string, unknown>>,
      done: (error: Error | null, summary: newman.NewmanSummary) => void,
    ): unknown;
  };
  export = newman;
}
