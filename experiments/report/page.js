"use strict";
// Draws the report from the data in the page, without libraries or network access.

const data = JSON.parse(document.getElementById("data").textContent);
const measureAt = Object.fromEntries(data.measures.map((m, i) => [m.name, i]));
const state = { setting: 0, measure: "bound_ratio", workload: -1, cell: null };

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes))
    key.startsWith("on") ? node.addEventListener(key.slice(2), value) : node.setAttribute(key, value);
  node.append(...children);
  return node;
};
const svgNode = (tag, attributes, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};
const short = (x) => {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  if (x !== 0 && Math.abs(x) < 0.01) return x.toExponential(1);
  if (Math.abs(x) >= 1e6) return x.toExponential(2);
  return Math.abs(x) >= 100 ? x.toFixed(0) : Number(x.toPrecision(3)).toString();
};
// The colour of a strategy. Red is left out: it means work that was lost.
const hue = (i) => `hsl(${25 + ((i * 137.5 + 190) % 305)} 62% var(--lightness))`;
const arithmetic = (values) => values.reduce((a, b) => a + b, 0) / values.length;
// Of ratios the geometric mean, as in the tables.
const meanOf = (measure, values) => data.measures[measureAt[measure]].geometric
  ? Math.exp(arithmetic(values.map(Math.log))) : arithmetic(values);
const meanName = (measure) => (data.measures[measureAt[measure]].geometric ? "geometric mean" : "mean");

const charts = new Map(data.gantt);
const settings = data.verdict.map((v) => ({ ...v, name: settingName(v.agents, v.faults) }));
function settingName(agents, faults) {
  const fault = data.faults[faults];
  return data.agents[agents] + (fault === "none" ? "" : " — " + fault);
}

// A run is [workload, agents, faults, strategy, seed, use, measures...]. Use 0: it did not finish; 2: all strategies
// finished this workload and seed, so that they can be compared on it.
const useAt = 5;
const firstMeasure = 6;
const bySetting = new Map();
for (const run of data.runs) {
  const key = run[1] + "/" + run[2];
  if (!bySetting.has(key)) bySetting.set(key, []);
  bySetting.get(key).push(run);
}
// Those of which some run has a value: a choice must show something.
const measured = data.measures.filter((m) => data.runs.some((run) => run[firstMeasure + measureAt[m.name]] !== null));
const runsOf = (agents, faults, strategy) =>
  (bySetting.get(agents + "/" + faults) ?? []).filter(
    (run) => run[3] === strategy && (state.workload < 0 || run[0] === state.workload));
const valuesOf = (agents, faults, strategy, measure) =>
  runsOf(agents, faults, strategy).filter((run) => run[useAt] === 2 || data.measures[measureAt[measure]].always)
    .map((run) => run[firstMeasure + measureAt[measure]]).filter((x) => x !== null);

// Mean with a 95 % bootstrap interval; seeded, so a page always looks the same.
function interval(measure, values) {
  if (values.length === 0) return null;
  const of = data.measures[measureAt[measure]].geometric ? values.map(Math.log) : values;
  const back = of === values ? (x) => x : Math.exp;
  let seed = 12345;
  const draw = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
  const means = [];
  for (let i = 0; i < 400; ++i) {
    let sum = 0;
    for (let k = 0; k < of.length; ++k) sum += of[Math.floor(draw() * of.length)];
    means.push(sum / of.length);
  }
  means.sort((a, b) => a - b);
  return { mean: back(arithmetic(of)), low: back(means[10]), high: back(means[389]) };
}
// The interval of a strategy in the setting that is shown: that of the table where it has one.
function intervalOf(setting, standing, measure) {
  if (measure === "bound_ratio" && state.workload < 0)
    return standing.bound && { mean: standing.bound[0], low: standing.bound[1], high: standing.bound[2] };
  return interval(measure, valuesOf(setting.agents, setting.faults, standing.strategy, measure));
}

