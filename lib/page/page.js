"use strict";
// The page of heapgauge: what grows, over time, by stack; and where resident memory went.
// Shows `data` (schema heapgauge.page/1, lib/page/page_json.h); a served page asks for newer data.
(() => {
  let data = JSON.parse(document.getElementById("data").textContent);
  const kFirstCallsites = 8, kAskEvery = 5000, kRow = 18, kLeastWidth = 1, kMostRows = 200;
  const kNormal95 = 1.96;
  const kDashes = ["", "6 3", "2 3", "8 3 2 3", "1 2", "10 4", "4 2 1 2", "3 6"];
  const $ = (id) => document.getElementById(id);
  const state = { weight: "live", from: 0, to: -1, zoom: [], search: "", open: new Set(), all: false, paused: false };

  // ---- words and figures -------------------------------------------------------------------------------------
  function bytes(value) {
    const sign = value < 0 ? "-" : "";
    let size = Math.abs(value), unit = 0;
    const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    while (size >= 1024 && unit < units.length - 1) { size /= 1024; ++unit; }
    const digits = unit === 0 ? 0 : size < 10 ? 2 : size < 100 ? 1 : 0;
    return `${sign}${size.toFixed(digits)} ${units[unit]}`;
  }
  const signed = (value) => (value > 0 ? "+" : "") + bytes(value);
  function duration(seconds) {
    if (!(seconds >= 0)) return "?";
    if (seconds < 1e-3) return `${(seconds * 1e6).toFixed(0)} us`;
    if (seconds < 1) return `${(seconds * 1e3).toFixed(0)} ms`;
    if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
    return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
  }
  function count(value) {
    return value < 10000 ? Math.round(value).toLocaleString("en") :
      value < 1e6 ? `${(value / 1e3).toFixed(1)} k` : `${(value / 1e6).toFixed(2)} M`;
  }
  const share = (part, whole) => whole > 0 ? `${(100 * part / whole).toFixed(part / whole < 0.1 ? 1 : 0)} %` : "0 %";
  const clock = (time) => time.replace("T", " ").replace(/\.\d+Z?$/, "").replace(/Z$/, "");
  function rate(bytesPerSecond) {
    const units = [["s", 1], ["min", 60], ["h", 3600]];
    const [name, seconds] = units.find(([, s]) => Math.abs(bytesPerSecond) * s >= 1 << 20) || units[2];
    return `${signed(bytesPerSecond * seconds)}/${name}`;
  }
  const lineOf = (site) => site.file ? site.file.replace(/^.*\//, "") + (site.line ? `:${site.line}` : "") :
    (site.module || "").replace(/^.*\//, "");
  const nameOf = (site) => site.function || `${(site.module || "[unknown]").replace(/^.*\//, "")}+0x${(site.module_offset || 0).toString(16)}`;

  function element(name, properties = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key === "class") made.className = value; else if (key in made) made[key] = value; else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }
  const badge = (verdict) => element("span", { class: `badge ${verdict}` }, verdict);

  // ---- head ---------------------------------------------------------------------------------------------------
  function showHead() {
    const report = data.report, process = report.process, totals = report.totals;
    $("name").textContent = `${report.exe || "heapgauge"} (pid ${report.pid})`;
    $("verdict").textContent = report.verdict;
    $("verdict").className = `badge ${report.verdict}`;
    $("evidence").textContent = report.evidence || "";
    const left = report.forecast ? duration(report.forecast.seconds_to_limit) : data.too_early || "no limit in sight";
    const rows = [
      ["Time left", report.forecast ? `${left} to ${bytes(report.forecast.limit_bytes)}` : left],
      ["Live heap", bytes(totals.live_bytes) + (totals.live_bytes_stderr > 0 ? ` ± ${bytes(kNormal95 * totals.live_bytes_stderr)}` : "")],
      ["Growth", rate(totals.growth_bytes_per_s)],
      ["Resident", process.rss_bytes > 0 ? bytes(process.rss_bytes) : "not known"],
      ["Limit", process.limit_bytes ? `${bytes(process.limit_bytes)} (${process.limit_source})` : "none"],
    ];
    $("figures").replaceChildren(...rows.map(([term, text]) =>
      element("div", {}, element("dt", {}, term), element("dd", {}, text))));
    $("foot").textContent = `Report ${report.sequence} of ${clock(report.time)} UTC on ${report.host}, ` +
      `after ${duration(report.uptime_s)}. Sample interval ${bytes(report.sampling.interval_bytes)}, ` +
      `${count(report.sampling.live_samples)} live samples. heapgauge ${data.version}.`;
    const notes = report.notes || [];
    $("notes").hidden = notes.length === 0;
    $("notes").querySelector("ul").replaceChildren(...notes.map((note) => element("li", {}, note)));
  }

  // ---- what is growing ------------------------------------------------------------------------------------------
  function sparkline(id) {
    const line = data.chart.callsites.find((site) => site.id === id);
    const kWidth = 110, kHeight = 26;
    if (!line || line.live.filter((value) => value !== null).length < 2) return "";
    const times = data.chart.time.map((time) => +new Date(time));
    const x = d3.scaleLinear().domain(d3.extent(times)).range([1, kWidth - 1]);
    const y = d3.scaleLinear().domain([0, d3.max(line.live) || 1]).range([kHeight - 1, 1]);
    const svg = d3.create("svg").attr("width", kWidth).attr("height", kHeight).attr("role", "img")
      .attr("aria-label", `live bytes from ${bytes(line.live.find((v) => v !== null))} to ${bytes(line.live[line.live.length - 1] || 0)}`);
    svg.append("path").attr("fill", "none").attr("stroke", "currentColor").attr("stroke-width", 1.5)
      .attr("d", d3.line().defined((v) => v !== null).x((v, i) => x(times[i])).y(y)(line.live));
    return svg.node();
  }

  // Lifetimes of the dead and ages of the living on one logarithmic scale: survivors that are far older than all
  // that died are what a leak looks like.
  const isRound = (value) => [1, 2, 5].includes(Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9)));
  function ages(site) {
    const spans = [["ages of the living", site.age_p50_s, site.age_max_s, "var(--leak)"]];
    if (site.lifetime_p50_s !== null) spans.unshift(["lifetimes of the dead", site.lifetime_p50_s, site.lifetime_p99_s, "var(--ok)"]);
    const kWidth = 520, kBar = 16, kLeft = 140;
    const all = spans.flatMap(([, low, high]) => [low, high]).filter((v) => v > 0);
    if (all.length === 0) return "";
    const x = d3.scaleLog().domain([Math.min(...all) / 2, Math.max(...all) * 2]).range([kLeft, kWidth - 10]);
    const svg = d3.create("svg").attr("viewBox", `0 0 ${kWidth} ${spans.length * 26 + 24}`).attr("width", kWidth).attr("role", "img")
      .attr("aria-label", spans.map(([name, low, high]) => `${name}: median ${duration(low)}, up to ${duration(high)}`).join("; "));
    spans.forEach(([name, low, high, colour], i) => {
      svg.append("text").attr("x", 0).attr("y", i * 26 + 14).text(name);
      const from = x(Math.max(low, x.domain()[0])), to = x(Math.max(high, x.domain()[0]));
      svg.append("rect").attr("x", from).attr("y", i * 26 + 2).attr("height", kBar).attr("width", Math.max(3, to - from)).attr("fill", colour)
        .append("title").text(`${duration(low)} to ${duration(high)}`);
    });
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${spans.length * 26})`)
      .call(d3.axisBottom(x).tickValues(x.ticks().filter(isRound)).tickFormat(duration));
    return svg.node();
  }

  function details(site) {
    const cell = element("td", { colSpan: 5 });
    cell.append(element("p", {}, `${count(site.live_objects)} objects live, median age ${duration(site.age_p50_s)}, oldest ${duration(site.age_max_s)}. ` +
      `Allocated ${bytes(site.allocated_bytes)}, freed ${bytes(site.freed_bytes)}. ` +
      (site.lifetime_p50_s === null ? "None has died." : `The dead lived ${duration(site.lifetime_p50_s)} (median), 99 % less than ${duration(site.lifetime_p99_s)}.`)));
    const strip = ages(site);
    if (strip) cell.append(strip);
    const held = site.held;
    if (held) {
      const list = element("ul");
      const words = (data.held[site.id] || {}).holders || [];
      (held.holders || []).forEach((holder, i) => list.append(element("li", {}, `${share(holder.share, 1)} ${words[i] || ""}`)));
      cell.append(element("p", {}, `Nothing points to ${share(held.lost_share, 1)} of ${count(held.checked_objects)} survivors looked at.`), list);
    }
    const stacks = data.stacks.filter((stack) => (site.sites || []).includes(stack.id)).slice(0, 3);
    for (const stack of stacks) {
      const list = element("ol");
      [...stack.frames].reverse().forEach((index, at) => {
        const [name, file, line, module] = data.frames[index];
        const where = file ? `${file}${line ? ":" + line : ""}` : module;
        const item = element("li", { title: where }, name, " ", element("span", { class: "where" }, where.replace(/^.*\//, "")));
        if (at === stack.frames.length - 1 - stack.line) item.className = "line";
        list.append(item);
      });
      cell.append(element("p", {}, `${bytes(stack.live)} live through:`), list);
    }
    if (site.stacks > stacks.length) cell.append(element("p", {}, `${stacks.length} of ${count(site.stacks)} stacks shown.`));
    return element("tr", { class: "details" }, cell);
  }

  function showCallsites() {
    const sites = data.report.callsites;
    const matter = sites.filter((site) => ["leak", "growing", "load"].includes(site.verdict) || site.live_bytes >= 0.5).slice(0, kFirstCallsites);
    if (matter.length === 0) matter.push(...sites.slice(0, kFirstCallsites));
    const shown = state.all ? sites : matter;
    const rows = [];
    for (const site of shown) {
      const open = state.open.has(site.id);
      const button = element("button", { class: "site", type: "button" }, nameOf(site));
      button.setAttribute("aria-expanded", String(open));
      button.addEventListener("click", () => {
        if (open) state.open.delete(site.id); else state.open.add(site.id);
        showCallsites();
        document.querySelector(`[data-site="${site.id}"] button`)?.focus();
      });
      const what = element("td", {}, button, " ", element("span", { class: "where", title: site.file || site.module || "" }, lineOf(site)),
        element("div", { class: "why" }, site.evidence || ""));
      const held = (data.held[site.id] || {}).sentence;
      if (held) what.append(element("div", { class: "why" }, `${held[0].toUpperCase()}${held.slice(1)}.`));
      // A rate that chance explains is none.
      const grows = site.growth_low > 0 || site.growth_high < 0;
      const row = element("tr", {}, what,
        element("td", {}, badge(site.verdict), element("div", { class: "range" }, site.confidence > 0 ? `confidence ${site.confidence.toFixed(2)}` : "")),
        element("td", { class: "number" }, grows ? rate(site.growth_bytes_per_s) : "",
          element("div", { class: "range" }, grows ? `${rate(site.growth_low)} to ${rate(site.growth_high)}` : "")),
        element("td", { class: "number" }, bytes(site.live_bytes),
          element("div", { class: "range" }, share(site.live_bytes, data.report.totals.live_bytes))),
        element("td", {}, sparkline(site.id)));
      row.dataset.site = site.id;
      rows.push(row);
      if (open) rows.push(details(site));
    }
    $("callsites").tBodies[0].replaceChildren(...rows);
    const total = data.report.callsites_total || sites.length;
    const live = data.report.totals.live_bytes, listed = shown.reduce((sum, site) => sum + site.live_bytes, 0);
    const part = live > 0 && listed < 0.995 * live ? `, ${share(listed, live)} of the live bytes` : "";
    $("callsites-caption").textContent = `${shown.length} of ${count(total)} call sites${part}, those that grow first`;
    $("more").hidden = sites.length <= matter.length;
    $("more").textContent = state.all ? "Show the first alone" : `Show all ${sites.length}`;
  }

  // ---- over time -------------------------------------------------------------------------------------------------
  // From 0 to the first one that is not below `most`, round in units of 1024.
  function binaryTicks(most) {
    const unit = 1024 ** Math.floor(Math.log2(most) / 10), step = d3.tickStep(0, most / unit, 5) * unit;
    return d3.range(0, Math.ceil(most / step) + 1).map((i) => i * step);
  }
  const colourOf = d3.scaleOrdinal(d3.schemeCategory10);
  function showChart() {
    const chart = data.chart, times = chart.time.map((time) => new Date(time));
    const place = $("chart"), width = Math.max(300, place.clientWidth || 800), height = 280;
    const margin = { left: 66, right: 12, top: 10, bottom: 26 };
    place.replaceChildren();
    const lines = [{ name: "live heap", live: chart.live, error: chart.error, verdict: chart.verdict, width: 2.5 },
      { name: "resident memory", live: chart.rss.map((v) => v || null), error: null, width: 1.5 }];
    const least = 0.005 * data.report.totals.live_bytes;
    for (const site of chart.callsites) {
      if (!(d3.max(site.live) > least)) continue;
      const named = data.report.callsites.find((c) => c.id === site.id);
      lines.push({ name: named ? `${nameOf(named)} ${lineOf(named)}` : site.id, live: site.live, error: site.error, verdict: site.verdict, width: 1.5 });
    }
    if (times.length < 2) {
      place.append(element("p", { class: "note" }, "One report so far: a chart needs two."));
      $("legend").replaceChildren();
      return;
    }
    const x = d3.scaleUtc().domain(d3.extent(times)).range([margin.left, width - margin.right]);
    const most = d3.max(lines, (line) => d3.max(line.live, (v, i) => v === null ? 0 : v + (line.error ? kNormal95 * (line.error[i] || 0) : 0)));
    const ticks = binaryTicks(most || 1);
    const y = d3.scaleLinear().domain([0, ticks[ticks.length - 1]]).range([height - margin.bottom, margin.top]);
    const svg = d3.select(place).append("svg").attr("width", width).attr("height", height).attr("role", "img")
      .attr("aria-label", `Live heap from ${bytes(chart.live[0])} to ${bytes(chart.live[chart.live.length - 1])} over ${times.length} reports`);
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - margin.bottom})`).call(d3.axisBottom(x).ticks(Math.max(2, width / 140)));
    svg.append("g").attr("class", "axis").attr("transform", `translate(${margin.left},0)`).call(d3.axisLeft(y).tickValues(ticks).tickFormat(bytes));
    lines.forEach((line, i) => {
      const colour = colourOf(i);
      if (line.error) {
        svg.append("path").attr("fill", colour).attr("opacity", 0.15).attr("d", d3.area().defined((v) => v !== null)
          .x((v, at) => x(times[at])).y0((v, at) => y(Math.max(0, v - kNormal95 * (line.error[at] || 0))))
          .y1((v, at) => y(v + kNormal95 * (line.error[at] || 0)))(line.live));
      }
      svg.append("path").attr("fill", "none").attr("stroke", colour).attr("stroke-width", line.width).attr("stroke-dasharray", kDashes[i % kDashes.length])
        .attr("d", d3.line().defined((v) => v !== null).x((v, at) => x(times[at])).y(y)(line.live)).append("title").text(line.name);
      let before = null;
      (line.verdict || []).forEach((verdict, at) => {
        if (verdict === null || line.live[at] === null) return;
        if (before !== null && verdict !== before) {
          svg.append("circle").attr("class", "mark").attr("cx", x(times[at])).attr("cy", y(line.live[at])).attr("r", 4.5).attr("fill", colour)
            .attr("stroke", "var(--text)").append("title").text(`${line.name}: ${before} → ${verdict}, ${clock(chart.time[at])}`);
        }
        before = verdict;
      });
    });
    $("legend").replaceChildren(...lines.map((line, i) => {
      const key = d3.create("svg").attr("width", 26).attr("height", 10).attr("aria-hidden", "true");
      key.append("line").attr("x1", 0).attr("x2", 26).attr("y1", 5).attr("y2", 5).attr("stroke", colourOf(i)).attr("stroke-width", 3)
        .attr("stroke-dasharray", kDashes[i % kDashes.length]);
      return element("li", {}, key.node(), line.name);
    }));
  }

  // ---- stacks ----------------------------------------------------------------------------------------------------
  const momentCount = () => data.moments.length + 1;  // the newest report is the last one
  const momentName = (i) => i < data.moments.length ? `report ${data.moments[i].sequence}, ${clock(data.moments[i].time)}` : "now";
  const liveAt = (stack, i) => i < data.moments.length ? data.moments[i].live[stack] : data.stacks[stack].live;

  // A node: { name, index, value, delta, children, parent, depth, stacks }.
  function tree() {
    const root = { name: "all", index: -1, value: 0, delta: 0, children: new Map(), parent: null, depth: 0 };
    const to = state.to < 0 ? momentCount() - 1 : Math.min(state.to, momentCount() - 1), from = Math.min(state.from, momentCount() - 1);
    data.stacks.forEach((stack, at) => {
      let value = 0, delta = 0;
      if (state.weight === "difference") {
        const before = liveAt(at, from), after = liveAt(at, to);
        value = Math.max(before, after);
        delta = after - before;
      } else {
        value = stack[state.weight];
      }
      if (!(value > 0)) return;
      let node = root;
      node.value += value;
      node.delta += delta;
      for (const index of stack.frames) {
        let next = node.children.get(index);
        if (!next) {
          next = { name: data.frames[index][0], index, value: 0, delta: 0, children: new Map(), parent: node, depth: node.depth + 1 };
          node.children.set(index, next);
        }
        next.value += value;
        next.delta += delta;
        node = next;
      }
    });
    return root;
  }

  let drawn = [];   // nodes with their places, in the order of drawing
  let root = null;
  let current = null;  // the node that has the focus
  const sorted = (node) => node.sorted || (node.sorted = [...node.children.values()].sort((a, b) => b.value - a.value));
  const matches = (node) => state.search !== "" && node.name.toLowerCase().includes(state.search);

  // Frames of one module look alike.
  const shades = new Map();
  function shade(node) {
    const module = node.index < 0 ? "" : data.frames[node.index][3];
    if (!shades.has(module)) shades.set(module, `shade${shades.size % 4}`);
    return shades.get(module);
  }

  function pathOf(node) {
    const path = [];
    for (let at = node; at.parent; at = at.parent) path.unshift(at.index);
    return path;
  }
  function nodeAt(path) {
    let node = root;
    for (const index of path) {
      if (!node.children.has(index)) break;
      node = node.children.get(index);
    }
    return node;
  }

  function say(node) {
    if (!node) { $("frame").textContent = ""; return; }
    const frame = node.index < 0 ? null : data.frames[node.index];
    const where = frame ? (frame[1] ? `${frame[1]}${frame[2] ? ":" + frame[2] : ""}` : frame[3]) : "";
    const change = state.weight === "difference" ? `, ${signed(node.delta)}` : "";
    $("frame").textContent = `${node.name}${where ? "  " + where : ""}: ${bytes(node.value)} (${share(node.value, root.value)})${change}`;
  }

  function showGraph(focus) {
    root = tree();
    const place = $("graph"), width = Math.max(300, place.clientWidth || 800);
    const zoomed = nodeAt(state.zoom);
    state.zoom = pathOf(zoomed);
    drawn = [];
    for (let at = zoomed; at; at = at.parent) drawn.unshift(Object.assign(at, { x: 0, w: width, above: at !== zoomed }));
    const lay = (node) => {
      let x = node.x;
      for (const child of sorted(node)) {
        const w = node.value > 0 ? node.w * child.value / node.value : 0;
        if (w >= kLeastWidth && child.depth < kMostRows) {
          drawn.push(Object.assign(child, { x, w, above: false }));
          lay(child);
        }
        x += w;
      }
    };
    if (root.value > 0) lay(zoomed);
    const rows = d3.max(drawn, (node) => node.depth) + 1;
    place.replaceChildren();
    place.className = state.weight === "difference" ? "difference" : "";
    if (!(root.value > 0)) {
      place.append(element("p", { class: "note" }, "No stack has any weight of this kind."));
      say(null);
      $("found").textContent = "";
      return;
    }
    const svg = d3.select(place).append("svg").attr("width", width).attr("height", rows * kRow + 1).attr("role", "tree")
      .attr("aria-label", "Stacks, from the outermost function down to the line that asked for memory");
    const groups = svg.selectAll("g").data(drawn).join("g")
      .attr("class", (node) => `node ${shade(node)}${node.above ? " above" : ""}${matches(node) ? " found" : ""}`)
      .attr("transform", (node) => `translate(${node.x},${node.depth * kRow})`)
      .attr("role", "treeitem").attr("aria-level", (node) => node.depth + 1).attr("tabindex", -1)
      .attr("aria-label", (node) => `${node.name}, ${bytes(node.value)}, ${share(node.value, root.value)}`)
      .on("click", (a, b) => zoom(nodeOf(a, b))).on("mouseenter focus", (a, b) => { say(nodeOf(a, b)); });
    const rects = groups.append("rect").attr("width", (node) => Math.max(kLeastWidth, node.w - 0.5)).attr("height", kRow - 1);
    if (state.weight === "difference") {
      rects.filter((node) => !matches(node)).style("fill", (node) => {
        const strength = node.value > 0 ? Math.min(1, Math.abs(node.delta) / node.value) : 0;
        return `rgba(var(${node.delta >= 0 ? "--grew" : "--shrank"}), ${0.12 + 0.6 * strength})`;
      });
    }
    groups.append("title").text((node) => `${node.name}\n${bytes(node.value)} (${share(node.value, root.value)})`);
    const kCharacter = 7.3;
    groups.filter((node) => node.w > 30).append("text").attr("x", 4).attr("y", kRow - 5)
      .text((node) => { const room = Math.floor((node.w - 8) / kCharacter); return node.name.length <= room ? node.name : node.name.slice(0, Math.max(0, room - 1)) + "…"; });
    drawn.forEach((node, i) => { node.group = groups.nodes()[i]; });
    current = nodeAt(focus ? pathOf(focus) : state.zoom);
    if (!current.group) current = zoomed;
    current.group.setAttribute("tabindex", "0");
    if (focus) current.group.focus();
    showFound();
  }
  // d3 5 hands the datum first, later ones the event.
  const nodeOf = (a, b) => (a && a.children instanceof Map ? a : b);

  function zoom(node) {
    state.zoom = pathOf(node);
    showGraph(node);
    say(node);
  }

  function showFound() {
    if (state.search === "") { $("found").textContent = ""; return; }
    let frames = 0, weight = 0;
    const walk = (node, inside) => {
      const hit = matches(node);
      if (hit) ++frames;
      if (hit && !inside) weight += node.value;
      for (const child of node.children.values()) walk(child, inside || hit);
    };
    walk(root, false);
    $("found").textContent = frames === 0 ? `Nothing is called "${state.search}".` :
      `${count(frames)} frames, ${bytes(weight)} (${share(weight, root.value)}) below them.`;
  }

  function move(key) {
    const visible = (node) => node && node.group && node.group.isConnected ? node : null;
    const siblings = current.parent ? sorted(current.parent).filter(visible) : [current];
    const at = siblings.indexOf(current);
    const next = { ArrowUp: () => visible(current.parent), ArrowDown: () => sorted(current).find(visible), ArrowLeft: () => siblings[at - 1],
      ArrowRight: () => siblings[at + 1], Home: () => visible(root) }[key]();
    if (!next) return;
    current.group.setAttribute("tabindex", "-1");
    current = next;
    current.group.setAttribute("tabindex", "0");
    current.group.focus();
    say(current);
  }
  $("graph").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !current) return;
    if (["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home"].includes(event.key)) move(event.key);
    else if (event.key === "Enter" || event.key === " ") zoom(current);
    else if (event.key === "Escape") zoom(root);
    else return;
    event.preventDefault();
  });

  function showMoments() {
    $("moments").hidden = state.weight !== "difference";
    const options = () => d3.range(momentCount()).map((i) => element("option", { value: String(i) }, momentName(i)));
    $("from").replaceChildren(...options());
    $("to").replaceChildren(...options());
    $("from").value = String(Math.min(state.from, momentCount() - 1));
    $("to").value = String(state.to < 0 ? momentCount() - 1 : Math.min(state.to, momentCount() - 1));
  }

  // ---- resident memory, calls -----------------------------------------------------------------------------------
  function showResident() {
    const process = data.report.process, live = Math.max(0, data.report.totals.live_bytes);
    const parts = [["live heap", live, "#b3553a"], ["freed, kept by the allocator", process.allocator_retained_bytes, "#c9a227"],
      ["code and other files", process.rss_file_bytes || 0, "#4e79a7"], ["shared memory", process.rss_shmem_bytes || 0, "#59a14f"]];
    const known = d3.sum(parts, (part) => part[1]);
    const rest = process.rss_bytes - known;
    if (rest > 0) parts.push(["the rest: rounding of blocks, stacks, other mappings", rest, "#8a8f98"]);
    const total = Math.max(known, process.rss_bytes);
    const place = $("resident"), width = Math.max(300, place.clientWidth || 800), height = 34;
    place.replaceChildren();
    const svg = d3.select(place).append("svg").attr("width", width).attr("height", height).attr("role", "img")
      .attr("aria-label", parts.map(([name, value]) => `${name} ${bytes(value)}`).join(", "));
    let x = 0;
    for (const [name, value, colour] of parts) {
      const w = total > 0 ? width * value / total : 0;
      svg.append("rect").attr("x", x).attr("width", w).attr("height", height).attr("fill", colour).append("title").text(`${name}: ${bytes(value)}`);
      x += w;
    }
    $("resident-legend").replaceChildren(...parts.map(([name, value, colour]) => {
      const key = d3.create("svg").attr("width", 12).attr("height", 12).attr("aria-hidden", "true");
      key.append("rect").attr("width", 12).attr("height", 12).attr("fill", colour);
      return element("li", {}, key.node(), `${name}: ${bytes(value)} (${share(value, total)})`);
    }));
  }

  function showCalls() {
    const calls = data.report.calls || [], circles = data.report.circles || [];
    const none = calls.length === 0 && circles.length === 0;
    $("calls").hidden = none;
    $("to-calls").hidden = none;
    if (none) return;
    $("circles").replaceChildren(...circles.map((circle) => element("p", { class: "circle" },
      `Circle: ${[...circle.members, circle.members[0]].join(" → ")}, ${circle.depth} deep, ${bytes(circle.in_flight_bytes)} in flight since ${clock(circle.since)}.`)));
    $("peers").tBodies[0].replaceChildren(...calls.map((call) => element("tr", {}, element("td", {}, call.peer),
      element("td", { class: "number" }, bytes(call.in_flight_bytes)), element("td", { class: "number" }, rate(call.growth_bytes_per_s)),
      element("td", { class: "number" }, duration(call.oldest_s)))));
  }

  // ---- all of it -------------------------------------------------------------------------------------------------
  function show() {
    showHead();
    showCallsites();
    showChart();
    showMoments();
    showGraph();
    showResident();
    showCalls();
  }

  async function ask() {
    if (!state.paused && !document.hidden) {
      try {
        const answer = await fetch(`page.json?after=${data.report.sequence}`, { cache: "no-store" });
        if (answer.status === 200) {
          data = await answer.json();
          show();
        }
        $("state").textContent = answer.ok ? "" : `The server answers ${answer.status}.`;
      } catch (error) {
        $("state").textContent = "The server does not answer: the process may have ended. What is shown is its last report.";
      }
    }
    setTimeout(ask, kAskEvery);
  }

  $("more").addEventListener("click", () => { state.all = !state.all; showCallsites(); });
  $("choice").addEventListener("submit", (event) => event.preventDefault());
  $("weight").addEventListener("change", (event) => { state.weight = event.target.value; showMoments(); showGraph(); });
  $("from").addEventListener("change", (event) => { state.from = +event.target.value; showGraph(); });
  $("to").addEventListener("change", (event) => { const i = +event.target.value; state.to = i === momentCount() - 1 ? -1 : i; showGraph(); });
  $("search").addEventListener("input", (event) => { state.search = event.target.value.trim().toLowerCase(); showGraph(); });
  $("reset").addEventListener("click", () => { state.zoom = []; showGraph(); say(root); });
  $("theme").addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).colorScheme.trim() === "dark" ||
      (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });
  let resized = 0;
  addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(() => { showChart(); showGraph(); showResident(); }, 150); });
  show();
  if (data.live_page) {
    $("pause").hidden = false;
    $("pause").addEventListener("click", () => {
      state.paused = !state.paused;
      $("pause").textContent = state.paused ? "Go on" : "Pause";
      $("pause").setAttribute("aria-pressed", String(state.paused));
    });
    setTimeout(ask, kAskEvery);
  }
})();
