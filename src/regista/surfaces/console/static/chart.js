// A chart over time, drawn from the table beside it: columns are series, cells carry their value in `data-value`.
const dashes = { c1: [], c2: [6, 3], c3: [2, 3], bad: [] };

class TimeChart extends HTMLElement {
  connectedCallback() {
    const table = this.closest("[data-chart]")?.querySelector("[data-twin] table");
    if (!table || !window.uPlot) return;
    this.table = table;
    this.draw();
    this.watch = new ResizeObserver(() => this.chart?.setSize({ width: this.clientWidth, height: this.height() }));
    this.watch.observe(this);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.again = () => this.draw();
    this.dark.addEventListener("change", this.again);
  }

  disconnectedCallback() {
    this.watch?.disconnect();
    this.dark?.removeEventListener("change", this.again);
    this.chart?.destroy();
  }

  height() {
    return Number(this.getAttribute("height") ?? 170);
  }

  draw() {
    this.chart?.destroy();
    const style = getComputedStyle(this);
    const colour = (name) => {
      const probe = document.createElement("i");
      probe.style.color = `var(--${name})`;
      this.append(probe);
      const found = getComputedStyle(probe).color;
      probe.remove();
      return found;
    };
    const heads = [...this.table.tHead.rows[0].cells].slice(1).filter((cell) => cell.dataset.series);
    const rows = [...this.table.tBodies[0].rows].filter((row) => row.dataset.at);
    const value = (row, index) => {
      const text = row.cells[index].dataset.value;
      return text === undefined || text === "" ? null : Number(text);
    };
    const data = [rows.map((row) => Number(row.dataset.at)), ...heads.map((head) => rows.map((row) => value(row, head.cellIndex)))];
    const unit = this.getAttribute("unit") ?? "";
    const soft = colour("soft");
    const line = colour("line");
    const font = `11px ${style.fontFamily}`;
    const bars = this.getAttribute("kind") === "bars" ? window.uPlot.paths.bars({ size: [0.75, 28] }) : undefined;
    this.chart = new window.uPlot(
      {
        width: this.clientWidth,
        height: this.height(),
        legend: { show: false },
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        padding: [8, 18, 0, 0],
        scales: { x: { range: (chart, low, high) => (bars ? [low - edge(chart), high + edge(chart)] : [low, high]) }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
        axes: [
          { stroke: soft, font, grid: { show: false }, ticks: { show: false }, size: 26, space: 64, values: when },
          { stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, size: 58, space: 34, values: (_, ticks) => ticks.map((tick) => shown(tick, unit)) },
        ],
        series: [
          {},
          ...heads.map((head) => {
            const name = head.dataset.series;
            return {
              label: head.textContent,
              stroke: colour(name),
              fill: bars ? colour(name) : undefined,
              width: bars ? 0 : 1.75,
              dash: dashes[name],
              paths: bars,
              spanGaps: false,
              points: { show: (chart) => !bars && chart.data[0].length < 3, size: 5 },
            };
          }),
        ],
        hooks: { setCursor: [(chart) => this.tell(chart, heads, unit)] },
      },
      data,
      this,
    );
  }

  /** Say what lies under the cursor in the figure's caption. */
  tell(chart, heads, unit) {
    const place = this.closest("[data-chart]")?.querySelector("[data-under]");
    if (!place) return;
    const index = chart.cursor.idx;
    if (index == null || chart.cursor.left < 0) return void (place.textContent = "");
    const at = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(chart.data[0][index] * 1000));
    const values = heads.map((head, n) => (chart.data[n + 1][index] == null ? null : `${head.textContent} ${shown(chart.data[n + 1][index], unit)}`)).filter(Boolean);
    place.textContent = [at.replace(",", ""), ...values].join(" · ");
  }
}

/** Half a step, so that the first bar and the last one are whole. */
function edge(chart) {
  const at = chart.data[0];
  return at.length > 1 ? (at[1] - at[0]) / 2 : 1800;
}

/** Moments under a chart: the day where one begins, else the time. */
function when(chart, ticks) {
  const form = (options) => new Intl.DateTimeFormat("en-GB", { hourCycle: "h23", ...options });
  const clock = form({ hour: "2-digit", minute: "2-digit" });
  const day = form({ day: "numeric", month: "short" });
  return ticks.map((tick) => {
    const at = new Date(tick * 1000);
    return at.getHours() || at.getMinutes() ? clock.format(at) : day.format(at);
  });
}

/** A number with its unit, in three digits. */
export function shown(value, unit) {
  const digits = (number) => (number >= 100 ? number.toFixed(0) : number >= 10 ? number.toFixed(1) : number.toFixed(2)).replace(/\.0+$/, "");
  if (value === 0) return "0";
  if (unit === "ns") {
    for (const [size, name] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) if (value >= size) return `${digits(value / size)} ${name}`;
    return `${value} ns`;
  }
  if (unit === "$") return value >= 0.01 ? `$${digits(value)}` : `$${value.toPrecision(2)}`;
  if (unit === "%") return `${digits(value)} %`;
  for (const [size, name] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (value >= size) return `${digits(value / size)}${name}`;
  return digits(value);
}

customElements.define("time-chart", TimeChart);