function scale(low, high, from, to, logarithmic) {
  const f = logarithmic ? Math.log : (x) => x;
  const span = f(high) - f(low) || 1;
  return (x) => from + ((f(x) - f(low)) / span) * (to - from);
}
// 1, 2 or 5 times a power of ten: on a logarithmic axis every one of them, or evenly spaced ones where it is short.
function ticks(low, high, logarithmic) {
  if (logarithmic && high / low > 5) {
    const all = [];
    for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); ++p)
      for (const f of [1, 2, 5]) all.push(f * 10 ** p);
    const inside = all.filter((x) => x >= low * 0.999 && x <= high * 1.001);
    return inside.length > 8 ? inside.filter((x) => Number.isInteger(Math.log10(x))) : inside;
  }
  const power = 10 ** Math.floor(Math.log10(high - low || 1));
  let out = [];
  for (const factor of [1, 0.5, 0.2, 0.1]) {
    const step = factor * power;
    out = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) out.push(Number((i * step).toPrecision(12)));
    if (out.length >= 3) return out;
  }
  return out;
}
// Charts are drawn as wide as their place, so that text keeps its size. A figure has borders and padding.
const chartWidth = () => Math.max(240, document.getElementById("main").clientWidth - 28);
const letter = 7;  // px
const cut = (text, width) => (text.length * letter <= width ? text : text.slice(0, Math.max(1, Math.floor(width / letter) - 1)) + "…");

const legend = (indices) =>
  make("div", { class: "legend" },
       ...indices.map((s) => make("span", {}, make("i", { style: `background:${hue(s)}` }), data.strategies[s])));

// One row per strategy: a dot at the mean and a bar for its interval. On a narrow page the name stands above.
function dotPlot(rows, unit) {
  const width = chartWidth(), narrow = width < 520;
  const longest = Math.max(...rows.map((r) => r.label.length)) * letter + 20;
  const left = narrow ? 8 : Math.min(longest, width / 3), right = 56, rowHeight = narrow ? 40 : 26;
  const height = rows.length * rowHeight + 34;
  const low = Math.min(...rows.map((r) => r.low)), high = Math.max(...rows.map((r) => r.high));
  const margin = (high - low || Math.abs(high) || 1) * 0.06;
  const x = scale(low - margin, high + margin, left, width - right);
  const svg = svgNode("svg", { width, height, role: "img" });
  for (const t of ticks(low - margin, high + margin)) {
    svg.append(svgNode("line", { class: "axis", x1: x(t), x2: x(t), y1: 4, y2: height - 26 }));
    svg.append(svgNode("text", { class: "soft", x: x(t), y: height - 10, "text-anchor": "middle" }, short(t) + unit));
  }
  rows.forEach((row, i) => {
    const y = i * rowHeight + (narrow ? 30 : 20);
    svg.append(narrow ? svgNode("text", { x: left, y: y - 12 }, cut(row.label, width - left))
                      : svgNode("text", { x: left - 12, y: y + 4, "text-anchor": "end" }, cut(row.label, left - 12)));
    svg.append(svgNode("line", { x1: x(row.low), x2: x(row.high), y1: y, y2: y, stroke: row.colour, "stroke-width": 6,
                                 "stroke-opacity": 0.35, "stroke-linecap": "round" }));
    svg.append(svgNode("circle", { cx: x(row.mean), cy: y, r: 5, fill: row.colour },
                       svgNode("title", {}, `${row.label}: ${short(row.mean)} [${short(row.low)}, ${short(row.high)}]`)));
    svg.append(svgNode("text", { class: "soft", x: width - right + 8, y: y + 4 }, short(row.mean)));
  });
  return svg;
}

