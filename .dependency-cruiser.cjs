/** The layering of FlashPay, as rules. `npm run check:layers` fails on the first arrow that points the wrong way. */
// The composition roots, and what both of them open.
const MAIN = "^((api|worker)/main|shared/connections)\\.ts$";
const TEST = "(\\.test\\.ts$|^test/|^shared/testing/)";
const TOOLS = "^tools/";
const only = (name, packages, home) => ({
  name,
  comment: `${packages.join(", ")} stay behind ${home}`,
  severity: "error",
  from: { path: "^(api|worker|shared)/", pathNot: [home, MAIN, TEST] },
  to: { path: `node_modules/(@types/)?(${packages.join("|")})/` },
});

module.exports = {
  forbidden: [
    {
      name: "domain-is-pure",
      comment: "shared/domain is plain TypeScript: no package, no Node module, no other folder.",
      severity: "error",
      from: { path: "^shared/domain/", pathNot: TEST },
      to: { pathNot: "^shared/domain/" },
    },
    {
      name: "shared-is-below",
      comment: "The two programs know shared; shared knows neither.",
      severity: "error",
      from: { path: "^shared/" },
      to: { path: "^(api|worker|tools)/" },
    },
    {
      name: "programs-are-strangers",
      comment: "api and worker meet only through Kafka, MySQL and Redis.",
      severity: "error",
      from: { path: "^(api|worker)/", pathNot: TEST },
      to: { path: "^(api|worker|tools)/", pathNot: "^$1/" },
    },
    {
      name: "only-main-wires",
      comment:
        "Adapters are imported by the composition roots, repositories, tools and tests; everyone else sees ports.ts.",
      severity: "error",
      from: { path: "^(api|worker)/", pathNot: [MAIN, TEST, "^(api|worker)/repositories/"] },
      to: { path: "^shared/((mysql|redis|kafka)/|connections\\.ts$)", pathNot: "^shared/kafka/topics\\.ts$" },
    },
    {
      name: "repositories-know-mysql-only",
      comment: "A repository reads and writes MySQL; another store has its adapter in shared.",
      severity: "error",
      from: { path: "^(api|worker)/repositories/", pathNot: TEST },
      to: { path: "^shared/(redis|kafka)/" },
    },
    {
      name: "adapters-are-strangers",
      comment: "mysql, redis and kafka never import each other; a service composes them.",
      severity: "error",
      from: { path: "^shared/(mysql|redis|kafka)/", pathNot: TEST },
      to: { path: "^shared/(mysql|redis|kafka)/", pathNot: "^shared/$1/" },
    },
    {
      name: "services-do-not-know-http",
      comment: "A service is a use case: it sees the domain and its ports, never a request.",
      severity: "error",
      from: { path: "^api/services/", pathNot: TEST },
      to: { path: "^api/", pathNot: "^api/services/" },
    },
    {
      name: "routes-only-route",
      comment: "A route names its guards and its controller, and nothing else.",
      severity: "error",
      from: { path: "^api/routes/", pathNot: [TEST, "^api/routes/serve\\.ts$"] },
      to: { path: "^(api/(services|repositories)|shared/domain)/" },
    },
    {
      name: "pages-stand-alone",
      comment:
        "What runs in browsers knows the API by its contract, as any client does; nothing in the programs knows it.",
      severity: "error",
      from: { path: "^api/pages/" },
      to: { pathNot: ["^api/pages/", "node_modules/uplot/"] },
    },
    {
      name: "nobody-imports-pages",
      comment:
        "Pages are built into files and served as such. A test may hold their texts against the API's codes.",
      severity: "error",
      from: { pathNot: ["^api/pages/", "^api/pages\\.test\\.ts$"] },
      to: { path: "^api/pages/" },
    },
    only(
      "http-stays-in-api",
      [
        "express",
        "passport",
        "passport-jwt",
        "swagger-jsdoc",
        "swagger-ui-express",
        "helmet",
        "jsonwebtoken",
      ],
      "^api/(app\\.ts|server\\.ts|docs\\.ts|static-pages\\.ts|request-context\\.ts|openapi/|routes/|controllers/|middleware/)",
    ),
    only(
      "sql-stays-in-mysql-and-repositories",
      ["sequelize", "mysql2"],
      "^(shared/mysql|(api|worker)/repositories)/",
    ),
    only("telemetry-stays-in-telemetry", ["@opentelemetry"], "^shared/telemetry/"),
    {
      name: "telemetry-is-loaded-on-demand",
      comment: "A program that traces nothing loads nothing of OpenTelemetry's SDK.",
      severity: "error",
      from: { pathNot: TEST },
      to: { path: "^shared/telemetry/open-telemetry\\.ts$", dynamic: false },
    },
    only("redis-stays-in-redis", ["ioredis", "redlock"], "^shared/redis/"),
    only("kafka-stays-in-kafka", ["kafkajs"], "^shared/kafka/"),
    {
      name: "no-cycles",
      comment: "What needs each other is one thing.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-orphans",
      comment: "A file that nobody imports is a program, a test, or left over.",
      severity: "error",
      from: {
        orphan: true,
        pathNot: ["\\.d\\.ts$", MAIN, TEST, TOOLS, "^api/password-worker\\.ts$", "^api/pages/"],
      },
      to: {},
    },
    {
      name: "production-never-imports-tests",
      comment: "Fakes and test code stay out of what runs.",
      severity: "error",
      from: { pathNot: [TEST, TOOLS] },
      to: { path: TEST },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^dist/" },
    tsPreCompilationDeps: true, // type-only imports count: a layer that needs a type needs the layer
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
