import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const environment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: "Only config.ts reads the environment.",
};
const defaultExport = { selector: "ExportDefaultDeclaration", message: "Named exports only." };

export default defineConfig(
  {
    ignores: [
      "dist/**",
      "migrations/**",
      "**/*.cjs",
      "**/*.mjs",
      ".flashpay/**",
      "coverage/**",
      "jmeter/results/**",
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["eslint.config.js"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Factories return plain functions; there is no `this` to lose.
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-restricted-syntax": ["error", environment, defaultExport],
      "no-console": "error",
      "max-lines-per-function": ["error", { max: 70, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    // Factories hold the functions they return: what counts is each of those, and a file's length.
    files: ["{api,worker,shared}/**/*.ts"],
    ignores: ["**/main.ts"],
    rules: { "max-lines-per-function": "off" },
  },
  { files: ["**/config.ts", "*.config.js"], rules: { "no-restricted-syntax": "off" } },
  { files: ["tools/**"], rules: { "no-console": "off", "no-restricted-syntax": ["error", defaultExport] } },
  {
    files: ["**/*.test.ts", "shared/testing/**", "test/**"],
    rules: {
      "max-lines-per-function": "off",
      "no-restricted-syntax": ["error", defaultExport],
      "@typescript-eslint/no-unused-expressions": "off",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-empty-function": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
);
