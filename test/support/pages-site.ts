import type { Page } from "playwright-core";
import { SEEDED_PASSWORD } from "./seed.ts";
import type { Person } from "./seed.ts";

/** What a person does on the pages, by what a person sees. */
export async function logInAs(page: Page, url: string, person: Person): Promise<void> {
  await page.goto(url);
  const entry = page.locator("form").first();
  await entry.locator("[name=username]").fill(person.username);
  await entry.locator("[name=password]").fill(SEEDED_PASSWORD);
  await entry.locator("[type=submit]").click();
}

export async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).first().textContent()) ?? "";
}

/** A raw number that the page shows, beside its words. */
export async function valueOf(page: Page, selector: string): Promise<number> {
  return Number(await page.locator(selector).first().getAttribute("data-value"));
}