function linePlot(series, { xTitle, logX, logY, steps }) {
  const width = chartWidth(), height = 330, left = 52, right = 16, top = 12, bottom = 44;
  const points = series.flatMap((s) => s.points);
  let xs = [Math.min(...points.map((p) => p[0])), Math.max(...points.map((p) => p[0]))];
  let ys = [Math.min(...points.map((p) => p[1])), Math.max(...points.map((p) => p[1]))];
  if (logY && ys[0] <= 0) logY = false;
  if (logX && xs[0] <= 0) logX = false;
  if (!logY) ys = [Math.min(0, ys[0]), ys[1] || 1];
  const x = scale(xs[0], xs[1], left, width - right, logX), y = scale(ys[0], ys[1], height - bottom, top, logY);
  const svg = svgNode("svg", { width, height, role: "img" });
  for (const t of ticks(ys[0], ys[1], logY)) {
    svg.append(svgNode("line", { class: "axis", x1: left, x2: width - right, y1: y(t), y2: y(t) }));
    svg.append(svgNode("text", { class: "soft", x: left - 8, y: y(t) + 4, "text-anchor": "end" }, short(t)));
  }
  for (const t of ticks(xs[0], xs[1], logX))
    svg.append(svgNode("text", { class: "soft", x: x(t), y: height - bottom + 18, "text-anchor": "middle" }, short(t)));
  svg.append(svgNode("text", { class: "soft", x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, cut(xTitle, width - left)));
  for (const s of series) {
    let d = "";
    s.points.forEach(([px, py], i) => {
      if (steps && i > 0) d += `H${x(px).toFixed(1)}`;
      d += `${i === 0 ? "M" : "L"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`;
    });
    svg.append(svgNode("path", { d, fill: "none", stroke: s.colour, "stroke-width": 2 }, svgNode("title", {}, s.label)));
    if (!steps)
      for (const [px, py] of s.points)
        svg.append(svgNode("circle", { cx: x(px), cy: y(py), r: 3, fill: s.colour },
                           svgNode("title", {}, `${s.label}: ${short(py)} at ${short(px)}`)));
  }
  return svg;
}

function overview() {
  const head = make("tr", {}, make("th", {}, "setting"), ...data.strategies.map((name) => make("th", {}, name)));
  const rows = settings.map((setting, i) => {
    const byStrategy = new Map(setting.standings.map((s) => [s.strategy, s]));
    const cells = data.strategies.map((_, s) => {
      const standing = byStrategy.get(s);
      const classes = [standing?.good ? "best" : "", i === state.setting ? "chosen" : ""].join(" ").trim();
      const few = standing && standing.finished < standing.runs
        ? [make("span", { class: "few" }, `${standing.finished} of ${standing.runs} finished`)] : [];
      return make("td", classes ? { class: classes } : {}, standing?.bound ? short(standing.bound[0]) : "–", ...few);
    });
    const choose = make("button", { type: "button", onclick: () => { state.setting = i; draw(); } }, setting.name);
    return make("tr", {}, make("td", {}, choose), ...cells);
  });
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
}

function standingsTable() {
  const setting = settings[state.setting];
  const percent = (x) => (x >= 1 ? "+" : "−") + (Math.abs(x - 1) * 100).toFixed(1) + " %";
  const against = (c, isSelf) => {
    if (isSelf || !c) return make("td", { class: "noise" }, "—");
    const text = `${percent(c[0])} [${percent(c[1])}, ${percent(c[2])}]`;
    return c[3] > 0.05 ? make("td", { class: "noise" }, text + " not significant") : make("td", {}, text);
  };
  const extra = ["heft_ratio", "award_p50", "messages", "redundant", "idle", "fairness"];
  const head = make("tr", {}, make("th", {}, "strategy"), make("th", {}, "finished"), make("th", {}, "makespan / bound"),
                    make("th", {}, "against the best"), make("th", {}, "against " + data.baseline),
                    ...extra.map((name) => make("th", {}, data.measures[measureAt[name]].title)));
  const rows = setting.standings.map((s, i) => make("tr", {},
    make("td", { class: s.good ? "best" : "" }, data.strategies[s.strategy]),
    make("td", {}, `${s.finished} of ${s.runs}`),
    make("td", {}, s.bound ? `${short(s.bound[0])} [${short(s.bound[1])}, ${short(s.bound[2])}]` : "–"),
    against(s.best, i === 0), against(s.baseline, data.strategies[s.strategy] === data.baseline),
    ...extra.map((name) => {
      const values = valuesOf(setting.agents, setting.faults, s.strategy, name);
      return make("td", {}, values.length ? short(meanOf(name, values)) : "–");
    })));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
}

function ratioPlot() {
  const setting = settings[state.setting];
  const measure = data.measures[measureAt[state.measure]];
  const rows = setting.standings.map((s) => {
    const i = intervalOf(setting, s, state.measure);
    return i && { ...i, label: data.strategies[s.strategy], colour: hue(s.strategy) };
  }).filter(Boolean);
  return rows.length ? dotPlot(rows, "") : make("p", { class: "soft" }, `${measure.title} was not measured in this setting.`);
}

// Over groups that differ in nothing but the number of their agents.
function growthPlot() {
  const { agents, faults } = settings[state.setting];
  const alike = data.agents.map((_, a) => a).filter((a) => data.agent_kinds[a] === data.agent_kinds[agents]);
  const series = data.strategies.map((name, s) => {
    const points = alike.map((a) => [data.agent_counts[a], valuesOf(a, faults, s, state.measure)])
      .filter(([, values]) => values.length).map(([count, values]) => [count, meanOf(state.measure, values)])
      .sort((a, b) => a[0] - b[0]);
    return { label: name, colour: hue(s), points, strategy: s };
  }).filter((s) => s.points.length > 1);
  if (!series.length) return make("p", { class: "soft" }, `No other group differs from ${data.agents[agents]} in nothing but their number.`);
  return make("div", {}, linePlot(series, { xTitle: "number of " + data.agent_kinds[agents], logX: true, logY: true }), legend(series.map((s) => s.strategy)));
}

function distributionPlot() {
  const setting = settings[state.setting];
  const series = setting.standings.map((s) => {
    const values = valuesOf(setting.agents, setting.faults, s.strategy, state.measure).sort((a, b) => a - b);
    return { label: data.strategies[s.strategy], colour: hue(s.strategy), strategy: s.strategy,
             points: values.map((v, i) => [v, (i + 1) / values.length]) };
  }).filter((s) => s.points.length > 1);
  if (!series.length) return make("p", { class: "soft" }, "Not measured in this setting.");
  const measure = data.measures[measureAt[state.measure]];
  return make("div", {}, linePlot(series, { xTitle: measure.title + (measure.unit ? ", " + measure.unit : "") + " (share of runs below)", steps: true }),
              legend(series.map((s) => s.strategy)));
}

function recoveryPlot() {
  const setting = settings[state.setting];
  const rows = setting.standings.flatMap((s) => ["detect", "redistribute"].map((name) => {
    const i = interval(name, valuesOf(setting.agents, setting.faults, s.strategy, name));
    return i && { ...i, label: `${data.strategies[s.strategy]}: ${name}`, colour: hue(s.strategy) };
  })).filter(Boolean);
  return rows.length ? dotPlot(rows, " s") : null;
}

function cellPicker() {
  const setting = settings[state.setting];
  const head = make("tr", {}, make("th", {}, "workload"), ...setting.standings.map((s) => make("th", {}, data.strategies[s.strategy])));
  const rows = data.workloads.map((workload, w) => make("tr", {}, make("td", {}, workload),
    ...setting.standings.map((s) => {
      const cell = `w${w}.a${setting.agents}.f${setting.faults}.s${s.strategy}.1`;
      const run = data.runs.find((r) => r[0] === w && r[1] === setting.agents && r[2] === setting.faults && r[3] === s.strategy && r[4] === 1);
      if (!run || !charts.has(cell)) return make("td", {}, "–");
      const what = run[useAt] === 0 ? "not finished" : short(run[firstMeasure]) + " s";
      const button = make("button", { type: "button", onclick: () => { state.cell = cell; state.cellStrategy = s.strategy; draw(); } }, what);
      return make("td", cell === state.cell ? { class: "chosen" } : {}, button);
    })));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
}

function gantt() {
  const chart = charts.get(state.cell);
  if (!chart) return make("p", { class: "soft" }, "Choose a run above. Other seeds: bidboard experiment run FILE --cell NAME.");
  const place = make("div", { style: `--of-strategy: ${hue(state.cellStrategy)}` });
  place.innerHTML = chart;
  return make("div", {}, place, make("p", { class: "soft" }, `Cell ${state.cell}. ${data.gantt_legend}`));
}

// A table that is wider than its place becomes a list of blocks, in which each value has the name of its column.
function fit() {
  for (const place of document.querySelectorAll(".scroll")) {
    const table = place.querySelector("table");
    table.classList.remove("stacked");
    table.classList.remove("wrapped");
    if (place.scrollWidth <= place.clientWidth) continue;
    table.classList.add("wrapped");
    if (place.clientWidth > 700 && place.scrollWidth <= place.clientWidth) continue;
    table.classList.remove("wrapped");
    const heads = [...table.querySelectorAll("thead th")].map((th) => th.textContent);
    for (const row of table.querySelectorAll("tbody tr"))
      [...row.cells].forEach((cell, i) => { if (i > 0 && heads[i]) cell.dataset.head = heads[i]; });
    table.classList.add("stacked");
  }
}

// Exports: what is shown, as files.
function save(name, type, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "export";
function tableAsCsv(table) {
  const field = (cell) => {
    const text = [...cell.childNodes].map((node) => node.textContent).join(" ").trim();
    return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  return [...table.rows].map((row) => [...row.cells].map(field).join(",") + "\n").join("");
}
// With the colours that it has now, and a width of its own.
function chartAsSvg(svg) {
  const copy = svg.cloneNode(true);
  const from = [svg, ...svg.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((node, i) => {
    const style = getComputedStyle(node);
    for (const name of ["fill", "fill-opacity", "stroke", "stroke-opacity", "font-size", "font-family"])
      if (node.tagName !== "svg" || name.startsWith("font")) to[i].style.setProperty(name, style.getPropertyValue(name));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", svg.clientWidth || svg.getBoundingClientRect().width);
  copy.style.background = getComputedStyle(document.body).backgroundColor;
  return new XMLSerializer().serializeToString(copy);
}
function addExports(root) {
  for (const part of root.querySelectorAll("section")) {
    const name = slug(part.querySelector("h2").textContent);
    const table = part.querySelector("table"), svg = part.querySelector("figure svg");
    if (table)
      part.append(make("button", { class: "export", type: "button", onclick: () => save(name + ".csv", "text/csv", tableAsCsv(table)) }, "Save the table as CSV"));
    if (svg)
      part.append(make("button", { class: "export", type: "button", onclick: () => save(name + ".svg", "image/svg+xml", chartAsSvg(svg)) }, "Save the chart as SVG"));
  }
}

function chooser(title, options, value, change) {
  const select = make("select", { onchange: (event) => { change(event.target.value); draw(); } },
    ...options.map(([v, text]) => make("option", String(v) === String(value) ? { value: v, selected: "" } : { value: v }, text)));
  return make("label", {}, title, select);
}

const section = (title, caption, ...content) => make("section", {}, make("h2", {}, title),
  ...(caption ? [make("p", { class: "soft" }, caption)] : []), ...content);

function draw() {
  const measure = data.measures[measureAt[state.measure]];
  const focus = document.activeElement?.closest?.("label")?.firstChild?.textContent;
  const recovery = recoveryPlot();
  const main = document.getElementById("main");
  main.replaceChildren(
    section("All settings", "Makespan ÷ lower bound of any schedule, geometric mean over the runs that all strategies finished. Bold: the best, or not significantly different from it. Choose a row.",
            make("div", { class: "scroll" }, overview())),
    make("div", { class: "controls" },
      chooser("Setting", settings.map((s, i) => [i, s.name]), state.setting, (v) => { state.setting = Number(v); state.cell = null; }),
      chooser("Measure", measured.map((m) => [m.name, m.title + (m.unit ? ", " + m.unit : "")]), state.measure, (v) => { state.measure = v; }),
      chooser("Workload", [[-1, "all"], ...data.workloads.map((w, i) => [i, w])], state.workload, (v) => { state.workload = Number(v); })),
    section(settings[state.setting].name, `Over the ${settings[state.setting].compared} workloads and seeds that all strategies finished, paired; means of ratios (×) are geometric, all others arithmetic; 95 % bootstrap intervals; p corrected for ${data.comparisons} comparisons (Holm).`,
            make("div", { class: "scroll" }, standingsTable())),
    section(measure.title, `${meanName(state.measure)} of: ${measure.formula}`, make("figure", {}, ratioPlot())),
    section("Growth with the number of agents", `${meanName(state.measure)} of ${measure.title}`, make("figure", {}, growthPlot())),
    section("Distribution over runs", null, make("figure", {}, distributionPlot())),
    ...(recovery ? [section("Recovery", "Seconds from a death until the board recorded it (detect), and until all its tasks were awarded again (redistribute).", make("figure", {}, recovery))] : []),
    section("Gantt charts", "Makespans of seed 1. Choose one to see its Gantt chart.", make("div", { class: "scroll" }, cellPicker()),
            make("figure", {}, gantt())));
  if (focus)
    for (const label of main.querySelectorAll("label"))
      if (label.firstChild.textContent === focus) label.querySelector("select").focus();
  addExports(main);
  fit();
}

draw();
addExports(document.getElementById("answers"));
let drawnWidth = chartWidth();
addEventListener("resize", () => {
  if (chartWidth() === drawnWidth) return;
  drawnWidth = chartWidth();
  draw();
});
