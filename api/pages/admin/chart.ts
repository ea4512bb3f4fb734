import uPlot from "uplot";
import { h } from "../lib/dom.ts";
import { serverNow } from "../lib/clock.ts";
import { t, timeOfDay } from "../lib/texts.ts";
import type { Series } from "./live.ts";

const HEIGHT = 220;
/** Seconds: a chart that has just begun is not one dot. */
const SHOWN_MIN = 20;
/** Pixels from one "12:34:56" to the next, at least. */
const LABEL_SPACE = 90;

/** What the chart is wide, also before there is anything in it. */
function shown(min: number | null, max: number | null): [number, number] {
  const last = max ?? serverNow() / 1_000;
  return [Math.min(min ?? last, last - SHOWN_MIN), last];
}

/** Accepted, settled and refused per second, over the last two minutes. */
export function rateChart() {
  const box = h("div", { class: "chart", role: "img", "aria-label": t("chart") });
  const css = getComputedStyle(document.documentElement);
  const color = (name: string) => css.getPropertyValue(name).trim();
  const axis = {
    stroke: color("--quiet"),
    grid: { stroke: color("--line") },
    ticks: { stroke: color("--line") },
  };
  const line = (label: string, stroke: string, dash?: number[]) => ({
    ...{ label, stroke, width: 2, points: { show: false } },
    ...(dash && { dash }),
  });
  const chart = new uPlot(
    {
      ...{ width: 300, height: HEIGHT, cursor: { show: false } },
      scales: {
        x: { range: (_u, min, max) => shown(min, max) },
        y: { range: (_u, _min, max) => [0, Math.max(5, max * 1.1)] },
      },
      axes: [
        { ...axis, space: LABEL_SPACE, values: (_u, seconds) => seconds.map((s) => timeOfDay(s * 1_000)) },
        { ...axis, size: 48 },
      ],
      series: [
        {},
        // Told apart without colours, too.
        line(t("accepted"), color("--main")),
        line(t("settled"), color("--good"), [8, 4]),
        line(t("refused"), color("--bad"), [2, 4]),
      ],
      legend: { live: false },
    },
    [[], [], [], []],
    box,
  );
  const sizes = new ResizeObserver(() => {
    chart.setSize({ width: Math.max(200, box.clientWidth), height: HEIGHT });
  });
  sizes.observe(box);
  return {
    box,
    show(series: Series): void {
      chart.setData(series);
    },
    end(): void {
      sizes.disconnect();
      chart.destroy();
    },
  };
}
