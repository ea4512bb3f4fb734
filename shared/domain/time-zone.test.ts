import { expect } from "chai";
import fc from "fast-check";
import { cases } from "../testing/cases.ts";
import { dayAfter, dayOf, isTimeZone, startOfDay } from "./time-zone.ts";

const at = (text: string): number => Date.parse(text);
const ZONES = [
  ...["UTC", "Asia/Seoul", "Asia/Kathmandu", "America/New_York", "America/Sao_Paulo", "Africa/Cairo"],
  ...["Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Havana"],
];

describe("a time zone", () => {
  it("is a name, not an offset, and one that is known", () => {
    for (const name of [...ZONES, "Asia/Kolkata", "Asia/Calcutta"])
      expect(isTimeZone(name), name).to.equal(true);
    for (const name of ["", "+09:00", "Asia/Nowhere", "KST ", "9"])
      expect(isTimeZone(name), name).to.equal(false);
  });

  it("has its own midnight", () => {
    expect(startOfDay("2027-01-01", "UTC")).to.equal(at("2027-01-01T00:00:00Z"));
    expect(startOfDay("2027-01-01", "Asia/Seoul")).to.equal(at("2026-12-31T15:00:00Z"));
    expect(startOfDay("2027-01-01", "Asia/Kathmandu")).to.equal(at("2026-12-31T18:15:00Z"));
    expect(dayOf(at("2026-12-31T14:59:59.999Z"), "Asia/Seoul")).to.equal("2026-12-31");
    expect(dayOf(at("2026-12-31T15:00:00.000Z"), "Asia/Seoul")).to.equal("2027-01-01");
  });

  it("has days of 23 and 25 hours where clocks change", () => {
    const hours = (day: string) =>
      (startOfDay(dayAfter(day, 1), "America/New_York") - startOfDay(day, "America/New_York")) / 3_600_000;
    expect([hours("2026-03-08"), hours("2026-11-01"), hours("2026-06-01")]).to.deep.equal([23, 25, 24]);
  });

  it("may jump over midnight, or over a whole day", () => {
    expect(startOfDay("2018-11-04", "America/Sao_Paulo")).to.equal(at("2018-11-04T03:00:00Z"));
    expect(startOfDay("2011-12-30", "Pacific/Apia")).to.equal(startOfDay("2011-12-31", "Pacific/Apia"));
  });

  it("puts every instant between the start of its day and the start of the next", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: at("2000-01-01T00:00:00Z"), max: at("2040-01-01T00:00:00Z") }),
        (zone, instant) => {
          const day = dayOf(instant, zone);
          expect(startOfDay(day, zone)).to.be.at.most(instant);
          expect(startOfDay(dayAfter(day, 1), zone)).to.be.above(instant);
        },
      ),
      { numRuns: cases(300) },
    );
  });
});
