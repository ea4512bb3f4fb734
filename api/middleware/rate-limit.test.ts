import { expect } from "chai";
import { addressOf } from "./rate-limit.ts";

describe("the address that a request counts for", () => {
  const same: [string, string, string][] = [
    ["one of IPv4, however it is written", "203.0.113.7", "::ffff:203.0.113.7"],
    ["one /64 of IPv6", "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"],
    ["one /64 with leading zeros", "2001:0db8:0001:0002::1", "2001:db8:1:2::2"],
    ["one /64 in short", "2001:db8::1", "2001:db8:0:0:1::"],
    ["a link, whatever its zone", "fe80::1%eth0", "fe80::2"],
  ];
  for (const [what, a, b] of same) {
    it(`is the same for ${what}`, () => {
      expect(addressOf(a)).to.equal(addressOf(b));
    });
  }

  it("differs between sites", () => {
    const all = ["203.0.113.7", "203.0.113.8", "::1", "2001:db8:1:2::1", "2001:db8:1:3::1", undefined];
    expect(new Set(all.map(addressOf)).size).to.equal(all.length);
  });
});
